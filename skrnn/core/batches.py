"""Sequences side by side in memory: packed data sets, rectangular segments, minibatches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .cached import cached_property

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

    lengths: np.ndarray
    offsets: np.ndarray

    has_features: ClassVar[bool]
    """Whether rows are numbers, which may have to be scaled."""

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def n_steps(self) -> int:
        """Number of steps of all sequences together."""
        return int(self.lengths.sum())

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """Number of rows of the array."""

    @abstractmethod
    def pieces(self, offsets: np.ndarray, lengths: np.ndarray) -> Self:
        """Pieces of the sequences as sequences of their own, on the same memory.

        Piece i has ``lengths[i]`` steps, from row ``offsets[i]`` on.

        Parameters
        ----------
        offsets : ndarray of shape (n,), int
            Row where each piece begins.
        lengths : ndarray of shape (n,), int
            Its number of steps.

        Returns
        -------
        pieces : Sequences
            On the memory of these sequences.
        """

    @abstractmethod
    def gather(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
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
    def arrays(self) -> list[np.ndarray]:
        """What each sequence holds.

        Returns
        -------
        arrays : list of ndarray
            Views, one for each sequence.
        """

    def take(self, indices: np.ndarray) -> Self:
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
        return self.pieces(self.offsets[indices], self.lengths[indices])

    def views(self, rows: np.ndarray) -> list[np.ndarray]:
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

    steps: np.ndarray
    lengths: np.ndarray
    _offsets: np.ndarray | None = None

    has_features = True

    @cached_property
    def offsets(self) -> np.ndarray:
        """Row of `steps` where each sequence begins, shape (n_sequences,)."""
        return np.cumsum(self.lengths) - self.lengths if self._offsets is None else self._offsets

    @property
    def n_rows(self) -> int:
        return len(self.steps)

    @classmethod
    @abstractmethod
    def from_rectangle(cls, X: np.ndarray) -> Self:
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

    def pieces(self, offsets: np.ndarray, lengths: np.ndarray) -> Self:
        return replace(self, lengths=lengths, _offsets=offsets)

    def astype(self, dtype: np.dtype | type) -> Self:
        return replace(self, steps=self.steps.astype(dtype, copy=False))

    def arrays(self) -> list[np.ndarray]:
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
    def from_arrays(cls, arrays: Sequence[np.ndarray], dtype: np.dtype | type) -> PackedSequences:
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
    def from_rectangle(cls, X: np.ndarray) -> Self:
        """Pack an array, which is copied."""
        n_sequences, n_steps, n_features = X.shape
        steps = np.empty((n_sequences * n_steps, n_features + 1), dtype=X.dtype)
        steps[:, :-1] = X.reshape(-1, n_features)
        steps[:, -1] = 1
        return cls(steps, np.full(n_sequences, n_steps, dtype=np.intp))

    @property
    def n_features(self) -> int:
        return self.steps.shape[1] - 1

    def gather(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
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
    def from_rectangle(cls, X: np.ndarray) -> Self:
        """Read an array in place, if it is C-contiguous."""
        n_sequences, n_steps, n_features = X.shape
        return cls(X.reshape(-1, n_features), np.full(n_sequences, n_steps, dtype=np.intp))

    @property
    def n_features(self) -> int:
        return self.steps.shape[1]

    def gather(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        out[:, :-1] = self.steps.take(rows, axis=0)
        out[:, -1] = 1
        return out


@dataclass(frozen=True)
class TokenSequences(Sequences):
    """Sequences of tokens, each of which is to be predicted from those before it; all in one array, one id a token.

    Step t of a sequence reads the id at row ``offset + t`` and is to predict the one behind it. So a sequence of n
    steps spans n + 1 ids, which `arrays` gives, and the last id of a piece is the first of the piece that follows.

    Attributes
    ----------
    ids : ndarray of shape (M,), unsigned integer
        Numbers of tokens, in the smallest dtype that holds them all: one byte for up to 256.
    lengths : ndarray of shape (n_sequences,), dtype intp
        Number of steps of each sequence; may be 0 where nothing is learned.
    offsets : ndarray of shape (n_sequences,), dtype intp
        Row of `ids` where each sequence begins.

    Examples
    --------
    >>> import numpy as np
    >>> data = TokenSequences(np.array([3, 0, 1, 3, 2], dtype=np.uint8), np.array([2, 1]), np.array([0, 3]))
    >>> data.gather(np.array([0, 1, 3]), np.empty((3, 1), dtype=np.intp)).ravel()
    array([3, 0, 3])
    >>> data.next_ids[[0, 1, 3]]
    array([0, 1, 2], dtype=uint8)
    """

    ids: np.ndarray
    lengths: np.ndarray
    offsets: np.ndarray

    has_features = False

    @property
    def n_rows(self) -> int:
        return len(self.ids)

    @property
    def next_ids(self) -> np.ndarray:
        """What is to be predicted at each row of `ids`, shape (M - 1,): the id behind it."""
        return self.ids[1:]

    def pieces(self, offsets: np.ndarray, lengths: np.ndarray) -> Self:
        return replace(self, lengths=lengths, offsets=offsets)

    def astype(self, dtype: np.dtype | type) -> Self:
        return self

    def arrays(self) -> list[np.ndarray]:
        return _slices(self.ids, self.offsets, self.offsets + self.lengths + 1)

    def gather(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        out[:, 0] = self.ids[rows]
        return out


def _slices(rows: np.ndarray, first: np.ndarray, last: np.ndarray) -> list[np.ndarray]:
    """Slices of `rows`, from each first row to the last."""
    return [rows[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True)]


@dataclass(frozen=True)
class Segment:
    """A rectangle of a ragged batch: `n_steps` steps of its first `n_columns` sequences.

    Attributes
    ----------
    start : int
        Step of the sequences at which the segment begins.
    n_steps : int
        L, the number of its steps.
    n_columns : int
        n, the number of its sequences. Some may have ended: padding, which `spans` leaves out.
    spans : tuple of (int, int, int)
        ``(first, last, n_alive)``: between steps first and last of the segment the first n_alive sequences go on.
        The spans follow one another, with ever fewer sequences.
    """

    start: int
    n_steps: int
    n_columns: int
    spans: tuple[tuple[int, int, int], ...]


def cut_segments(lengths: np.ndarray, max_padding: float = 0, max_size: float = np.inf) -> tuple[Segment, ...]:
    """Cut a batch of sequences, longest first, into rectangles.

    A sequence that ends narrows the batch. Every border costs a little work of its own, so neighbouring rectangles are
    merged while that wastes few columns.

    Parameters
    ----------
    lengths : ndarray of shape (B,)
        Number of steps of each sequence, in decreasing order, at least 1.
    max_padding : float, default=0
        Column-steps of padding that a segment may hold. 0 cuts at every end and pads nothing; inf never cuts.
    max_size : float, default=inf
        Column-steps that a segment may hold; one step always fits.

    Returns
    -------
    segments : tuple of Segment
        In the order of time; together they cover every step of every sequence once.

    Examples
    --------
    >>> import numpy as np
    >>> [(s.start, s.n_steps, s.n_columns) for s in cut_segments(np.array([5, 5, 2]))]
    [(0, 2, 3), (2, 3, 2)]
    >>> cut_segments(np.array([5, 5, 2]), max_padding=10)
    (Segment(start=0, n_steps=5, n_columns=3, spans=((0, 2, 3), (2, 5, 2))),)
    """
    segments: list[Segment] = []
    spans: list[tuple[int, int, int]] = []
    start, width, padding = 0, 0, 0.0
    for first, last, n_alive in _spans_of_equal_width(lengths):
        padding += (last - first) * (width - n_alive)
        if spans and padding > max_padding:
            segments.extend(_split(start, width, spans, max_size))
            spans = []
        if not spans:
            start, width, padding = first, n_alive, 0.0
        spans.append((first, last, n_alive))
    segments.extend(_split(start, width, spans, max_size))
    return tuple(segments)


def rows_by_segment(rows: np.ndarray, segments: Sequence[Segment]) -> list[np.ndarray]:
    """Views (L, n, width) of `rows` (N, width), one for each segment.

    Parameters
    ----------
    rows : ndarray of shape (N, width)
        One column-step a row, segment after segment.
    segments : sequence of Segment
        How the N rows are cut.

    Returns
    -------
    views : list of ndarray of shape (L, n, width)
        Writing to a view writes to `rows`.

    Examples
    --------
    >>> import numpy as np
    >>> segments = cut_segments(np.array([3, 1]))
    >>> [view.shape for view in rows_by_segment(np.zeros((4, 5)), segments)]
    [(1, 2, 5), (2, 1, 5)]
    """
    views, start = [], 0
    for segment in segments:
        end = start + segment.n_steps * segment.n_columns
        views.append(rows[start:end].reshape(segment.n_steps, segment.n_columns, -1))
        start = end
    return views


def lay_side_by_side(steps: np.ndarray, out: np.ndarray) -> None:
    """Copy the steps of a segment into one matrix, one column for each column-step.

    Parameters
    ----------
    steps : ndarray of shape (L, rows, n)
        Values of each step; rows are contiguous.
    out : ndarray of shape (rows, L*n)
        Overwritten; its rows are contiguous.

    Examples
    --------
    >>> out = np.empty((1, 4))
    >>> lay_side_by_side(np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), out)
    >>> out
    array([[1., 2., 3., 4.]])
    """
    L, n_rows, n = steps.shape
    whole_row = np.dtype((np.void, n * steps.itemsize))  # copied as one item: 1.5 to 4 times faster than as n numbers
    out.reshape(n_rows, L, n).view(whole_row)[...] = steps.view(whole_row).transpose(1, 0, 2)


def _spans_of_equal_width(lengths: np.ndarray) -> list[tuple[int, int, int]]:
    """(first step, last step, number of sequences that go on) between the places where sequences end."""
    last_columns = [*(lengths[1:] != lengths[:-1]).nonzero()[0].tolist(), len(lengths) - 1]  # of each length
    last_columns.reverse()
    ends = lengths[last_columns].tolist()
    return [(first, last, column + 1) for first, last, column in zip([0, *ends[:-1]], ends, last_columns, strict=True)]


def _split(start: int, width: int, spans: list[tuple[int, int, int]], max_size: float) -> list[Segment]:
    """One rectangle in pieces of equal length that hold at most max_size column-steps."""
    n_steps = spans[-1][1] - start
    n_pieces = -(-n_steps // max(1, int(min(max_size / width, n_steps))))
    borders = [start + n_steps * k // n_pieces for k in range(n_pieces + 1)]
    return [
        Segment(
            begin,
            end - begin,
            width,
            tuple((max(a, begin) - begin, min(b, end) - begin, n) for a, b, n in spans if a < end and b > begin),
        )
        for begin, end in zip(borders[:-1], borders[1:], strict=True)
    ]


@dataclass(frozen=True)
class SequenceBatch:
    """Sequences sorted by decreasing length and cut into segments, with what belongs to each sequence.

    Attributes
    ----------
    data : Sequences
        Where the sequences are taken from.
    indices : ndarray of shape (B,)
        Which sequences of `data`: column j of every segment is sequence ``indices[j]``. Longest first.
    segments : tuple of Segment
        The rectangles.
    targets : ndarray
        Of all data: of shape (len(data), ...), one a sequence, or beside the rows of the data, one a step. Empty where
        nothing is learned.
    weights : ndarray of shape (B,)
        Weight of each column's loss, already divided by the normaliser.
    masks : tuple of ndarray of shape (B, n_outputs) or None
        For each layer the factor of each output of each sequence: 0 where dropped out, else 1 / (1 - dropout).
    follows : ndarray of shape (B,), int, or None
        Which column of the batch before each column goes on from; -1 where a sequence begins. None where nothing is
        carried from batch to batch: every sequence is whole.
    """

    data: Sequences
    indices: np.ndarray
    segments: tuple[Segment, ...]
    targets: np.ndarray
    weights: np.ndarray
    masks: tuple[np.ndarray, ...] | None = None
    follows: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        """N, the number of column-steps of all segments, padding included."""
        return sum(segment.n_steps * segment.n_columns for segment in self.segments)

    @property
    def mean_width(self) -> float:
        """Number of columns of a step, on average."""
        return self.n_rows / sum(segment.n_steps for segment in self.segments)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Number of steps of each column, shape (B,)."""
        return self.data.lengths[self.indices]

    @cached_property
    def rows(self) -> np.ndarray:
        """Row of `data` of each of the N column-steps, segment after segment and step after step."""
        offsets, last = self.data.offsets[self.indices], self.lengths - 1
        # padding repeats the last step: finite, and inert
        return self._by_row(lambda steps, n: offsets[:n] + np.minimum(steps, last[:n]))

    def gather(self, out: np.ndarray) -> np.ndarray:
        """Write the steps of all segments into `out` (N, ...), one column-step a row.

        Parameters
        ----------
        out : ndarray of shape (N, ...)
            Overwritten.

        Returns
        -------
        out : ndarray
            The argument `out`.
        """
        return self.data.gather(self.rows, out)

    def weights_of_rows(self) -> np.ndarray:
        """Weight of each of the N column-steps: its column's, or 0 where that has ended.

        Returns
        -------
        weights : ndarray of shape (N,)
            Not negative.
        """
        lengths, weights = self.lengths, self.weights
        return self._by_row(lambda steps, n: np.where(steps < lengths[:n], weights[:n], 0))

    def reversal(self) -> np.ndarray:
        """For each of the N rows the row of the same sequence at the mirrored step; an involution. Padding stays.

        Returns
        -------
        rows : ndarray of shape (N,), int
            ``rows[rows]`` is every row itself.
        """
        width = np.concatenate([np.full(s.n_steps, s.n_columns) for s in self.segments])
        first_row = np.cumsum(width) - width  # of each step
        lengths, columns = self.lengths, np.arange(len(self.indices))

        def mirrored_row(steps: np.ndarray, n: int) -> np.ndarray:
            mirrored = lengths[:n] - 1 - steps
            return first_row[np.where(mirrored >= 0, mirrored, steps)] + columns[:n]

        return self._by_row(mirrored_row)

    def _by_row(self, value: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
        """Values (N,) of all column-steps, from ``value(steps (L, 1), n) -> (L, n)`` of each segment's."""
        values = [value(np.arange(s.start, s.start + s.n_steps)[:, None], s.n_columns).ravel() for s in self.segments]
        return values[0] if len(values) == 1 else np.concatenate(values)


class Batcher(ABC):
    """Contract of what a sampler asks of a model: to cut a batch so that it suits it, and to draw its dropout."""

    @abstractmethod
    def batch(
        self,
        data: Sequences,
        indices: np.ndarray,
        targets: np.ndarray | None = None,
        weights: np.ndarray | None = None,
        masks: tuple[np.ndarray, ...] | None = None,
        follows: np.ndarray | None = None,
    ) -> SequenceBatch:
        """Sort the sequences at `indices` of `data` by length, and cut them.

        Parameters
        ----------
        data : Sequences
            Where the sequences are taken from.
        indices : ndarray of shape (B,), int
            Which sequences.
        targets, weights, masks, follows : ndarray, ndarray, tuple of ndarray, ndarray, optional
            See `SequenceBatch`; but for the targets they belong to `indices`, entry by entry. Weights are 1 by default.

        Returns
        -------
        batch : SequenceBatch
            The longest sequence first.
        """

    @abstractmethod
    def draw_masks(self, rng: np.random.Generator, n: int, dtype: np.dtype) -> tuple[np.ndarray, ...] | None:
        """Dropout masks of `n` sequences, 0 or 1 / (1 - dropout), or None without dropout.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draws.
        n : int
            Number of sequences.
        dtype : dtype
            Of the masks.

        Returns
        -------
        masks : tuple of ndarray of shape (n, n_outputs), or None
            One for each layer.
        """


def minibatches(n: int, batch_size: int, rng: np.random.Generator | None = None) -> list[np.ndarray]:
    """Deal the numbers 0 to n - 1 into batches: at random, or in order without a generator.

    Parameters
    ----------
    n : int
        How many sequences there are.
    batch_size : int
        How many of them a batch has; the last one may have fewer. A single batch is never shuffled.
    rng : numpy.random.Generator, optional
        Source of the order.

    Returns
    -------
    batches : list of ndarray of shape (batch_size,)
        Each number once.

    Examples
    --------
    >>> minibatches(5, batch_size=2)
    [array([0, 1]), array([2, 3]), array([4])]
    """
    order = np.arange(n) if rng is None or batch_size >= n else rng.permutation(n)
    return np.split(order, range(batch_size, n, batch_size))
