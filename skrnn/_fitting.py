"""From an estimator's parameters to a training, and back with its result or with what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from ._config import FitConfig
from ._fitted import ResumePoint
from ._hold_out import Validation, checked_score, scorer_digest
from ._parallel.blas import allowed_threads, guarded
from ._parallel.sharding import sharded_loss_gradient
from ._progress import reporting
from ._warnings import warn_caller
from .core.data.dataset import Dataset
from .core.data.samplers import Sampler
from .core.model.losses import CrossEntropy
from .core.model.network import Network
from .core.training.lbfgs import train_lbfgs
from .core.training.loop import NonFiniteLossError, TrainingPlan, TrainingState, train
from .core.training.monitor import Observer, TrainingMonitor
from .core.training.optimizers import SGD, Adam, Optimizer, RMSprop

MAX_PENALTY = 1e15
"""Largest strength of the penalty, the weights' sum taken into account; its squares still fit into float32."""


class Trained(NamedTuple):
    """What came of a training."""

    params: np.ndarray
    """To predict with (n_params,): the last ones; with validation, or where training broke off, the best."""
    problem: str | None
    """What the user should be warned of."""
    is_broken_off: bool
    """Whether it ended in the middle of an epoch: by Ctrl-C, or since the loss stopped being finite."""


def begin_training(config: FitConfig, network: Network, dtype: np.dtype) -> TrainingState:
    """State before the first epoch, drawn from `random_state`; nothing depends on the data's size."""
    seed = check_random_state(config.random_state).randint(np.iinfo(np.int32).max)
    rng = np.random.default_rng(seed)
    params = guarded(network.initialize, rng, dtype)  # a QR decomposition on two threads may take 370 times longer
    monitor = TrainingMonitor(config.tol, config.n_iter_no_change)
    optimizer_state = build_optimizer(config).init(params)
    return TrainingState(params, optimizer_state, monitor, rng, int(rng.integers(2**31)), config.lasting)


def continue_training(config: FitConfig, state: TrainingState) -> TrainingState:
    """Copy `state` to continue with, so that a failure leaves the estimator as it was; patience as it is set now."""
    for name, value in config.lasting.items():
        if value != state.lasting.get(name, value):
            raise ValueError(
                f"{name} cannot change while training continues: it is {value!r}, but was {state.lasting[name]!r} when "
                f"training began. Set it back, or fit anew {'a clone' if config.resume else 'with warm_start=False'}."
            )
    state = deepcopy(state)
    state.monitor = replace(state.monitor, tol=config.tol, n_iter_no_change=config.n_iter_no_change)
    if set(state.optimizer_state.moments) != set(build_optimizer(config).init(state.params[:0]).moments):
        state.optimizer_state = build_optimizer(config).init(state.params)
    return state


def build_optimizer(config: FitConfig) -> Optimizer:
    """The optimizer that the parameters describe (Adam's, unused, for L-BFGS)."""
    if config.solver == "sgd":
        return SGD(config.momentum, config.nesterovs_momentum)
    if config.solver == "rmsprop":
        return RMSprop(epsilon=config.epsilon)
    return Adam(config.beta_1, config.beta_2, config.epsilon)


def resolve_batch_size(config: FitConfig, data: Dataset, sampler: Sampler) -> int:
    """Number of sequences a batch; warns where more are asked for than there are."""
    if config.solver == "lbfgs":
        return len(data)
    n = sampler.max_batch_size(data)
    if isinstance(config.batch_size, str):
        return sampler.auto_batch_size(data)
    if config.batch_size > n and not sampler.cuts_sequences:  # whose columns are only a limit
        warn_caller(f"batch_size={config.batch_size} is more than the {n} training sequences; {n} is used.")
    return min(config.batch_size, n)


