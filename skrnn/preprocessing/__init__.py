"""Transformers that know sequences."""

from ._sequence_imputer import SequenceImputer
from ._sequence_scaler import SequenceScaler
from ._sequence_summarizer import SequenceSummarizer
from ._step_transformer import StepTransformer

__all__ = ["SequenceImputer", "SequenceScaler", "SequenceSummarizer", "StepTransformer"]

for _public in (SequenceImputer, SequenceScaler, SequenceSummarizer, StepTransformer):
    _public.__module__ = "skrnn.preprocessing"  # so that pickles outlive a move of the file
del _public
