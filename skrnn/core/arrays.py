"""Types of arrays, for annotations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""Parameters, states, gradients: float32 or float64."""

Ints = NDArray[np.integer[Any]]
"""Lengths, rows, columns, tokens."""

Bools = NDArray[np.bool_]
"""Which entries are meant."""

Values = NDArray[Any]
"""Either: rows of data, and what is to be predicted."""
