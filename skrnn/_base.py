"""What the estimators share: parameters, weights, and the way from them to a training and back."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions  # private, but in place since 1.2: docs/design.md

from ._threads import allowed_threads, n_shards, sharded_loss_gradient, single_threaded_blas
from .core.cells import CELLS
from .core.lbfgs import train_lbfgs
from .core.network import Network
from .core.optimizers import SGD, Adam, Optimizer, RMSprop
from .core.training import NonFiniteLossError, TrainingMonitor, TrainingPlan, TrainingState, train
from .core.training_sets import TrainingData

TRAINING_CONSTRAINTS: dict[str, list[Any]] = {
    "cell": [StrOptions(set(CELLS))],
    "hidden_size": [Interval(Integral, 1, None, closed="left")],
    "n_layers": [Interval(Integral, 1, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "solver": [StrOptions({"adam", "sgd", "rmsprop", "lbfgs"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "adaptive", "cosine"})],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
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
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "n_jobs": [Integral, None],
}
"""Constraints of the parameters that every recurrent estimator has, in the form of scikit-learn's validation."""


def begin_training(estimator: BaseEstimator, network: Network, dtype: np.dtype) -> TrainingState:
    """State before the first epoch, drawn from the estimator's `random_state`; nothing depends on the data's size."""
    seed = check_random_state(estimator.random_state).randint(np.iinfo(np.int32).max)
    rng = np.random.default_rng(seed)
    params = network.initialize(rng, dtype)
    monitor = TrainingMonitor(estimator.tol, estimator.n_iter_no_change)
    return TrainingState(params, build_optimizer(estimator).init(params), monitor, rng, int(rng.integers(2**31)))


def continue_training(estimator: BaseEstimator, state: TrainingState) -> TrainingState:
    """A copy of `state` to go on with, so that a failure leaves the estimator as it was; patience as it is set now."""
    state = deepcopy(state)
    state.monitor = replace(state.monitor, tol=estimator.tol, n_iter_no_change=estimator.n_iter_no_change)
    if set(state.optimizer_state.moments) != set(build_optimizer(estimator).init(state.params[:0]).moments):
        state.optimizer_state = build_optimizer(estimator).init(state.params)
    return state


def build_optimizer(estimator: BaseEstimator) -> Optimizer:
    """The optimizer that the parameters of `estimator` describe (Adam's, unused, for L-BFGS)."""
    if estimator.solver == "sgd":
        return SGD(estimator.momentum, estimator.nesterovs_momentum)
    if estimator.solver == "rmsprop":
        return RMSprop(epsilon=estimator.epsilon)
    return Adam(estimator.beta_1, estimator.beta_2, estimator.epsilon)


def resolve_batch_size(batch_size: int | str, n: int) -> int:
    """Number of sequences a batch, of `n`; warns where more are asked for than there are."""
    if isinstance(batch_size, str):  # "auto"
        return min(200, n)
    if batch_size > n:
        warnings.warn(f"batch_size={batch_size} is more than the {n} training sequences; {n} is used.", stacklevel=4)
    return min(int(batch_size), n)


def check_sample_weight(sample_weight: Any, n: int, name: str = "sample_weight") -> np.ndarray:
    """Weights (n,), float64; ones for None. Raises where one is negative or not finite, or all are zero."""
    if sample_weight is None:
        return np.ones(n)
    weights = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name=name)
    if weights.ndim != 1:
        raise ValueError(f"{name} has {weights.ndim} dimensions. Pass one weight for each sequence, shape ({n},).")
    if len(weights) != n:
        raise ValueError(f"{name} has {len(weights)} entries, but X has {n} sequences. Pass one weight for each.")
    if (weights < 0).any():
        where = int(np.argmax(weights < 0))
        raise ValueError(f"Negative values in {name}: {name}[{where}] is {weights[where]:g}. Weights must be >= 0.")
    if not weights.any():
        raise ValueError(f"All weights in {name} are zero. {name} must contain at least one non-zero number.")
    return weights


@contextmanager
def unchanged_on_error(estimator: BaseEstimator) -> Iterator[None]:
    """Give the estimator its attributes back if the block raises."""
    attributes = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(attributes)
        raise


