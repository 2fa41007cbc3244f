"""Elementwise functions, written into arrays that are passed in, and their derivatives computed from the output alone.

A recurrent step knows ``h = f(a)`` long after ``a`` is gone, so each derivative takes ``h``.

Kernels use ``sigmoid(a) = 1 / (1 + exp(-a))``, and ``tanh(a) = 2 / (1 + exp(-2 a)) - 1`` where that is quicker than
NumPy's, with the factor -1 or -2 multiplied into the weights once per batch. With AVX2 these passes take half the time
of NumPy's tanh, with AVX-512 twice its time. Where exp overflows to infinity the result is the right limit. Constants
are arrays without dimensions, since a Python number adds half to the time of a small call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from ...arrays import Floats

SIGMOID_SCALE = -1.0


@cache
def constant(value: float, dtype: np.dtype) -> Floats:
    """`value` as an array without dimensions, read-only."""
    array = np.array(value, dtype)
    array.flags.writeable = False
    return array


def sigmoid_of_scaled(a: Floats, out: Floats) -> Floats:
    """Logistic function of ``a / -1``, as ``1 / (1 + exp(a))``.

    Examples
    --------
    >>> import numpy as np
    >>> sigmoid_of_scaled(np.array([-700.0, 0.0, 700.0]), out=np.empty(3)).round(4)
    array([1. , 0.5, 0. ])
    """
    one = constant(1, out.dtype)
    np.exp(a, out)
    np.add(out, one, out)
    return np.divide(one, out, out)


def tanh_of_scaled(a: Floats, out: Floats) -> Floats:
    """Hyperbolic tangent of ``a / -2``, as ``2 / (1 + exp(a)) - 1``.

    Exact to the last bits of 1, not to those of a small result.

    Examples
    --------
    >>> import numpy as np
    >>> tanh_of_scaled(np.array([-2.0, 0.0]), out=np.empty(2)).round(4)
    array([0.7616, 0.    ])
    """
    one, two = constant(1, out.dtype), constant(2, out.dtype)
    np.exp(a, out)
    np.add(out, one, out)
    np.divide(two, out, out)
    return np.subtract(out, one, out)


def relu(a: Floats, out: Floats) -> Floats:
    """Rectifier ``max(a, 0)``, written into `out`, which may be `a` itself.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.array([-2.0, 3.0])
    >>> relu(a, out=a)
    array([0., 3.])
    """
    return np.maximum(a, 0, out=out)


def tanh_derivative(h: Floats, out: Floats) -> Floats:
    """Write ``d tanh(a) / d a = 1 - h**2`` into `out`, from ``h = tanh(a)``.

    Examples
    --------
    >>> import numpy as np
    >>> tanh_derivative(np.array([0.0, 0.5]), out=np.empty(2))
    array([1.  , 0.75])
    """
    np.square(h, out)  # where h is rows of a cache, a product with itself would take twice as long
    return np.subtract(1, out, out)


def relu_derivative(h: Floats, out: Floats) -> Floats:
    """Write ``d relu(a) / d a`` into `out`, from ``h = relu(a)``: 1 where `h` is positive, 0 elsewhere.

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
    of_scaled : callable
        Writes ``f(a)`` into its second argument, from ``scale * a``.
    derivative : callable
        Writes ``f'(a)`` into its second argument, from ``f(a)``.
    is_bounded : bool
        Whether ``f(a)`` stays finite for every `a`, however large.
    scale : float, default=1.0
        Factor that the caller multiplies into the weights.
    """

    of_scaled: Callable[[Floats, Floats], Floats]
    derivative: Callable[[Floats, Floats], Floats]
    is_bounded: bool
    scale: float = 1.0

    def of_unscaled(self, a: Floats, out: Floats) -> Floats:
        """Write ``f(a)`` into `out`, from `a` itself.

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
        """
        return self.of_scaled(a if self.scale == 1 else np.multiply(a, constant(self.scale, out.dtype), out), out)


def _numpy_has_fast_tanh() -> bool:
    """Whether NumPy computes tanh with AVX-512 here."""
    try:
        from numpy.lib.introspect import opt_func_info  # NumPy 2.1
    except ImportError:
        return False
    kernels = opt_func_info("^tanh$", "float32").get("tanh", {})
    return any(str(kernel["current"]).startswith(("AVX512", "X86_V4")) for kernel in kernels.values())


TANH_BY_EXP = Activation(tanh_of_scaled, tanh_derivative, is_bounded=True, scale=-2.0)
TANH_BY_NUMPY = Activation(np.tanh, tanh_derivative, is_bounded=True)
TANH = TANH_BY_NUMPY if _numpy_has_fast_tanh() else TANH_BY_EXP
RELU = Activation(relu, relu_derivative, is_bounded=False)

ACTIVATIONS: dict[str, Activation] = {
    "tanh": TANH,
    "tanh_by_exp": TANH_BY_EXP,
    "tanh_by_numpy": TANH_BY_NUMPY,
    "relu": RELU,
}
"""By name; "tanh" is the way to it that suits the CPU."""
