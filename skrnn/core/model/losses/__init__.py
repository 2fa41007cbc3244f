"""Losses: how wrong raw predictions are, the gradient of that in their place, and what is predicted.

Conventions: raw predictions are (L, n_raw, n), L steps of n columns, and `Loss.n_raw` numbers for each.
"""

from .classes import BinaryCrossEntropy, CrossEntropy, log_softmax, softmax_cross_entropy
from .loss import Loss
from .number_loss import NumberLoss, merge_equal
from .numbers import LOSSES, AbsoluteError, Gaussian, Huber, Poisson, Quantile, SquaredError
from .weighted_sum import WeightedSum

__all__ = [
    "LOSSES",
    "AbsoluteError",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Gaussian",
    "Huber",
    "Loss",
    "NumberLoss",
    "Poisson",
    "Quantile",
    "SquaredError",
    "WeightedSum",
    "log_softmax",
    "merge_equal",
    "softmax_cross_entropy",
]
