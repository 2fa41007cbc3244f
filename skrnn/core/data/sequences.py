"""Sequences as rows of one array: features that are copied or read in place, and tokens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..arrays import Floats, Ints, Values
from ..cached import cached_property

if TYPE_CHECKING:
    from typing import Self


class Sequences(ABC):
    """Contract of a set of sequences: rows of one array, from an offset on, as many as the sequence has steps.

    Attributes
    ----------
    lengths : ndarray of shape (n_sequences,), dtype intp
        Number of steps of each sequence.
    offsets : ndarray of shape (n_sequences,), dtype intp
        Row where each sequence begins.
    """

    lengths: Ints
    offsets: Ints

    has_features: ClassVar[bool]
    """Whether rows are numbers, which may have to be scaled."""

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def n_steps(self) -> int:
        """Number of steps of all sequences together."""
        return int(self.lengths.sum())

    @property
    def rows(self) -> Ints:
        """Row of each step, sequence after sequence, shape (n_steps,)."""
        before = np.cumsum(self.lengths) - self.lengths
        rows: Ints = np.arange(self.n_steps) + np.repeat(self.offsets - before, self.lengths)
        return rows

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """Number of rows of the array."""

    @abstractmethod
    def slices(self, offsets: Ints, lengths: Ints) -> Self:
        """Slices of the sequences as sequences of their own, on the same memory.

        Slice i has ``lengths[i]`` steps, from row ``offsets[i]`` on.

        Parameters
        ----------
        offsets : ndarray of shape (n,), int
            Row where each slice begins.
        lengths : ndarray of shape (n,), int
            Its number of steps.

        Returns
        -------
        slices : Sequences
            On the memory of these sequences.
        """

    @abstractmethod
    def gather(self, rows: Ints, out: Values) -> Values:
        """Write what is read at `rows` (N,) into `out` (N, ...).

        Parameters
        ----------
        rows : ndarray of shape (N,), int
            Rows of the array.
        out : ndarray of shape (N, ...)
            Overwritten.

        Returns
        -------
        out : ndarray
            The argument `out`.
        """

    @abstractmethod
    def astype(self, dtype: np.dtype | type) -> Self:
        """The same sequences for parameters of another dtype.

        Parameters
        ----------
        dtype : dtype
            Of the parameters.

        Returns
        -------
        converted : Sequences
            On the same memory, where nothing has to be converted.
        """

    @abstractmethod
    def arrays(self) -> list[Values]:
        """What each sequence holds.

        Returns
        -------
        arrays : list of ndarray
            Views, one for each sequence.
        """

    def parts(self, whole: Ints, offsets: Ints, lengths: Ints) -> Self:
        """Parts of the sequences, which are read as sequences of their own.

        Parameters
        ----------
        whole : ndarray of shape (n,), int
            Of which sequence each part is.
        offsets, lengths : ndarray of shape (n,), int
            Where it begins, and its number of steps.

        Returns
        -------
        parts : Sequences
            Beside the same targets.
        """
        return self.slices(offsets, lengths)

    def take(self, indices: Ints) -> Self:
        """The sequences at `indices`, in that order, on the same memory.

        Parameters
        ----------
        indices : ndarray of shape (n,), int
            Which sequences.

        Returns
        -------
        taken : Sequences
            On the same memory.
        """
        return self.slices(self.offsets[indices], self.lengths[indices])

    def views(self, rows: Values) -> list[Values]:
        """Each sequence's part of an array that lies beside the rows.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, ...)
            A value for each row.

        Returns
        -------
        views : list of ndarray of shape (n_steps_i, ...)
            One for each sequence.
        """
        return _slices(rows, self.offsets, self.offsets + self.lengths)


@dataclass(frozen=True)
class FeatureSequences(Sequences, ABC):
    """Contract of sequences whose steps are rows of numbers.

    Attributes
    ----------
    steps : ndarray of shape (n_rows, width)
        The steps, C-contiguous.
    lengths : ndarray of shape (n_sequences,), dtype intp
        Number of steps of each sequence, at least 1. Without offsets one sequence follows another.
    """

    steps: Floats
    lengths: Ints
    _offsets: Ints | None = None

    has_features = True

    @cached_property
    def offsets(self) -> Ints:
        """Row of `steps` where each sequence begins, shape (n_sequences,)."""
        return np.cumsum(self.lengths) - self.lengths if self._offsets is None else self._offsets

    @property
    def n_rows(self) -> int:
        return len(self.steps)

    @classmethod
    @abstractmethod
    def from_rectangle(cls, X: Floats) -> Self:
        """Read an array of shape (n_sequences, n_steps, n_features).

        Parameters
        ----------
        X : ndarray of shape (n_sequences, n_steps, n_features)
            The sequences.

        Returns
        -------
        sequences : FeatureSequences
            Of the dtype of X.
        """

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Number of features per step."""

    def slices(self, offsets: Ints, lengths: Ints) -> Self:
        return replace(self, lengths=lengths, _offsets=offsets)

    def astype(self, dtype: np.dtype | type) -> Self:
        return replace(self, steps=self.steps.astype(dtype, copy=False))

    def arrays(self) -> list[Values]:
        return self.views(self.steps[:, : self.n_features])


