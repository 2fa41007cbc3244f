"""Recurrent sequence estimators that feel as if scikit-learn had shipped them, on a NumPy core."""

__version__ = "0.1.0"

from ._next_token import RNNNextTokenModel
from ._sequence_classifier import RNNSequenceClassifier
from ._versions import show_versions
from ._vocabulary import END, UNKNOWN

for _public in (RNNNextTokenModel, RNNSequenceClassifier):
    _public.__module__ = "skrnn"  # so that pickles outlive a move of the file
del _public

__all__ = ["END", "UNKNOWN", "RNNNextTokenModel", "RNNSequenceClassifier", "show_versions"]
