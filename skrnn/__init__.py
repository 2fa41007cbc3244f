"""Recurrent sequence estimators that feel as if scikit-learn had shipped them, on a NumPy core."""

__version__ = "0.1.0"

from ._sequence_classifier import RNNSequenceClassifier

RNNSequenceClassifier.__module__ = "skrnn"  # so that pickles outlive a move of the file

__all__ = ["RNNSequenceClassifier"]
