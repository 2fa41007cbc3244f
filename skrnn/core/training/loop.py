"""The one training loop, and the monitor that watches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any

import numpy as np

from ..arrays import Floats
from ..data.batch import SequenceBatch
from ..data.dataset import Dataset
from ..data.samplers import Sampler
from ..model.network import Network
from ..model.state import State
from .monitor import Observer, TrainingMonitor, end_epoch
from .optimizers import Optimizer, OptimizerState, clip_by_global_norm
from .schedules import ADAPTIVE_FACTOR, MIN_ADAPTIVE_RATE, learning_rate_at

LossGradient = Callable[[Floats, SequenceBatch, State | None, Floats], tuple[float, State | None]]
"""``loss_gradient(params, batch, state, out) -> (loss, state)``, which adds the gradient to ``out``."""


@dataclass
class TrainingState:
    """Where a training stands: all that is needed to continue it.

    Attributes
    ----------
    params : ndarray of shape (n_params,)
        As the last epoch left them; the estimator may predict with better ones.
    optimizer_state : OptimizerState
        Moments.
    monitor : TrainingMonitor
        History and patience.
    rng : numpy.random.Generator
        Source of batches and dropout masks.
    split_seed : int
        Seed of the validation split, so that continuing holds out the same sequences.
    lasting : dict of str to object
        What cannot change while training continues, by name.
    """

    params: Floats
    optimizer_state: OptimizerState
    monitor: TrainingMonitor
    rng: np.random.Generator
    split_seed: int
    lasting: dict[str, object] = field(default_factory=dict)


class NonFiniteLossError(ArithmeticError):
    """The loss or its gradient stopped being finite.

    Parameters
    ----------
    epoch, batch : int
        Where, both counted from 1.
    loss, norm : float
        The loss, and the norm of its gradient.

    Examples
    --------
    >>> raise NonFiniteLossError(epoch=3, batch=12, loss=float("nan"), norm=float("nan"))
    Traceback (most recent call last):
        ...
    skrnn.core.training.loop.NonFiniteLossError: The loss became nan in epoch 3, batch 12 (gradient norm nan).
    """

    def __init__(self, epoch: int, batch: int, loss: float, norm: float) -> None:
        what = f"The gradient of the loss {loss:.3g} is not finite" if isfinite(loss) else f"The loss became {loss}"
        super().__init__(f"{what} in epoch {epoch}, batch {batch} (gradient norm {norm:.1e}).")
        self.epoch, self.batch, self.loss, self.norm = epoch, batch, loss, norm


@dataclass(frozen=True)
class TrainingPlan:
    """How to train: what `train` reads of an estimator's parameters.

    Parameters
    ----------
    optimizer : Optimizer
        Takes the steps.
    learning_rate : {"constant", "adaptive", "cosine"}
        See `learning_rate_at`.
    learning_rate_init : float
        Rate of the first epoch.
    max_iter : int
        Largest number of epochs.
    schedule_length : int
        Number of epochs that the learning rate's schedule covers.
    sampler : Sampler
        Makes the batches.
    batch_size : int
        Columns of a batch; at least as many as there are sequences: full batch.
    shuffle : bool
        Whether sequences are shuffled in each epoch.
    alpha : float
        Strength of the L2 penalty ``alpha / 2 * ||W||^2 / sum(weights)``; biases are free.
    max_grad_norm : float or None
        Longest gradient; None never clips.
    warms_up : bool, default=False
        Whether the rate rises from batch to batch during the first epoch, in proportion to what was read.
    """

    optimizer: Optimizer
    learning_rate: str
    learning_rate_init: float
    max_iter: int
    schedule_length: int
    sampler: Sampler
    batch_size: int
    shuffle: bool
    alpha: float
    max_grad_norm: float | None
    warms_up: bool = False


def train(
    network: Network,
    state: TrainingState,
    data: Dataset[Any],
    plan: TrainingPlan,
    loss_gradient: LossGradient,
    validate: Callable[[Floats], float] | None = None,
    observers: Sequence[Observer] = (),
) -> bool:
    """Train until the score stops improving, an observer ends it, or `plan.max_iter` epochs have passed.

    Parameters
    ----------
    network : Network
        What is trained.
    state : TrainingState
        Updated in place; one that has seen epochs continues.
    data : Dataset
        What it learns from.
    plan : TrainingPlan
        How.
    loss_gradient : callable
        ``loss_gradient(params, batch, state, out) -> (loss, state)``.
    validate : callable, optional
        ``validate(params) -> score``, higher is better, called after each epoch.
    observers : sequence of Observer, default=()
        Told of each epoch.

    Returns
    -------
    has_converged : bool
        False where `plan.max_iter` ended it.

    Raises
    ------
    NonFiniteLossError
        If a batch's loss or gradient, or a parameter after an epoch, is NaN or infinite.

    Examples
    --------
    Two sequences, which end in two classes:

    >>> import numpy as np
    >>> from skrnn.core.data.sequences import PackedSequences
    >>> from skrnn.core.model.network import Network
    >>> from skrnn.core.data.dataset import Dataset
    >>> from skrnn.core.workspace import Workspace
    >>> network = Network.build("tanh", n_inputs=1, hidden_size=4, n_classes=2)
    >>> sequences = PackedSequences.from_arrays([np.ones((3, 1)), -np.ones((2, 1))], np.float64)
    >>> data = Dataset(sequences, targets=np.array([0, 1]), weights=np.ones(2))
    >>> params = network.initialize(np.random.default_rng(0))
    >>> def loss_gradient(params, batch, state, out):
    ...     return network.loss_gradient(params, batch, state, Workspace(np.float64), out)
    >>> from skrnn.core.training.optimizers import Adam
    >>> optimizer = Adam()
    >>> state = TrainingState(params, optimizer.init(params), TrainingMonitor(1e-4, 30), np.random.default_rng(1), 0)
    >>> from skrnn.core.data.samplers import Minibatches
    >>> plan = TrainingPlan(optimizer, "constant", 0.05, 30, 30, Minibatches(), 2, True, alpha=0, max_grad_norm=1.0)
    >>> train(network, state, data, plan, loss_gradient)
    False
    >>> state.monitor.loss_curve[-1] < 0.1 < state.monitor.loss_curve[0]
    True
    """
    params, monitor = state.params, state.monitor
    gradient = np.empty_like(params)
    for _ in range(plan.max_iter):
        for observer in observers:
            observer.begin_epoch()
        rate = learning_rate_at(
            plan.learning_rate,
            plan.learning_rate_init,
            monitor.n_epochs - monitor.first_epoch,
            plan.schedule_length,
            monitor.n_plateaus,
        )
        measured = params if validate else params.copy()  # the training loss is that of the parameters before
        loss = _train_epoch(network, state, data, plan, rate, loss_gradient, gradient)
        at_plateau = monitor.end_epoch(measured, loss, validate(params) if validate else None)
        has_converged = at_plateau and not _lower_rate(plan, monitor, rate)
        if end_epoch(observers, monitor, has_converged) or has_converged:
            return True
    return False


def _lower_rate(plan: TrainingPlan, monitor: TrainingMonitor, rate: float) -> bool:
    """Continue from a plateau with the next lower rate, if the rate is adaptive; return whether it continues."""
    if plan.learning_rate != "adaptive" or rate / ADAPTIVE_FACTOR < MIN_ADAPTIVE_RATE:
        return False
    monitor.n_plateaus += 1
    monitor.n_without_improvement = 0
    return True


def _train_epoch(
    network: Network,
    state: TrainingState,
    data: Dataset[Any],
    plan: TrainingPlan,
    rate: float,
    loss_gradient: LossGradient,
    gradient: Floats,
) -> float:
    """Update `state` after each batch of an epoch: the mean loss; `gradient` is overwritten."""
    params, epoch, loss, carried = state.params, state.monitor.n_epochs + 1, 0.0, None
    warmth = 0.0 if plan.warms_up and epoch == 1 else 1.0
    batches = plan.sampler.batches(data, network.batcher, plan.batch_size, state.rng, params.dtype, plan.shuffle)
    for number, (batch, share) in enumerate(batches, start=1):
        before = network.stack.state_before(batch, carried, params.dtype)
        batch_loss, carried = penalized_loss_gradient(
            network, params, batch, before, data, plan.alpha, loss_gradient, gradient
        )
        norm = clip_by_global_norm(gradient, plan.max_grad_norm)
        if not (isfinite(batch_loss) and isfinite(norm)):
            raise NonFiniteLossError(epoch, number, batch_loss, norm)
        warmth = min(1.0, warmth + share)
        plan.optimizer.update(params, gradient, state.optimizer_state, rate * warmth)
        loss += batch_loss * share
    if not np.isfinite(params).all():  # which no loss would show after the last update
        raise NonFiniteLossError(epoch, number, nan, norm)
    return loss


def penalized_loss_gradient(
    network: Network,
    params: Floats,
    batch: SequenceBatch,
    state: State | None,
    data: Dataset[Any],
    alpha: float,
    loss_gradient: LossGradient,
    out: Floats,
) -> tuple[float, State | None]:
    """Loss of a batch with the L2 penalty; `out` (n_params,) is overwritten with the gradient.

    Parameters
    ----------
    network : Network
        Its layout says what is penalised.
    params : ndarray of shape (n_params,)
        The parameters.
    batch : SequenceBatch
        With weights.
    state : State or None
        Before the first step of each column, where it is carried.
    data : Dataset
        Its total weight divides the penalty.
    alpha : float
        Strength of the L2 penalty.
    loss_gradient : callable
        ``loss_gradient(params, batch, state, out) -> (loss, state)``.
    out : ndarray of shape (n_params,)
        Overwritten with the gradient.

    Returns
    -------
    loss : float
        With the penalty, nats.
    state : State or None
        After the last step of each column, where it is carried.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.core.data.sequences import PackedSequences
    >>> from skrnn.core.model.network import Network
    >>> from skrnn.core.data.dataset import Dataset
    >>> from skrnn.core.workspace import Workspace
    >>> network = Network.build("tanh", n_inputs=1, hidden_size=4, n_classes=2)
    >>> sequences = PackedSequences.from_arrays([np.ones((3, 1)), -np.ones((2, 1))], np.float64)
    >>> data = Dataset(sequences, targets=np.array([0, 1]), weights=np.ones(2))
    >>> params = network.initialize(np.random.default_rng(0))
    >>> def loss_gradient(params, batch, state, out):
    ...     return network.loss_gradient(params, batch, state, Workspace(np.float64), out)
    >>> batch, gradient = data.full_batch(network.batcher, params.dtype), np.empty_like(params)
    >>> loss, _ = penalized_loss_gradient(network, params, batch, None, data, 1.0, loss_gradient, gradient)
    >>> loss > penalized_loss_gradient(network, params, batch, None, data, 0.0, loss_gradient, gradient)[0]
    True
    """
    out.fill(0)
    loss, state = loss_gradient(params, batch, state, out)
    W = params[: network.layout.n_penalized]
    strength = float(alpha / data.total_weight)
    out[: len(W)] += strength * W
    return loss + 0.5 * strength * float(W @ W), state
