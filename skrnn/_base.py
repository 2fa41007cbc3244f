"""What the estimators share: their parameters, sample weights, errors, fitted attributes."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils._param_validation import (  # private, but in place since 1.2: docs/design.md
    Interval,
    Options,
    StrOptions,
)
from sklearn.utils.validation import check_is_fitted

from ._config import FitConfig
from ._validation.arrays import as_numbers, reject_masked
from .core.cells import CELLS
from .core.network import Network
from .core.training import TrainingState

TRAINING_CONSTRAINTS: dict[str, list[Any]] = {
    "cell": [StrOptions(set(CELLS))],
    "hidden_size": [Interval(Integral, 1, None, closed="left")],
    "n_layers": [Interval(Integral, 1, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "solver": [StrOptions({"adam", "sgd", "rmsprop", "lbfgs"})],
    "alpha": [Interval(Real, 0, np.inf, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "adaptive", "cosine"})],
    "learning_rate_init": [Interval(Real, 0, np.inf, closed="neither")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="left")],
    "nesterovs_momentum": ["boolean"],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, np.inf, closed="neither")],
    "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "n_jobs": [Integral, None],
}
"""Constraints of the parameters that every recurrent estimator has, in the form of scikit-learn's validation."""


MAX_EXPONENT = 600
"""Weights are below 2**600, so that the sum over any number of steps is finite."""


def check_sample_weight(sample_weight: Any, n: int, name: str = "sample_weight", X: str = "X") -> np.ndarray:
    """Weights (n,), float64, which can be summed; ones for None. Raises for negative, not finite, or only zeros."""
    if sample_weight is None:
        return np.ones(n)
    reject_masked(sample_weight, name, "Fill the gaps, 0 leaves a sequence out.")
    weights = as_numbers(sample_weight, name, advice="Pass one weight for each sequence.")
    if weights.ndim != 1:
        raise ValueError(f"{name} has {weights.ndim} dimensions. Pass one weight for each sequence, shape ({n},).")
    with np.errstate(over="ignore"):  # of longdouble, which becomes infinity
        weights = check_array(weights, ensure_2d=False, dtype=np.float64, input_name=name)
    if len(weights) != n:
        raise ValueError(f"{name} has {len(weights)} entries, but {X} has {n} sequences. Pass one weight for each.")
    if (weights < 0).any():
        where = int(np.argmax(weights < 0))
        raise ValueError(f"Negative values in {name}: {name}[{where}] is {weights[where]:g}. Weights must be >= 0.")
    if not weights.any():
        raise ValueError(f"All weights in {name} are zero. {name} must contain at least one non-zero number.")
    return product_of_weights(weights)


def product_of_weights(*weights: np.ndarray) -> np.ndarray:
    """Product of arrays (n,), shifted by a power of two where it would overflow in sums, or vanish."""
    mantissas, exponents = zip(*map(np.frexp, weights), strict=True)
    mantissa, exponent = np.prod(mantissas, axis=0), np.sum(exponents, axis=0)
    largest = exponent[mantissa > 0].max(initial=-10 * MAX_EXPONENT)
    return np.ldexp(mantissa, exponent + np.clip(largest, -MAX_EXPONENT, MAX_EXPONENT) - largest)


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn from the line outside of skrnn, and of scikit-learn's wrappers, that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("skrnn", "sklearn"):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def unchanged_on_error(estimator: BaseEstimator) -> Iterator[None]:
    """Give the estimator its attributes back if the block raises, and its generator of random numbers its state."""
    attributes = dict(vars(estimator))
    rng = estimator.random_state
    rng_state = rng.get_state() if isinstance(rng, np.random.RandomState) else None
    try:
        yield
    except BaseException:
        estimator.__dict__ = attributes  # one step, which no interrupt can cut in two
        if rng_state is not None:
            rng.set_state(rng_state)
        raise


def set_fitted(estimator: BaseEstimator, network: Network, params: np.ndarray, state: TrainingState) -> None:
    """Give the estimator the result of a training."""
    monitor = state.monitor
    estimator._network, estimator._params, estimator._training = network, params, state
    estimator.n_iter_ = monitor.n_epochs
    estimator.loss_curve_ = list(monitor.loss_curve)
    estimator.loss_ = estimator.loss_curve_[-1]
    estimator.best_loss_ = None if estimator.early_stopping else -monitor.best_score
    estimator.validation_scores_ = list(monitor.validation_scores) if estimator.early_stopping else None
    estimator.best_validation_score_ = monitor.best_score if estimator.early_stopping else None


def named_weights(estimator: BaseEstimator) -> dict[str, np.ndarray]:
    """Parameters of a fitted estimator by name, views of one vector."""
    check_is_fitted(estimator)
    views = estimator._network.layout.views(estimator._params)
    return {f"{part}.{name}": array for part, arrays in views.items() for name, array in arrays.items()}


def is_stochastic(estimator: BaseEstimator) -> bool:
    """Whether the solver has a `partial_fit`; raises where it has not, as ``available_if`` wants it."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit needs a stochastic solver: adam, sgd or rmsprop. solver='lbfgs' is not one.")
    return True


def check_compatible_parameters(config: FitConfig, given_to_validate: str | None) -> None:
    """Raise where parameters that are valid one by one contradict each other."""
    if given_to_validate and not config.early_stopping:
        raise ValueError(f"{given_to_validate} passed to fit, but early_stopping is False. Set early_stopping=True.")
    if config.solver == "lbfgs" and config.early_stopping:
        raise ValueError("solver='lbfgs' does not support early_stopping=True. Use adam, sgd or rmsprop.")
    if config.solver == "lbfgs" and config.dropout > 0:
        raise ValueError(f"solver='lbfgs' needs dropout=0, got {config.dropout}. Use adam, sgd or rmsprop.")
