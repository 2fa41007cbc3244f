"""Transformers that know sequences."""

from ._sequence_scaler import SequenceScaler

__all__ = ["SequenceScaler"]

SequenceScaler.__module__ = "skrnn.preprocessing"  # so that pickles outlive a move of the file
