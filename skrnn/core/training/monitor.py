"""What watches a training: its history, its patience, the best parameters, and what is told of its epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from ..arrays import Floats


@dataclass
class TrainingMonitor:
    """History of a training, its patience, and the best parameters so far.

    Parameters
    ----------
    tol : float
        Least improvement of the score that counts.
    n_iter_no_change : int or inf
        Number of epochs without one after which a plateau is reached.

    Attributes
    ----------
    loss_curve : list of float
        Training loss of each epoch, nats, L2 included.
    validation_scores : list of float
        Score of each epoch on held-out sequences; higher is better. Empty without validation.
    best_score : float
        The largest validation score, or minus the least training loss.
    best_params : ndarray or None
        A copy of the parameters that had it.
    best_epoch : int
        When, counted from 1.
    n_without_improvement : int
        Epochs since the last improvement that counted.
    n_plateaus : int
        How often patience came to its end.
    first_epoch : int
        Number of epochs before those on the present data: where the learning rate's schedule begins.
    criterion, data : str
        Digests of what is watched, and of what is learned from.

    Examples
    --------
    >>> import numpy as np
    >>> monitor = TrainingMonitor(tol=0.01, n_iter_no_change=1)
    >>> [monitor.end_epoch(np.zeros(2), loss) for loss in (0.5, 0.4, 0.4, 0.4)]
    [False, False, False, True]
    >>> monitor.best_epoch
    2
    """

    tol: float
    n_iter_no_change: float
    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    best_score: float = -inf
    best_params: Floats | None = None
    best_epoch: int = 0
    n_without_improvement: int = 0
    n_plateaus: int = 0
    first_epoch: int = 0
    criterion: str = ""
    data: str = ""

    @property
    def n_epochs(self) -> int:
        """Number of epochs so far."""
        return len(self.loss_curve)

    def watch(self, criterion: str, data: str) -> None:
        """Continue, perhaps with another criterion or other data: scores cannot be compared with those before.

        Other data begin the learning rate's schedule anew, too.

        Parameters
        ----------
        criterion, data : str
            See the class.
        """
        if data != self.data:
            self.first_epoch, self.n_plateaus = self.n_epochs, 0
        if (criterion, data) != (self.criterion, self.data):
            self.criterion, self.data = criterion, data
            self.validation_scores = []
            self.best_score, self.best_params, self.best_epoch = -inf, None, 0
            self.n_without_improvement = 0

    def end_epoch(self, params: Floats, loss: float, validation_score: float | None = None) -> bool:
        """Take down an epoch and `params`, which had that loss or score.

        True where the score has not improved for more than `n_iter_no_change` epochs.

        Parameters
        ----------
        params : ndarray of shape (n_params,)
            Copied if they are the best so far.
        loss : float
            Training loss of the epoch, nats.
        validation_score : float, optional
            Higher is better; minus the loss by default.

        Returns
        -------
        is_plateau : bool
            Whether patience is at its end.
        """
        self.loss_curve.append(loss)
        score = -loss
        if validation_score is not None:
            self.validation_scores.append(validation_score)
            score = validation_score
        self.n_without_improvement = 0 if score >= self.best_score + self.tol else self.n_without_improvement + 1
        if score > self.best_score:
            self.best_score, self.best_params, self.best_epoch = score, params.copy(), self.n_epochs
        return self.n_without_improvement > self.n_iter_no_change


class Observer:
    """What is told of every epoch, and may end the training; this one does neither.

    Examples
    --------
    One that ends it after the second epoch:

    >>> class TwoEpochs(Observer):
    ...     def end_epoch(self, monitor, has_converged):
    ...         return monitor.n_epochs == 2
    """

    def begin_epoch(self) -> None:
        """Hear that an epoch begins."""

    def end_epoch(self, monitor: TrainingMonitor, has_converged: bool) -> bool:
        """Hear that an epoch is over.

        Parameters
        ----------
        monitor : TrainingMonitor
            With what the epoch brought.
        has_converged : bool
            Whether it is the last one, since the score has stopped improving.

        Returns
        -------
        is_last : bool
            Whether to end the training.
        """
        return False


def end_epoch(observers: Sequence[Observer], monitor: TrainingMonitor, has_converged: bool) -> bool:
    """Tell all observers that an epoch is over.

    Parameters
    ----------
    observers : sequence of Observer
        Told one after the other.
    monitor, has_converged : TrainingMonitor, bool
        See `Observer.end_epoch`.

    Returns
    -------
    is_last : bool
        Whether one of them ends the training.

    Examples
    --------
    >>> end_epoch([Observer(), Observer()], TrainingMonitor(tol=0.01, n_iter_no_change=1), has_converged=False)
    False
    """
    votes = [observer.end_epoch(monitor, has_converged) for observer in observers]
    return any(votes)