def run_training(
    config: FitConfig,
    network: Network,
    state: TrainingState,
    data: Dataset,
    sampler: Sampler,
    validation: Validation | None = None,
    observer: Observer | None = None,
) -> Trained:
    """Train as the parameters of an estimator say.

    Parameters
    ----------
    config : FitConfig
        The parameters.
    network : Network
        What is trained.
    state : TrainingState
        Updated in place.
    data : Dataset
        What it learns from.
    sampler : Sampler
        How that becomes batches.
    validation : Validation, optional
        What is held out, and the score on it.
    observer : Observer, optional
        Told of each epoch.

    Returns
    -------
    trained : Trained
        What to predict with, and what to tell the user.

    Raises
    ------
    ValueError
        If the loss stopped being finite, and there are no parameters to keep; if a scorer returned no finite number; if
        the weights are too small for the penalty.
    """
    _check_penalty(config, data)
    monitor, criterion = state.monitor, criterion_of(config, network, validation)
    digest = "" if config.is_partial else data.digest()
    if config.resume:
        _check_resumes(config, config.resume, monitor, data, digest, criterion)
    monitor.watch(criterion, digest)
    batch_size = resolve_batch_size(config, data, sampler)
    if batch_size >= len(data):
        data = data.canonical()
    n_threads = allowed_threads(config.n_jobs)  # before the guard leaves BLAS one thread

    def solve() -> str | None:
        in_units = network.loss.in_units, score_in_units(config, network)
        with reporting(monitor.n_epochs + config.n_epochs, config.verbose, *in_units) as report:
            observers = [report, observer or Observer()]
            if config.solver == "lbfgs":
                return _run_lbfgs(config, network, state, data, n_threads, observers)
            plan = _make_plan(config, sampler, batch_size)
            return _run_stochastic(config, network, state, data, plan, n_threads, validation, observers)

    is_broken_off = False
    try:
        problem = guarded(solve)
    except NonFiniteLossError as error:
        message = f"{error} {_advice(config, data)}"
        if monitor.best_params is None:
            raise ValueError(f"{message} No epoch was complete, so there are no parameters to keep.") from error
        if config.is_partial:
            raise ValueError(f"{message} The parameters were left as they were.") from error
        is_broken_off, problem = True, f"{message} {_put_back(config, state, monitor.best_params)}"
    except KeyboardInterrupt:
        if monitor.best_params is None or config.is_partial:
            raise
        is_broken_off = True
        problem = f"Training was interrupted. {_put_back(config, state, monitor.best_params)}"
    monitor.criterion = criterion_of(config, network, validation)  # a scorer may count its calls
    return Trained(params_to_keep(config, state), None if config.is_partial else problem, is_broken_off)


def params_to_keep(config: FitConfig, state: TrainingState) -> np.ndarray:
    """Return the parameters (n_params,) of a fit that ends here: the last ones, or with validation the best."""
    best = state.monitor.best_params
    return best if config.early_stopping and best is not None else state.params


def score_in_units(config: FitConfig, network: Network) -> Callable[[float], float]:
    """Return what turns a validation score into the units of y: minus a loss has some, a scorer gives its own."""
    in_units = network.loss.in_units
    return (lambda score: -in_units(-score)) if config.scoring == "loss" else float


def _check_penalty(config: FitConfig, data: Dataset) -> None:
    """Raise where the loss would be lost beside the penalty."""
    if config.alpha > MAX_PENALTY * data.total_weight:
        raise ValueError(
            f"alpha={config.alpha:g} is too much beside the sum of the weights: the penalty would be all that counts. "
            "Lower alpha, or multiply all weights by one large number."
        )


def _check_resumes(
    config: FitConfig, resume: ResumePoint, monitor: TrainingMonitor, data: Dataset, digest: str, criterion: str
) -> None:
    """Raise unless a fit continues from a checkpoint as it would have without one."""
    if config.solver == "lbfgs":
        raise ValueError("solver='lbfgs' cannot continue from a checkpoint. Set the solver back, or fit a clone anew.")
    if digest != monitor.data:
        n_sequences, n_steps = sizes = len(data), int(data.sequences.lengths.sum())
        got = "others" if sizes == (resume.n_sequences, resume.n_steps) else f"{n_sequences} of {n_steps} steps"
        raise ValueError(
            f"A fit continues from a checkpoint with the X, y and weights that it began with: {resume.n_sequences} "
            f"training sequences of {resume.n_steps} steps in all, got {got}. Pass those, or fit a clone anew."
        )
    if criterion != monitor.criterion:
        raise ValueError(
            "A fit continues from a checkpoint with the validation sequences and the objective that it began with, but "
            "X_val, y_val or their weights, or early_stopping, scoring, validation_fraction, alpha, dropout, "
            f"bptt_steps or class_weight changed: it watched the {monitor.criterion}, now the {criterion}. Set them "
            "back, or fit a clone anew."
        )


def _advice(config: FitConfig, data: Dataset) -> str:
    """What to do about a loss that is not finite."""
    advice = "Use solver='adam'" if config.solver == "lbfgs" else "Lower learning_rate_init or max_grad_norm"
    return advice + (", or scale X, for example with skrnn's SequenceScaler." if data.sequences.has_features else ".")


