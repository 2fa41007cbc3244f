"""Elementwise functions, written into lent arrays, and their derivatives computed from the output alone.

A recurrent step knows ``h = f(a)`` long after ``a`` is gone, so each derivative takes ``h``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def sigmoid(a: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Logistic function ``1 / (1 + exp(-a))``, without overflow for any finite `a`.

    Computed as ``tanh(a / 2) / 2 + 1 / 2``.

    Parameters
    ----------
    a : ndarray of any shape
        Pre-activations.
    out : ndarray of the same shape
        Overwritten with the result. May be `a` itself.

    Returns
    -------
    out : ndarray
        The argument `out`.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.array([-1000.0, 0.0, 1000.0])
    >>> sigmoid(a, out=a)
    array([0. , 0.5, 1. ])
    """
    np.multiply(a, 0.5, out)
    np.tanh(out, out)
    np.multiply(out, 0.5, out)
    return np.add(out, 0.5, out)


def relu(a: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Rectifier ``max(a, 0)``, written into `out`, which may be `a` itself.

    Parameters
    ----------
    a : ndarray of any shape
        Pre-activations.
    out : ndarray of the same shape
        Overwritten with the result.

    Returns
    -------
    out : ndarray
        The argument `out`.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.array([-2.0, 3.0])
    >>> relu(a, out=a)
    array([0., 3.])
    """
    return np.maximum(a, 0, out=out)


def tanh_derivative(h: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Write ``d tanh(a) / d a = 1 - h**2`` into `out`, from ``h = tanh(a)``.

    Parameters
    ----------
    h : ndarray of any shape
        Outputs of tanh.
    out : ndarray of the same shape
        Overwritten with the result.

    Returns
    -------
    out : ndarray
        The argument `out`.

    Examples
    --------
    >>> import numpy as np
    >>> tanh_derivative(np.array([0.0, 0.5]), out=np.empty(2))
    array([1.  , 0.75])
    """
    np.multiply(h, h, out)
    return np.subtract(1, out, out)


def relu_derivative(h: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Write ``d relu(a) / d a`` into `out`, from ``h = relu(a)``: 1 where `h` is positive, 0 elsewhere.

    Parameters
    ----------
    h : ndarray of any shape
        Outputs of relu.
    out : ndarray of the same shape
        Overwritten with the result.

    Returns
    -------
    out : ndarray
        The argument `out`.

    Examples
    --------
    >>> import numpy as np
    >>> relu_derivative(np.array([0.0, 2.0]), out=np.empty(2))
    array([0., 1.])
    """
    return np.greater(h, 0, out)


@dataclass(frozen=True)
class Activation:
    """A function and its derivative, each called as ``f(array, out)``.

    Attributes
    ----------
    function : callable
        Writes ``f(a)`` into its second argument.
    derivative : callable
        Writes ``f'(a)`` into its second argument, from ``f(a)``.
    is_bounded : bool
        Whether ``f(a)`` stays finite for every `a`, however large.
    """

    function: Callable[[np.ndarray, np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray, np.ndarray], np.ndarray]
    is_bounded: bool


TANH = Activation(np.tanh, tanh_derivative, is_bounded=True)
RELU = Activation(relu, relu_derivative, is_bounded=False)
