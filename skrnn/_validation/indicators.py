"""Several labels for each sequence: an indicator matrix of zeros and ones."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..core.arrays import Ints
from .arrays import as_numbers, reject_masked
from .values import as_list


@dataclass(frozen=True)
class Indicators:
    """Which of K labels each of n sequences has.

    Attributes
    ----------
    matrix : ndarray of shape (n, K), dtype intp
        1 for a label that it has, else 0.
    name : str
        What errors call it.
    """

    matrix: np.ndarray
    name: str

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def classes(self) -> np.ndarray:
        """The labels (K,): numbers of the columns."""
        return np.arange(self.matrix.shape[1])

    def find(self, classes: np.ndarray) -> np.ndarray:
        """Return the matrix; raise unless it has a column for each of the classes."""
        if self.matrix.shape[1] != len(classes):
            raise ValueError(
                f"{self.name} has {self.matrix.shape[1]} columns, but the model knows {len(classes)} labels. Pass a "
                "column for each."
            )
        return self.matrix

    encode = find


def read_indicators(y: Any, name: str, lengths: Ints | None = None) -> Indicators | None:
    """Return a matrix of zeros and ones with at least two columns; None for any other y.

    Lists of lists that are as long as the sequences, `lengths` (n,), may be labels of steps, and are refused.
    """
    if isinstance(y, (list, tuple)) and y and all(isinstance(row, (list, tuple, np.ndarray)) for row in y):
        rows = [as_list(row) for row in y]
        n_labels = set(map(len, rows))
        if len(n_labels) > 1 or not all(isinstance(value, Real) and value in (0, 1) for row in rows for value in row):
            return None
        if lengths is not None and set(lengths.tolist()) == n_labels:
            raise ValueError(
                f"{name} is a list of lists as long as the sequences. Use RNNSequenceTagger if they are labels of "
                f"steps, pass np.array({name}) if they say which of several labels a sequence has."
            )
        y = np.array(rows)
    shape = getattr(y, "shape", None)
    if shape is None or len(shape) != 2 or shape[1] < 2 or not shape[0]:
        return None
    reject_masked(y, name)
    matrix = y.toarray() if issparse(y) else y
    kinds = {getattr(dtype, "kind", "O") for dtype in getattr(matrix, "dtypes", [getattr(matrix, "dtype", None)])}
    if not kinds <= set("iubf"):
        return None
    matrix = as_numbers(matrix, name)
    return Indicators(matrix.astype(np.intp), name) if np.isin(matrix, (0, 1)).all() else None
