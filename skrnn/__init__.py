"""Recurrent sequence estimators that feel as if scikit-learn had shipped them, on a NumPy core."""

from ._early_classifier import EarlyClassifier
from ._files import TRUSTED_TYPES
from ._next_token import RNNNextTokenModel
from ._sequence_anomaly_detector import RNNSequenceAnomalyDetector
from ._sequence_classifier import RNNSequenceClassifier
from ._sequence_regressor import RNNSequenceRegressor
from ._sequence_tagger import RNNSequenceTagger
from ._step_likelihoods import SurprisingStep, SurprisingToken
from ._streams import SequenceStream, TokenStream
from ._version import __version__ as __version__
from ._versions import show_versions
from ._vocabulary import END, UNKNOWN

for _public in (
    EarlyClassifier,
    RNNNextTokenModel,
    RNNSequenceAnomalyDetector,
    RNNSequenceClassifier,
    RNNSequenceRegressor,
    RNNSequenceTagger,
    SequenceStream,
    SurprisingStep,
    SurprisingToken,
    TokenStream,
):
    _public.__module__ = "skrnn"  # so that files outlive a move of the module
del _public

__all__ = [
    "END",
    "TRUSTED_TYPES",
    "UNKNOWN",
    "EarlyClassifier",
    "RNNNextTokenModel",
    "RNNSequenceAnomalyDetector",
    "RNNSequenceClassifier",
    "RNNSequenceRegressor",
    "RNNSequenceTagger",
    "show_versions",
]