@dataclass(frozen=True)
class PackedSequences(FeatureSequences):
    """Steps with a last column of ones: a bias is the weight of an input that is always one.

    For training, which reads them again and again. `gather` writes rows (N, n_features + 1).

    Examples
    --------
    >>> import numpy as np
    >>> data = PackedSequences.from_arrays([np.array([[1.0], [2.0]]), np.array([[3.0]])], np.float64)
    >>> data.steps
    array([[1., 1.],
           [2., 1.],
           [3., 1.]])
    >>> data.lengths, data.offsets
    (array([2, 1]), array([0, 2]))
    """

    @classmethod
    def from_arrays(cls, arrays: Sequence[Floats], dtype: np.dtype | type) -> PackedSequences:
        """Pack a non-empty list of arrays of shape (n_steps_i, n_features), which are copied.

        Parameters
        ----------
        arrays : sequence of array of shape (n_steps_i, n_features)
            The sequences, at least one, of one number of features.
        dtype : dtype
            Of the copy.

        Returns
        -------
        sequences : PackedSequences
            In the order of `arrays`.
        """
        lengths = np.fromiter(map(len, arrays), dtype=np.intp, count=len(arrays))
        steps = np.empty((lengths.sum(), arrays[0].shape[1] + 1), dtype=dtype)
        np.concatenate(arrays, out=steps[:, :-1], casting="unsafe")
        steps[:, -1] = 1
        return PackedSequences(steps, lengths)

    @classmethod
    def from_rectangle(cls, X: Floats) -> Self:
        """Pack an array, which is copied."""
        n_sequences, n_steps, n_features = X.shape
        steps = np.empty((n_sequences * n_steps, n_features + 1), dtype=X.dtype)
        steps[:, :-1] = X.reshape(-1, n_features)
        steps[:, -1] = 1
        return cls(steps, np.full(n_sequences, n_steps, dtype=np.intp))

    @property
    def n_features(self) -> int:
        return int(self.steps.shape[1]) - 1

    def gather(self, rows: Ints, out: Values) -> Values:
        return self.steps.take(rows, axis=0, out=out, mode="clip")


