"""Weights of sequences, as a user passes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array

from .._floating_point import without_warnings
from .arrays import as_numbers, reject_masked

MAX_EXPONENT = 600
"""Weights are below 2**600, so that the sum over any number of steps is finite."""


@without_warnings
def check_sample_weight(sample_weight: Any, n: int, name: str = "sample_weight", X: str = "X") -> np.ndarray:
    """Weights (n,), float64, which can be summed; ones for None. Raises for negative, not finite, or only zeros."""
    if sample_weight is None:
        return np.ones(n)
    reject_masked(sample_weight, name, "Fill the gaps, 0 leaves a sequence out.")
    weights = as_numbers(sample_weight, name, advice="Pass one weight for each sequence.")
    if weights.ndim != 1:
        raise ValueError(f"{name} has {weights.ndim} dimensions. Pass one weight for each sequence, shape ({n},).")
    weights = check_array(weights, ensure_2d=False, dtype=np.float64, input_name=name)
    if len(weights) != n:
        raise ValueError(f"{name} has {len(weights)} entries, but {X} has {n} sequences. Pass one weight for each.")
    if (weights < 0).any():
        where = int(np.argmax(weights < 0))
        raise ValueError(f"Negative values in {name}: {name}[{where}] is {weights[where]:g}. Weights must be >= 0.")
    if not weights.any():
        raise ValueError(f"All weights in {name} are zero. {name} must contain at least one non-zero number.")
    return product_of_weights(weights)


def product_of_weights(*weights: np.ndarray) -> np.ndarray:
    """Product of arrays (n,), shifted by a power of two where it would overflow in sums, or vanish."""
    if len(weights) == 1 and 2.0**-MAX_EXPONENT < weights[0].max() < 2.0**MAX_EXPONENT:
        return weights[0]
    mantissas, exponents = zip(*map(np.frexp, weights), strict=True)
    mantissa, exponent = np.prod(mantissas, axis=0), np.sum(exponents, axis=0)
    largest = exponent[mantissa > 0].max(initial=-10 * MAX_EXPONENT)
    return np.ldexp(mantissa, exponent + np.clip(largest, -MAX_EXPONENT, MAX_EXPONENT) - largest)
