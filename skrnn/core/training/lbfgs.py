"""The full-batch solver, on the same contract as the training loop. The only module of the core that uses scipy."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ..arrays import Floats
from ..data.dataset import Dataset
from ..model.network import Network
from .loop import LossGradient, NonFiniteLossError, penalized_loss_gradient
from .monitor import Observer, TrainingMonitor, end_epoch


class _EndedByObserverError(Exception):
    """An observer ended the training; scipy before 1.11 knows no other way out."""


def train_lbfgs(
    network: Network,
    params: Floats,
    data: Dataset[Any],
    alpha: float,
    max_iter: int,
    monitor: TrainingMonitor,
    loss_gradient: LossGradient,
    observers: Sequence[Observer] = (),
) -> str | None:
    """Minimise the loss of all of `data` by limited-memory BFGS.

    Parameters
    ----------
    network : Network
        What is trained; without dropout.
    params : ndarray of shape (network.layout.size,), float64
        Updated in place.
    data : Dataset
        What it learns from, float64.
    alpha : float
        Strength of the L2 penalty.
    max_iter : int
        Largest number of iterations.
    monitor : TrainingMonitor
        Updated in place, an iteration an epoch; its `tol` bounds the gradient's largest entry.
    loss_gradient : callable
        ``loss_gradient(params, batch, state, out) -> (loss, state)``.
    observers : sequence of Observer, default=()
        Told of each iteration. One that no iterate came of has begun and does not end.

    Returns
    -------
    message : str or None
        Why it ended before the gradient was small enough; None if it did not, or an observer ended it.

    Raises
    ------
    NonFiniteLossError
        If the loss or its gradient is NaN or infinite.

    References
    ----------
    Byrd, Lu, Nocedal and Zhu, *A limited memory algorithm for bound constrained optimization* (1995).

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
    >>> from skrnn.core.training.monitor import TrainingMonitor
    >>> monitor = TrainingMonitor(tol=1e-4, n_iter_no_change=0)
    >>> train_lbfgs(network, params, data, 1e-2, 100, monitor, loss_gradient)  # None: the gradient is small enough
    >>> monitor.loss_curve[-1] < 0.1
    True
    """
    batch = data.full_batch(network.batcher, params.dtype)

    last_loss = np.nan  # at the iterate when the callback comes: the line search ends with it
    has_begun = False  # an iteration, with the first loss that it asks for

    def objective(vector: Floats) -> tuple[float, Floats]:
        nonlocal last_loss, has_begun
        if not has_begun:
            has_begun = True
            for observer in observers:
                observer.begin_epoch()
        gradient = np.empty_like(vector)
        loss, _ = penalized_loss_gradient(network, vector, batch, None, data, alpha, loss_gradient, gradient)
        norm = float(np.linalg.norm(gradient))
        if not (isfinite(loss) and isfinite(norm)):
            raise NonFiniteLossError(monitor.n_epochs + 1, 1, loss, norm)
        last_loss = loss
        return loss, gradient

    def callback(vector: Floats) -> None:
        nonlocal has_begun
        params[:] = vector
        monitor.end_epoch(params, last_loss)
        has_begun = False
        if end_epoch(observers, monitor, has_converged=False):
            raise _EndedByObserverError

    options = {"maxiter": max_iter, "maxfun": 20 * max_iter, "gtol": monitor.tol}
    try:
        result = minimize(objective, params.copy(), method="L-BFGS-B", jac=True, callback=callback, options=options)
    except _EndedByObserverError:
        return None
    params[:] = result.x
    if not monitor.n_epochs:  # the gradient was zero where it began: nothing to iterate
        monitor.end_epoch(params, float(result.fun))
        end_epoch(observers, monitor, has_converged=True)
    return None if result.success else str(result.message)
