"""Memory that is lent and taken back, so that training allocates nothing after its first batches."""

from __future__ import annotations

from math import prod

import numpy as np

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector register

ROW_PADDING = 16
"""Numbers more in a row, where columns are read: rows a power of two apart share so few sets of the cache that reading
256 to 1,024 numbers of 64 rows column by column takes up to five times as long."""


class Workspace:
    """A stack of memory that lends C-contiguous arrays and only ever grows.

    Loans are given back together: `release` returns everything lent since a `mark`. What a loan holds is
    undefined; the borrower writes before it reads. Not for use by two threads at once.

    Parameters
    ----------
    dtype : dtype
        Of every array that is lent.

    Examples
    --------
    >>> workspace = Workspace("float32")
    >>> mark = workspace.mark()
    >>> workspace.lend((2, 3)).shape
    (2, 3)
    >>> workspace.release(mark)
    """

    def __init__(self, dtype: np.dtype | type | str) -> None:
        self.dtype = np.dtype(dtype)
        self._step = _ALIGNMENT // self.dtype.itemsize
        self._arenas = [np.empty(0, self.dtype)]
        self._used = 0  # elements of the last arena that are lent

    @property
    def size(self) -> int:
        """Number of elements held."""
        return sum(arena.size for arena in self._arenas)

    def lend(self, shape: tuple[int, ...]) -> np.ndarray:
        """Lend an array of `shape`, C-contiguous, with undefined content.

        Parameters
        ----------
        shape : tuple of int
            Of the loan.

        Returns
        -------
        loan : ndarray
            With undefined content.
        """
        size = prod(shape)
        rounded = -(-size // self._step) * self._step
        if self._used + rounded > self._arenas[-1].size:
            self._arenas.append(np.empty(max(rounded, self.size), self.dtype))  # earlier loans keep their arena
            self._used = 0
        loan = self._arenas[-1][self._used : self._used + size].reshape(shape)
        self._used += rounded
        return loan

    def mark(self) -> tuple[int, int]:
        """Remember what is lent now.

        Returns
        -------
        mark : tuple of int
            For `release`.
        """
        return len(self._arenas), self._used

    def release(self, mark: tuple[int, int]) -> None:
        """Take back all that was lent since `mark`.

        Parameters
        ----------
        mark : tuple of int
            What `mark` gave.
        """
        n_arenas, used = mark
        self._used = used if n_arenas == len(self._arenas) else 0
        if mark == (1, 0) and len(self._arenas) > 1:  # nothing is lent: one arena from now on
            self._arenas = [np.empty(self.size, self.dtype)]