@dataclass(frozen=True)
class SequencesInPlace(FeatureSequences):
    """Sequences of equal lengths in an array of the caller's, read where they lie: `gather` writes the column of ones.

    For prediction, which reads each step once.

    Examples
    --------
    >>> import numpy as np
    >>> data = SequencesInPlace.from_rectangle(np.array([[[1.0], [2.0]]]))
    >>> data.gather(np.array([1, 0]), np.empty((2, 2)))
    array([[2., 1.],
           [1., 1.]])
    """

    @classmethod
    def from_rectangle(cls, X: Floats) -> Self:
        """Read an array in place, if it is C-contiguous."""
        n_sequences, n_steps, n_features = X.shape
        return cls(X.reshape(-1, n_features), np.full(n_sequences, n_steps, dtype=np.intp))

    @property
    def n_features(self) -> int:
        return int(self.steps.shape[1])

    def gather(self, rows: Ints, out: Values) -> Values:
        out[:, :-1] = self.steps.take(rows, axis=0)
        out[:, -1] = 1
        return out


@dataclass(frozen=True)
class TokenSequences(Sequences):
    """Sequences of tokens, one id for each step; all in one array.

    Attributes
    ----------
    ids : ndarray of shape (n_rows,), unsigned integer
        Numbers of tokens, in the smallest dtype that holds them all: one byte for up to 256.
    lengths : ndarray of shape (n_sequences,), dtype intp
        Number of steps of each sequence.
    offsets : ndarray of shape (n_sequences,), dtype intp
        Row of `ids` where each sequence begins.

    Examples
    --------
    >>> import numpy as np
    >>> data = TokenSequences(np.array([3, 0, 1, 3, 2], dtype=np.uint8), np.array([3, 2]), np.array([0, 3]))
    >>> data.gather(np.array([0, 1, 3]), np.empty((3, 1), dtype=np.intp)).ravel()
    array([3, 0, 3])
    >>> data.arrays()
    [array([3, 0, 1], dtype=uint8), array([3, 2], dtype=uint8)]
    """

    ids: Ints
    lengths: Ints
    offsets: Ints

    has_features = False

    @property
    def n_rows(self) -> int:
        return len(self.ids)

    def slices(self, offsets: Ints, lengths: Ints) -> Self:
        return replace(self, lengths=lengths, offsets=offsets)

    def astype(self, dtype: np.dtype | type) -> Self:
        return self

    def arrays(self) -> list[Values]:
        return self.views(self.ids)

    def gather(self, rows: Ints, out: Values) -> Values:
        out[:, 0] = self.ids[rows]
        return out


@dataclass(frozen=True)
class NextTokenSequences(TokenSequences):
    """Sequences of tokens, each of which is to be predicted from those before it.

    Step t of a sequence reads the id at row ``offset + t`` and is to predict the one behind it. So a sequence of n
    steps, which may be 0 where nothing is learned, covers n + 1 ids, which `arrays` gives, and the last id of a slice
    is the first of the slice that follows.

    Examples
    --------
    >>> import numpy as np
    >>> data = NextTokenSequences(np.array([3, 0, 1, 3, 2], dtype=np.uint8), np.array([2, 1]), np.array([0, 3]))
    >>> data.next_ids[[0, 1, 3]]
    array([0, 1, 2], dtype=uint8)
    """

    @property
    def next_ids(self) -> Ints:
        """What is to be predicted at each row of `ids`, shape (n_rows - 1,): the id behind it."""
        return self.ids[1:]

    def arrays(self) -> list[Values]:
        return _slices(self.ids, self.offsets, self.offsets + self.lengths + 1)

    def parts(self, whole: Ints, offsets: Ints, lengths: Ints) -> Self:
        """Parts of the sequences, each of which opens with the id that its sequence opens with, in a copy of the ids.

        A model that begins at zero knows nothing of the id before; so it learns how sequences begin. `next_ids` of the
        copy mean nothing.
        """
        ids = self.ids.copy()
        ids[offsets] = self.ids[self.offsets[whole]]
        return replace(self, ids=ids, lengths=lengths, offsets=offsets)


def _slices(rows: Values, first: Ints, last: Ints) -> list[Values]:
    """Slices of `rows`, from each first row to the last."""
    return [rows[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True)]
