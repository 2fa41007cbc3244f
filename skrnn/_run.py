"""From an estimator's parameters to a training, and back with its result or with what went wrong."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from ._parallel.blas import allowed_threads, guarded
from ._parallel.sharding import sharded_loss_gradient
from .core.lbfgs import train_lbfgs
from .core.network import Network
from .core.optimizers import SGD, Adam, Optimizer, RMSprop
from .core.token_network import TokenNetwork
from .core.training import NonFiniteLossError, TrainingMonitor, TrainingPlan, TrainingState, train
from .core.training_sets import TrainingData, TrainingSet

Report = Callable[[TrainingMonitor], None] | None


def begin_or_continue(
    estimator: BaseEstimator, network: Network | TokenNetwork, dtype: np.dtype, is_continuing: bool
) -> TrainingState:
    """State of the training of `network`: fresh, or a copy of the estimator's own."""
    if not is_continuing:
        return begin_training(estimator, network, dtype)
    if network.layout.shapes != estimator._network.layout.shapes:
        raise ValueError(
            "The parameters that shape the network (cell, hidden_size, n_layers ...) cannot change while training goes "
            "on. Set them back, or fit anew with warm_start=False."
        )
    return continue_training(estimator, estimator._training)


def begin_training(estimator: BaseEstimator, network: Network | TokenNetwork, dtype: np.dtype) -> TrainingState:
    """State before the first epoch, drawn from the estimator's `random_state`; nothing depends on the data's size."""
    seed = check_random_state(estimator.random_state).randint(np.iinfo(np.int32).max)
    rng = np.random.default_rng(seed)
    params = guarded(network.initialize, rng, dtype)  # a QR decomposition on two threads may take 370 times longer
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


def resolve_batch_size(estimator: BaseEstimator, data: TrainingData) -> int:
    """Number of sequences a batch; warns where more are asked for than there are."""
    if estimator.solver == "lbfgs":
        return len(data)
    n = data.max_batch_size
    if estimator.batch_size == "auto":
        return data.auto_batch_size
    if estimator.batch_size > n and isinstance(data, TrainingSet):  # lanes are only a limit
        warnings.warn(
            f"batch_size={estimator.batch_size} is more than the {n} training sequences; {n} is used.", stacklevel=4
        )
    return min(int(estimator.batch_size), n)


def run_training(
    estimator: BaseEstimator,
    network: Network | TokenNetwork,
    state: TrainingState,
    data: TrainingData,
    validate: Callable[[np.ndarray], float] | None = None,
    max_iter: int | None = None,
) -> tuple[np.ndarray, str | None]:
    """Train as the estimator's parameters say.

    Parameters
    ----------
    estimator : estimator
        Its parameters are read.
    network : Network or TokenNetwork
        What is trained.
    state : TrainingState
        Updated in place.
    data : TrainingData
        What it learns from.
    validate : callable, optional
        ``validate(params) -> score``, higher is better.
    max_iter : int, optional
        Instead of the estimator's: a `partial_fit`, which stops for no plateau and keeps nothing if it breaks off.

    Returns
    -------
    params : ndarray of shape (n_params,)
        The parameters to predict with: the last ones; with validation, or where training broke off, the best.
    problem : str or None
        What the user should be warned of.

    Raises
    ------
    ValueError
        If the loss stopped being finite, and there are no parameters to keep.
    """
    monitor = state.monitor
    monitor.watch(("validation", estimator.scoring) if validate else None)
    batch_size = resolve_batch_size(estimator, data)
    if batch_size >= len(data):
        data = data.canonical()
    n_threads = allowed_threads(estimator.n_jobs)

    def solve() -> str | None:
        with _reporting(estimator, monitor, max_iter) as report:
            if estimator.solver == "lbfgs":
                return _run_lbfgs(estimator, network, state, data, n_threads, report)
            return _run_stochastic(estimator, network, state, data, batch_size, n_threads, validate, max_iter, report)

    try:
        problem = guarded(solve)
    except NonFiniteLossError as error:
        advice = "Use solver='adam'" if estimator.solver == "lbfgs" else "Lower learning_rate_init or max_grad_norm"
        advice += ", or scale X, for example with skrnn's SequenceScaler." if isinstance(data, TrainingSet) else "."
        if monitor.best_params is None:
            raise ValueError(f"{error} {advice} No epoch was complete, so there are no parameters to keep.") from error
        if max_iter:
            raise ValueError(f"{error} {advice} The parameters were left as they were.") from error
        return _best_so_far(estimator, state), f"{error} {advice} {_kept(monitor)}"
    except KeyboardInterrupt:
        if monitor.best_params is None or max_iter:
            raise
        return _best_so_far(estimator, state), f"Training was interrupted. {_kept(monitor)}"
    if validate and monitor.best_params is not None:
        return monitor.best_params, problem
    return state.params, None if max_iter else problem


