"""Mean and variance of features, exact up to the ends of the floating-point range."""

from __future__ import annotations

import numpy as np

Moments = tuple[int, np.ndarray, np.ndarray, np.ndarray]
"""Number of steps; mean and variance (F,) in units of 2^exponent and its square; exponent (F,), mostly 0."""


def moments_of(steps: np.ndarray) -> Moments:
    """Moments of steps (n, F), exact zeros for the variance of constants."""
    n, exponent = len(steps), exponent_of(np.maximum(steps.max(axis=0), -steps.min(axis=0)))
    first = np.ldexp(steps[0].astype(np.float64), -exponent)
    if exponent.any():
        steps = np.ldexp(steps.astype(np.float64), -exponent)
    deviations = steps - first  # float64
    shift = deviations.mean(axis=0)
    deviations -= shift
    error = deviations.mean(axis=0)  # that rounding made in the shift
    variance = np.einsum("ij,ij->j", deviations, deviations) / n
    return n, first + (shift + error), variance, exponent


def means_and_deviations(steps: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (n, F) of each of the sequences that `steps` (n_rows, F) hold one behind another."""
    n, first_rows = lengths[:, np.newaxis], np.cumsum(lengths) - lengths
    of_rows = np.repeat(np.arange(len(lengths)), lengths)
    largest = np.maximum(np.maximum.reduceat(steps, first_rows), -np.minimum.reduceat(steps, first_rows))
    exponent = exponent_of(largest)
    if exponent.any():
        steps = np.ldexp(steps.astype(np.float64), -exponent[of_rows])
    first = steps[first_rows].astype(np.float64)
    deviations = steps - first[of_rows]  # as in `moments_of`
    shift = np.add.reduceat(deviations, first_rows) / n
    deviations -= shift[of_rows]
    error = np.add.reduceat(deviations, first_rows) / n
    variance = np.add.reduceat(np.square(deviations, out=deviations), first_rows) / n
    return np.ldexp(first + (shift + error), exponent), np.ldexp(np.sqrt(variance), exponent)


def combine(a: Moments, b: Moments) -> Moments:
    """Moments of the union of two samples."""
    (n_a, *_, exponent_a), (n_b, *_, exponent_b) = a, b
    exponent = np.where((a[1] == 0) & (a[2] == 0), exponent_b, np.maximum(exponent_a, exponent_b))
    exponent = np.where((b[1] == 0) & (b[2] == 0), exponent_a, exponent)
    mean_a, var_a, mean_b, var_b = (
        np.ldexp(moment, power * (own - exponent))
        for _, *moments, own in (a, b)
        for power, moment in enumerate(moments, 1)
    )
    n, delta = n_a + n_b, mean_b - mean_a
    variance = (n_a * var_a + n_b * var_b) / n + delta**2 * (n_a / n) * (n_b / n)
    return n, mean_a + delta * (n_b / n), variance, exponent


def exponent_of(largest: np.ndarray, bound: float = 300) -> np.ndarray:
    """Power of two (F,) to divide features of these largest absolute values by: 0 unless it is beyond `bound`."""
    exponent = np.frexp(largest.astype(np.float64))[1]
    return np.where((np.abs(exponent) > bound) & (largest > 0), exponent, 0)


def ldexp_up_to_the_largest(features: np.ndarray, exponent: np.ndarray) -> None:
    """Multiply by 2^exponent in place; what rounding alone takes beyond the largest number is that number."""
    info = np.finfo(features.dtype)
    limit = np.ldexp(info.max, -exponent.clip(min=0))
    is_rounded = (np.abs(features) > limit) & (np.abs(features) * (1 - 8 * info.eps) <= limit)
    np.copyto(features, np.copysign(limit, features), where=is_rounded)
    np.ldexp(features, exponent, out=features)
