"""Memory that is used again and again, so that training allocates nothing after its first batches."""

from __future__ import annotations

from math import prod

import numpy as np

from .arrays import Floats

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector register

ROW_PADDING = 16
"""Numbers more in a row, where columns are read: rows a power of two apart share so few sets of the cache that reading
256 to 1,024 numbers of 64 rows column by column takes up to five times as long."""


class Workspace:
    """A stack of memory for C-contiguous arrays that only ever grows.

    Arrays are released together: all that were allocated since a `mark`. What a new array holds is undefined, as
    that of `numpy.empty`. Not for use by two threads at once.

    Parameters
    ----------
    dtype : dtype
        Of every array.

    Examples
    --------
    >>> workspace = Workspace("float32")
    >>> mark = workspace.mark()
    >>> workspace.empty((2, 3)).shape
    (2, 3)
    >>> workspace.release(mark)
    """

    def __init__(self, dtype: np.dtype | type | str) -> None:
        self.dtype = np.dtype(dtype)
        self._step = _ALIGNMENT // self.dtype.itemsize
        self._arenas = [np.empty(0, self.dtype)]
        self._used = 0  # elements of the last arena that are in use

    @property
    def size(self) -> int:
        """Number of elements held."""
        return sum(arena.size for arena in self._arenas)

    def empty(self, shape: tuple[int, ...]) -> Floats:
        """Allocate an array of `shape`, C-contiguous, with undefined content.

        Parameters
        ----------
        shape : tuple of int
            Of the array.

        Returns
        -------
        array : ndarray
            With undefined content.
        """
        size = prod(shape)
        rounded = -(-size // self._step) * self._step
        if self._used + rounded > self._arenas[-1].size:
            self._arenas.append(np.empty(max(rounded, self.size), self.dtype))  # earlier arrays keep their arena
            self._used = 0
        array = self._arenas[-1][self._used : self._used + size].reshape(shape)
        self._used += rounded
        return array

    def mark(self) -> tuple[int, int]:
        """Remember what is in use now.

        Returns
        -------
        mark : tuple of int
            For `release`.
        """
        return len(self._arenas), self._used

    def release(self, mark: tuple[int, int]) -> None:
        """Release all that was allocated since `mark`.

        Parameters
        ----------
        mark : tuple of int
            What `mark` gave.
        """
        n_arenas, used = mark
        self._used = used if n_arenas == len(self._arenas) else 0
        if mark == (1, 0) and len(self._arenas) > 1:  # nothing is in use: one arena from now on
            self._arenas = [np.empty(self.size, self.dtype)]