def _kept(monitor: TrainingMonitor) -> str:
    return f"The best parameters so far (epoch {monitor.best_epoch}) were kept."


def _best_so_far(estimator: BaseEstimator, state: TrainingState) -> np.ndarray:
    """The best parameters, from which training can go on, too: `state` is put back to them."""
    assert state.monitor.best_params is not None
    state.params[:] = state.monitor.best_params
    state.optimizer_state = build_optimizer(estimator).init(state.params)
    state.monitor.n_without_improvement = 0
    return state.params


def _run_stochastic(
    estimator: BaseEstimator,
    network: Network | TokenNetwork,
    state: TrainingState,
    data: TrainingData,
    batch_size: int,
    n_threads: int,
    validate: Callable[[np.ndarray], float] | None,
    max_iter: int | None,
    report: Report,
) -> str | None:
    """Train epoch by epoch; returns what to warn of."""
    is_endless = max_iter is not None and estimator.learning_rate == "cosine"  # partial_fit knows no last epoch
    plan = TrainingPlan(
        build_optimizer(estimator),
        "constant" if is_endless else estimator.learning_rate,
        estimator.learning_rate_init,
        max_iter or estimator.max_iter,
        estimator.max_iter,
        batch_size,
        estimator.shuffle,
        estimator.alpha,
        estimator.max_grad_norm,
    )
    with sharded_loss_gradient(network, state.params.dtype, n_threads) as loss_gradient:
        has_converged = train(network, state, data, plan, loss_gradient, validate, report)
    if has_converged or estimator.learning_rate == "cosine":  # whose rate has come to its planned end
        return None
    return (
        f"{type(estimator).__name__} stopped after max_iter={estimator.max_iter} epochs, before its score had stopped "
        f"improving by tol={estimator.tol:g}. Raise max_iter or learning_rate_init, or ignore this warning if the "
        "predictions are good enough."
    )


def _run_lbfgs(
    estimator: BaseEstimator,
    network: Network | TokenNetwork,
    state: TrainingState,
    data: TrainingData,
    n_threads: int,
    report: Report,
) -> str | None:
    """Minimise in float64, whose line searches float32 would upset; returns what to warn of."""
    params = state.params.astype(np.float64)
    first_epoch = state.monitor.n_epochs
    try:
        with sharded_loss_gradient(network, params.dtype, n_threads) as loss_gradient:
            message = train_lbfgs(
                network,
                params,
                data.astype(np.float64),
                estimator.alpha,
                estimator.max_iter,
                state.monitor,
                loss_gradient,
                report,
            )
    finally:
        state.params[:] = params
    if message is None:
        return None
    if state.monitor.n_epochs - first_epoch >= estimator.max_iter:
        return (
            f"{type(estimator).__name__} stopped after max_iter={estimator.max_iter} iterations of L-BFGS, before the "
            f"gradient was below tol={estimator.tol:g}. Raise max_iter, or ignore this warning if the predictions are "
            "good enough."
        )
    return (
        f"L-BFGS stopped after {state.monitor.n_epochs - first_epoch} iterations, before the gradient was below "
        f"tol={estimator.tol:g}: {message}. Raise tol or alpha, or ignore this warning if the predictions are good "
        "enough."
    )


def warn_of(problem: str | None, category: type[Warning] = ConvergenceWarning) -> None:
    """Warn of a problem that training had, from the line that called the estimator's method."""
    if problem:
        warnings.warn(problem, category, stacklevel=3)


@contextmanager
def _reporting(estimator: BaseEstimator, monitor: TrainingMonitor, max_iter: int | None) -> Iterator[Report]:
    """What prints the progress of a training, if the estimator is verbose."""
    if not estimator.verbose:
        yield None
        return
    line = ProgressLine(monitor.n_epochs + (max_iter or estimator.max_iter), estimator.verbose)
    try:
        yield line
    finally:
        line.close()


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