def criterion_of(config: FitConfig, network: Network, validation: Validation | None) -> str:
    """Return what is watched: scores can be compared where it is equal. Files hold it, so no class is named."""
    if validation is None:
        options = f"alpha={config.alpha!r}, dropout={config.dropout!r}, bptt_steps={config.bptt_steps}"
        weights = network.loss.class_weights if isinstance(network.loss, CrossEntropy) else ()
        return f"training loss, {options}" + (f", class_weights={weights}" if weights else "")
    return f"validation score, scoring={scorer_digest(config.scoring)}, data={validation.data}"


def _put_back(config: FitConfig, state: TrainingState, best: np.ndarray) -> str:
    """Put `state` back to the best parameters, from which training can continue, too; return what to tell of it."""
    state.params[:] = best
    state.optimizer_state = build_optimizer(config).init(state.params)
    state.monitor.n_without_improvement = 0
    return f"The best parameters so far (epoch {state.monitor.best_epoch}) were kept."


def _make_plan(config: FitConfig, sampler: Sampler, batch_size: int) -> TrainingPlan:
    """Return how to train epoch by epoch."""
    is_endless = config.is_partial and config.learning_rate == "cosine"  # partial_fit knows no last epoch
    return TrainingPlan(
        optimizer=build_optimizer(config),
        learning_rate="constant" if is_endless else config.learning_rate,
        learning_rate_init=config.learning_rate_init,
        max_iter=config.n_epochs,
        schedule_length=config.max_iter,
        warms_up=config.warms_up,
        sampler=sampler,
        batch_size=batch_size,
        shuffle=config.shuffle,
        alpha=config.alpha,
        max_grad_norm=config.max_grad_norm,
    )


def _run_stochastic(
    config: FitConfig,
    network: Network,
    state: TrainingState,
    data: Dataset,
    plan: TrainingPlan,
    n_threads: int,
    validation: Validation | None,
    observers: Sequence[Observer],
) -> str | None:
    """Train epoch by epoch; returns what to warn of."""
    validate = _scored(config, state.monitor, validation)
    loss_gradient = sharded_loss_gradient(network, state.params.dtype, n_threads)
    has_converged = bool(config.resume and config.resume.has_converged)
    has_converged |= train(network, state, data, plan, loss_gradient, validate, observers)
    if has_converged or config.learning_rate == "cosine":  # whose rate has come to its planned end
        return None
    return (
        f"{config.estimator_name} stopped after max_iter={config.max_iter} epochs, before its "
        f"{'loss' if validation is None else 'score'} had stopped improving by tol={config.tol:g}. Raise max_iter or "
        "learning_rate_init, use learning_rate='cosine', or ignore this warning if the predictions are good enough."
    )


def _scored(
    config: FitConfig, monitor: TrainingMonitor, validation: Validation | None
) -> Callable[[np.ndarray], float] | None:
    """Return the score of parameters, held against what a scorer may return; None without validation."""
    if validation is None:
        return None
    score = validation.score
    if config.scoring == "loss":
        return score
    return lambda params: checked_score(score(params), config.scoring, monitor.n_epochs + 1)


class _Rounding(Observer):
    """Takes the parameters that L-BFGS has found over into the state, in the dtype that this has."""

    def __init__(self, state: TrainingState, params: np.ndarray) -> None:
        self._state, self._params = state, params

    def end_epoch(self, monitor: TrainingMonitor, has_converged: bool) -> bool:
        self._state.params[:] = self._params
        return False


def _run_lbfgs(
    config: FitConfig,
    network: Network,
    state: TrainingState,
    data: Dataset,
    n_threads: int,
    observers: Sequence[Observer],
) -> str | None:
    """Minimise in float64, whose line searches float32 would upset; returns what to warn of."""
    params = state.params.astype(np.float64)
    first_epoch = state.monitor.n_epochs
    try:
        loss_gradient = sharded_loss_gradient(network, params.dtype, n_threads)
        message = train_lbfgs(
            network,
            params,
            data.astype(np.float64),
            config.alpha,
            config.max_iter,
            state.monitor,
            loss_gradient,
            [_Rounding(state, params), *observers],
        )
    finally:
        state.params[:] = params
    if message is None:
        return None
    if state.monitor.n_epochs - first_epoch >= config.max_iter:
        return (
            f"{config.estimator_name} stopped after max_iter={config.max_iter} iterations of L-BFGS, before the "
            f"gradient was below tol={config.tol:g}. Raise max_iter, or ignore this warning if the predictions are "
            "good enough."
        )
    return (
        f"L-BFGS stopped after {state.monitor.n_epochs - first_epoch} iterations, before the gradient was below "
        f"tol={config.tol:g}: {message}. Raise tol or alpha, or ignore this warning if the predictions are good "
        "enough."
    )
