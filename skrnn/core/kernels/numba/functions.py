"""exp, tanh and the logistic function in a form that compiled loops compute many numbers at a time with.

What numba takes for ``math.exp`` is a call for each number. Here exp is its definition: with ``x = k ln 2 + r`` and
``|r| <= ln 2 / 2`` it is ``2^k exp(r)``, where ``exp(r)`` is Taylor's series as far as the dtype sees it, and 2^k is
written into the bits of an exponent. There are no branches, so loops vectorise, and NaN comes through. Arguments are
cut where a result no longer changes, so nothing overflows, and nothing becomes too small to be normalised.

Largest errors, in units of the last place: exp 2, tanh 3, sigmoid 4.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import factorial, log
from typing import Any

import numpy as np
from numba import types
from numba.core.extending import intrinsic, overload, register_jitable

LARGEST = {np.float32: 87.0, np.float64: 708.0}
"""Largest argument of exp, by dtype; minus it is the smallest."""
_N_TERMS = {np.float32: 7, np.float64: 13}
_LN2 = {  # in two parts: bits so few that a product with k is exact, and what is left
    np.float32: (0.693359375, -2.12194440054690583e-4),
    np.float64: (0.69314718036912381649, 1.90821492927058770002e-10),
}
_SHIFT = {np.float32: 1.5 * 2.0**23, np.float64: 1.5 * 2.0**52}
"""Added to a small number, it leaves the integer next to that in the last bits."""


def tanh(x: Any) -> Any:
    """Hyperbolic tangent of a number, in compiled code only.

    With ``e = exp(2 x) - 1``, whose small values the series gives exactly, it is ``e / (e + 2)``.
    """
    raise NotImplementedError


def exp(x: Any) -> Any:
    """Exponential function of a number, in compiled code only; beyond ``+-LARGEST`` that of it."""
    raise NotImplementedError


def sigmoid(x: Any) -> Any:
    """Logistic function ``1 / (1 + exp(-x))`` of a number, in compiled code only; below ``-LARGEST`` that of it."""
    raise NotImplementedError


@intrinsic
def _power_of_two(context: Any, shifted: Any) -> Any:
    """2^k, from k whose bits are the last ones of a float: they become those of an exponent."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        dtype = _dtype_of(shifted)
        of_bits = context.get_value_type(types.Integer.from_bitwidth(shifted.bitwidth))
        bits, n_bits, one = (
            builder.bitcast(args[0], of_bits),
            of_bits(np.finfo(dtype).nmant),
            of_bits(int(dtype(1).view(f"i{dtype().itemsize}"))),
        )
        return builder.bitcast(builder.add(builder.shl(bits, n_bits), one), args[0].type)

    return shifted(shifted), build


def _dtype_of(x: Any) -> Any:
    return np.float32 if x == types.float32 else np.float64


def _polynomial(coefficients: list[Any]) -> Callable[[Any], Any]:
    """A compiled function of r: the polynomial with these coefficients, the highest first."""

    def next_of(higher: Callable[[Any], Any], coefficient: Any) -> Callable[[Any], Any]:
        return register_jitable(lambda r: higher(r) * r + coefficient)

    first, *others = coefficients
    function = register_jitable(lambda r: first)
    for coefficient in others:
        function = next_of(function, coefficient)
    return function


@cache
def _parts_of_exp(dtype: Any) -> Callable[[Any], Any]:
    """A compiled function of x: ``exp(r) - 1`` and ``2^k``."""
    largest, shift, high, low = (dtype(v) for v in (LARGEST[dtype], _SHIFT[dtype], *_LN2[dtype]))
    per_ln2 = dtype(1 / log(2))
    series = _polynomial([dtype(1 / factorial(k)) for k in range(_N_TERMS[dtype], 0, -1)])

    @register_jitable
    def parts(x: Any) -> Any:
        x = -largest if x < -largest else x  # as written NaN stays
        x = largest if x > largest else x
        shifted = x * per_ln2 + shift
        k = shifted - shift
        r = (x - k * high) - k * low
        return series(r) * r, _power_of_two(shifted)

    return parts


@overload(tanh)
def _tanh(x: Any) -> Any:
    dtype = _dtype_of(x)
    parts, one, two = _parts_of_exp(dtype), dtype(1), dtype(2)
    largest = dtype(20)  # from where tanh is 1

    def compiled(x: Any) -> Any:
        x = largest if x > largest else x
        p, power = parts(two * x)
        e = power * p + (power - one)
        return e / (e + two)

    return compiled


@overload(exp)
def _exp(x: Any) -> Any:
    parts = _parts_of_exp(_dtype_of(x))

    def compiled(x: Any) -> Any:
        p, power = parts(x)
        return power + power * p

    return compiled


@overload(sigmoid)
def _sigmoid(x: Any) -> Any:
    dtype = _dtype_of(x)
    parts, one = _parts_of_exp(dtype), dtype(1)

    def compiled(x: Any) -> Any:
        p, power = parts(-x)
        return one / (one + (power + power * p))

    return compiled
