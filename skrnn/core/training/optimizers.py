"""Optimizers on the flat parameter vector, and clipping of its gradient.

Each is a frozen set of hyper-parameters with ``init(params) -> state`` and ``update(params, gradient, state,
learning_rate)``, which changes `params` and `state` in place and uses up `gradient`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from ..arrays import Floats


@dataclass
class OptimizerState:
    """What an optimizer remembers from update to update.

    Attributes
    ----------
    n_updates : int
        Updates so far.
    moments : dict of str to ndarray of shape (n_params,)
        Running averages, by name.
    """

    n_updates: int = 0
    moments: dict[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Optimizer(ABC):
    """Contract of an optimizer."""

    def init(self, params: Floats) -> OptimizerState:
        """State before the first update of `params` (n_params,).

        Parameters
        ----------
        params : ndarray of shape (n_params,)
            The parameters.

        Returns
        -------
        state : OptimizerState
            No updates, moments zero.
        """
        return OptimizerState(0, {name: np.zeros_like(params) for name in self._moment_names()})

    @abstractmethod
    def _moment_names(self) -> tuple[str, ...]:
        """Names of the running averages."""

    @abstractmethod
    def update(self, params: Floats, gradient: Floats, state: OptimizerState, learning_rate: float) -> None:
        """Take one step; `params` and `state` are updated in place, `gradient` is overwritten.

        Parameters
        ----------
        params : ndarray of shape (n_params,)
            Updated in place.
        gradient : ndarray of shape (n_params,)
            Overwritten.
        state : OptimizerState
            Updated in place.
        learning_rate : float
            Length of the step.
        """


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum: ``v = momentum v - rate g``, ``params += v``.

    Parameters
    ----------
    momentum : float, default=0.9
        In [0, 1).
    nesterov : bool, default=True
        Add ``momentum v - rate g`` of the new v instead of v.

    References
    ----------
    Sutskever, Martens, Dahl and Hinton, *On the importance of initialization and momentum in deep learning* (2013),
    equations 1 to 4; Nesterov's form as rewritten by Bengio, Boulanger-Lewandowski and Pascanu, *Advances in optimizing
    recurrent networks* (2013), equation 7.

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> optimizer = SGD(momentum=0.0)
    >>> optimizer.update(params, np.array([0.5]), optimizer.init(params), learning_rate=0.5)
    >>> params
    array([0.75])
    """

    momentum: float = 0.9
    nesterov: bool = True

    def _moment_names(self) -> tuple[str, ...]:
        return ("velocity",)

    def update(self, params: Floats, gradient: Floats, state: OptimizerState, learning_rate: float) -> None:
        velocity = state.moments["velocity"]
        gradient *= learning_rate
        velocity *= self.momentum
        velocity -= gradient
        if self.nesterov:
            params -= gradient
            np.multiply(velocity, self.momentum, out=gradient)
            params += gradient
        else:
            params += velocity
        state.n_updates += 1


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient.

    Parameters
    ----------
    decay : float, default=0.9
        Of the running mean of squares, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root.

    References
    ----------
    Tieleman and Hinton, *Neural networks for machine learning*, lecture 6.5 (2012).

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> optimizer = RMSprop()
    >>> optimizer.update(params, np.array([4.0]), optimizer.init(params), learning_rate=0.1)
    >>> params.round(4)  # 1 - 0.1 / sqrt(0.1)
    array([0.6838])
    """

    decay: float = 0.9
    epsilon: float = 1e-8

    def _moment_names(self) -> tuple[str, ...]:
        return "scaled_square", "step"

    def update(self, params: Floats, gradient: Floats, state: OptimizerState, learning_rate: float) -> None:
        square, step = state.moments["scaled_square"], state.moments["step"]
        np.multiply(gradient, gradient, out=step)
        square *= self.decay
        square += step  # the mean of squares, divided by 1 - decay
        np.multiply(square, 1 - self.decay, out=step)
        np.sqrt(step, out=step)
        step += self.epsilon
        gradient *= learning_rate
        gradient /= step
        params -= gradient
        state.n_updates += 1


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adaptive moments with bias correction.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the running mean of the gradient and of its square, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the mean square.

    References
    ----------
    Kingma and Ba, *Adam: a method for stochastic optimization* (2015), algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> optimizer = Adam()
    >>> optimizer.update(params, np.array([4.0]), optimizer.init(params), learning_rate=0.1)
    >>> params.round(4)  # the first step has the length of the rate
    array([0.9])
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def _moment_names(self) -> tuple[str, ...]:
        return "scaled_mean", "scaled_square"

    def update(self, params: Floats, gradient: Floats, state: OptimizerState, learning_rate: float) -> None:
        mean, square = state.moments["scaled_mean"], state.moments["scaled_square"]  # divided by 1 - beta: no scratch
        state.n_updates += 1
        mean *= self.beta_1
        mean += gradient
        gradient *= gradient
        square *= self.beta_2
        square += gradient
        np.multiply(square, (1 - self.beta_2) / (1 - self.beta_2**state.n_updates), out=gradient)
        np.sqrt(gradient, out=gradient)
        gradient += self.epsilon
        np.divide(mean, gradient, out=gradient)
        gradient *= learning_rate * (1 - self.beta_1) / (1 - self.beta_1**state.n_updates)
        params -= gradient


def clip_by_global_norm(gradient: Floats, max_norm: float | None) -> float:
    """Shorten a gradient that is longer than `max_norm`, in place, keeping its direction.

    Parameters
    ----------
    gradient : ndarray of shape (n_params,)
        Overwritten where it is too long.
    max_norm : float or None
        Largest Euclidean norm; None measures only.

    Returns
    -------
    norm : float
        The norm before clipping; not finite exactly where the gradient is not.

    References
    ----------
    Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural networks* (2013), algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> gradient = np.array([3.0, 4.0])
    >>> clip_by_global_norm(gradient, max_norm=1.0), gradient
    (5.0, array([0.6, 0.8]))
    """
    norm = sqrt(gradient @ gradient)
    if norm == np.inf and np.isfinite(largest := float(np.abs(gradient).max())):  # only the squares overflowed
        norm = largest * float(np.linalg.norm(gradient / largest))
    if max_norm is not None and norm > max_norm:
        gradient *= max_norm / norm
    return norm