def run_training(
    estimator: BaseEstimator,
    network: Network,
    state: TrainingState,
    data: TrainingData,
    validate: Callable[[np.ndarray], float] | None = None,
    max_iter: int | None = None,
) -> tuple[np.ndarray, str | None]:
    """Train as the estimator's parameters say; updates `state`.

    Parameters
    ----------
    estimator : estimator
        Its parameters are read.
    network : Network
        What is trained.
    state : TrainingState
        Updated in place.
    data : TrainingData
        What it learns from.
    validate : callable, optional
        ``validate(params) -> score``, higher is better.
    max_iter : int, optional
        Instead of the estimator's.

    Returns
    -------
    params : ndarray of shape (n_params,)
        The parameters to predict with: the last ones; with validation, or where training broke off, the best.
    problem : str or None
        What the user should be warned of.

    Raises
    ------
    ValueError
        If the loss stopped being finite before any epoch was complete.
    """
    monitor = state.monitor
    batch_size = resolve_batch_size(estimator.batch_size, len(data))
    if batch_size >= len(data):
        data = data.canonical()
        batch_size = len(data)
    shards = n_shards(allowed_threads(estimator.n_jobs), network.stack.cell.hidden_size, batch_size)
    is_best = validate is not None
    problem = None
    report = ProgressLine(max_iter or estimator.max_iter, estimator.verbose) if estimator.verbose else None
    try:
        with (
            single_threaded_blas(),
            np.errstate(over="ignore", invalid="ignore", divide="ignore"),  # a loss that is not finite is reported
        ):
            if estimator.solver == "lbfgs":
                has_converged = _run_lbfgs(estimator, network, state, data, shards, report)
            else:
                plan = TrainingPlan(
                    build_optimizer(estimator),
                    estimator.learning_rate,
                    estimator.learning_rate_init,
                    max_iter or estimator.max_iter,
                    batch_size,
                    estimator.shuffle,
                    estimator.alpha,
                    estimator.max_grad_norm,
                )
                with sharded_loss_gradient(network, state.params.dtype, shards) as loss_gradient:
                    has_converged = train(network, state, data, plan, loss_gradient, validate, report)
        if not has_converged and max_iter is None:
            problem = (
                f"{type(estimator).__name__} stopped after max_iter={estimator.max_iter} epochs, before its score had "
                f"stopped improving by tol={estimator.tol:g}. Raise max_iter or learning_rate_init, or ignore this "
                "warning if the predictions are good enough."
            )
    except NonFiniteLossError as error:
        advice = "Lower learning_rate_init or max_grad_norm, or scale X, for example with skrnn's SequenceScaler."
        if monitor.best_params is None:
            raise ValueError(f"{error} {advice} No epoch was complete, so there are no parameters to keep.") from error
        problem = f"{error} {advice} The best parameters so far (epoch {monitor.best_epoch}) were kept."
        is_best = True
    except KeyboardInterrupt:
        if monitor.best_params is None:
            raise
        problem = f"Training was interrupted. The best parameters so far (epoch {monitor.best_epoch}) were kept."
        is_best = True
    finally:
        if report:
            report.close()
    best = monitor.best_params
    return (best if is_best and best is not None else state.params), problem


def _run_lbfgs(
    estimator: BaseEstimator,
    network: Network,
    state: TrainingState,
    data: TrainingData,
    shards: int,
    report: Callable[[TrainingMonitor], None] | None,
) -> bool:
    """Minimise in float64, whose line searches float32 would upset; the result has the dtype of `state.params`."""
    params = state.params.astype(np.float64)
    sequences = replace(data.sequences, steps=data.sequences.steps.astype(np.float64, copy=False))
    data = replace(data, sequences=sequences, weights=data.weights.astype(np.float64, copy=False))
    with sharded_loss_gradient(network, params.dtype, shards) as loss_gradient:
        has_converged = train_lbfgs(
            network, params, data, estimator.alpha, estimator.max_iter, state.monitor, loss_gradient, report
        )
    state.params[:] = params
    return has_converged


def warn_of(problem: str | None, category: type[Warning] = ConvergenceWarning) -> None:
    """Warn of a problem that training had, from the line that called the estimator's method."""
    if problem:
        warnings.warn(problem, category, stacklevel=3)


class ProgressLine:
    """What `verbose` prints: on a terminal one line that is written over, elsewhere a line now and then.

    Parameters
    ----------
    max_iter : int
        Number of epochs at most.
    verbose : int
        1 for a line every few seconds, 2 and above for one each epoch.
    """

    SECONDS_BETWEEN_LINES = 5.0

    def __init__(self, max_iter: int, verbose: int) -> None:
        self._max_iter = max_iter
        self._every_epoch = int(verbose) > 1
        self._start = time.monotonic()
        self._last_line = -np.inf
        self._pending = ""

    def __call__(self, monitor: TrainingMonitor) -> None:
        """Say where training is, if it is time to."""
        now = time.monotonic() - self._start
        self._pending = f"epoch {monitor.n_epochs:4d} of at most {self._max_iter}  loss {monitor.loss_curve[-1]:.4f}"
        if monitor.validation_scores:
            self._pending += f"  validation score {monitor.validation_scores[-1]:.4f}"
        self._pending += f"  {now:.0f} s"
        if self._every_epoch or (not sys.stdout.isatty() and now - self._last_line >= self.SECONDS_BETWEEN_LINES):
            print(self._pending, flush=True)
            self._last_line, self._pending = now, ""
        elif sys.stdout.isatty():
            print("\r" + self._pending, end="", flush=True)

    def close(self) -> None:
        """Print the last state, if it has not been."""
        if self._pending:
            print(("\r" if sys.stdout.isatty() else "") + self._pending, flush=True)
