"""A batch: some sequences, longest first, with their targets and weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Ints, Values
from ..cached import cached_property
from .segments import EXACT, Cutting, Segment, cut_segments
from .sequences import Sequences

D = TypeVar("D", bound=np.generic)

_NO_TARGETS = np.empty(0, np.intp)


@dataclass(frozen=True)
class SequenceBatch:
    """Sequences sorted by decreasing length, with what belongs to each sequence.

    Attributes
    ----------
    data : Sequences
        Where the sequences are taken from.
    indices : ndarray of shape (B,)
        Which sequences of `data`: column j of every segment is sequence ``indices[j]``. Longest first.
    cutting : Cutting
        How the batch is cut into segments.
    targets : ndarray
        Of all data: of shape (len(data), ...), one a sequence, or beside the rows of the data, one a step. Empty where
        nothing is learned.
    weights : ndarray of shape (B,)
        Weight of each column's loss, already divided by the normaliser.
    masks : tuple of ndarray of shape (B, n_outputs) or None
        For each layer the factor of each output of each sequence: 0 where dropped out, else 1 / (1 - dropout).
    follows : ndarray of shape (B,), int, or None
        Which column of the batch before each column continues; -1 where a sequence begins. None where nothing is
        carried from batch to batch: every sequence is whole.
    """

    data: Sequences
    indices: Ints
    cutting: Cutting
    targets: Values
    weights: Floats
    masks: tuple[Floats, ...] | None = None
    follows: Ints | None = None

    @property
    def n_rows(self) -> int:
        """N, the number of time steps of all segments, padding included."""
        return sum(segment.n_steps * segment.n_columns for segment in self.segments)

    @property
    def mean_width(self) -> float:
        """Number of columns of a step, on average."""
        return self.n_rows / sum(segment.n_steps for segment in self.segments)

    @cached_property
    def lengths(self) -> Ints:
        """Number of steps of each column, shape (B,)."""
        return self.data.lengths[self.indices]

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The rectangles."""
        return cut_segments(self.lengths, self.cutting)

    @cached_property
    def rows(self) -> Ints:
        """Row of `data` of each of the N time steps, segment after segment and step after step."""
        offsets, last = self.data.offsets[self.indices], self.lengths - 1
        # padding repeats the last step: finite, and inert
        return self._by_row(lambda steps, n: offsets[:n] + np.minimum(steps, last[:n]))

    def take(self, columns: Ints) -> SequenceBatch:
        """Some columns, as a batch of their own.

        Parameters
        ----------
        columns : ndarray of shape (n,), int
            Which, in an order that leaves the longest first.

        Returns
        -------
        batch : SequenceBatch
            On the same data.
        """
        return replace(
            self,
            indices=self.indices[columns],
            weights=self.weights[columns],
            masks=None if self.masks is None else tuple(mask[columns] for mask in self.masks),
            follows=None if self.follows is None else self.follows[columns],
        )

    def windows(self, n_steps: int) -> Iterator[SequenceBatch]:
        """Cut the batch into windows of at most `n_steps` steps, in the order of time, one after another.

        Parameters
        ----------
        n_steps : int
            Longest window.

        Yields
        ------
        window : SequenceBatch
            See `window`.
        """
        for first in range(0, int(self.lengths[0]), n_steps):
            yield self.window(first, n_steps)

    def window(self, first: int, n_steps: int) -> SequenceBatch:
        """Some steps, on the same data: column j is column j of this batch, as long as that continues.

        Parameters
        ----------
        first : int
            Step at which the window begins.
        n_steps : int
            Longest window.

        Returns
        -------
        window : SequenceBatch
            The batch itself, if it is no longer.
        """
        if n_steps >= self.lengths[0]:
            return self
        n = np.count_nonzero(self.lengths > first)
        offsets = self.data.offsets[self.indices[:n]] + first
        return self.steps(offsets, np.minimum(self.lengths[:n] - first, n_steps))

    def steps(self, offsets: Ints, lengths: Ints) -> SequenceBatch:
        """Some steps of the first columns, on the same data, with their weights and masks; sorted by length.

        Parameters
        ----------
        offsets, lengths : ndarray of shape (n,), int
            Row of the data where each column begins, and its number of steps.

        Returns
        -------
        batch : SequenceBatch
            Nothing of it follows another batch.
        """
        n = len(lengths)
        first = replace(
            self.take(np.arange(n)), data=self.data.slices(offsets, lengths), indices=np.arange(n), follows=None
        )
        return first.take(np.argsort(-lengths, kind="stable"))

    def gather(self, out: Values) -> Values:
        """Write the steps of all segments into `out` (N, ...), one time step a row.

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

    def weights_of_rows(self) -> Floats:
        """Weight of each of the N time steps: its column's, or 0 where that has ended.

        Returns
        -------
        weights : ndarray of shape (N,)
            Not negative.
        """
        lengths, weights = self.lengths, self.weights
        return self._by_row(lambda steps, n: np.where(steps < lengths[:n], weights[:n], weights.dtype.type(0)))

    def reversal(self) -> Ints:
        """For each of the N rows the row of the same sequence at the mirrored step; an involution. Padding stays.

        Returns
        -------
        rows : ndarray of shape (N,), int
            ``rows[rows]`` is every row itself.
        """
        width = np.concatenate([np.full(s.n_steps, s.n_columns) for s in self.segments])
        first_row = np.cumsum(width) - width  # of each step
        lengths, columns = self.lengths, np.arange(len(self.indices))

        def mirrored_row(steps: Ints, n: int) -> Ints:
            mirrored = lengths[:n] - 1 - steps
            rows: Ints = first_row[np.where(mirrored >= 0, mirrored, steps)] + columns[:n]
            return rows

        return self._by_row(mirrored_row)

    def _by_row(self, value: Callable[[Ints, int], NDArray[D]]) -> NDArray[D]:
        """Values (N,) of all time steps, from ``value(steps (L, 1), n) -> (L, n)`` of each segment's."""
        values = [value(np.arange(s.start, s.start + s.n_steps)[:, None], s.n_columns).ravel() for s in self.segments]
        return values[0] if len(values) == 1 else np.concatenate(values)


@dataclass(frozen=True)
class Batcher:
    """How batches are made for a stack of layers: cut so that it suits the cell, with the dropout of its outputs.

    Attributes
    ----------
    cutting : Cutting
        Of every batch.
    dropout : float, default=0.0
        Probability with which an output of a layer is zero, for all steps of a sequence.
    n_layers, n_outputs : int, default=0
        Number of layers, and of the outputs of each.

    References
    ----------
    Gal and Ghahramani, *A theoretically grounded application of dropout in recurrent neural networks* (2016),
    section 4.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.core.data.sequences import PackedSequences
    >>> data = PackedSequences.from_arrays([np.ones((1, 2)), np.ones((3, 2))], np.float64)
    >>> batch = Batcher().batch(data, np.arange(2))
    >>> batch.indices, batch.lengths
    (array([1, 0]), array([3, 1]))
    """

    cutting: Cutting = EXACT
    dropout: float = 0.0
    n_layers: int = 0
    n_outputs: int = 0

    def batch(
        self,
        data: Sequences,
        indices: Ints,
        targets: Values | None = None,
        weights: Floats | None = None,
        masks: tuple[Floats, ...] | None = None,
        follows: Ints | None = None,
    ) -> SequenceBatch:
        """Sort the sequences at `indices` of `data` by length.

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
        targets = _NO_TARGETS if targets is None else targets
        weights = np.ones(len(indices)) if weights is None else weights
        batch = SequenceBatch(data, indices, self.cutting, targets, weights, masks, follows)
        return batch.take(np.argsort(-batch.lengths, kind="stable"))

    def draw_masks(self, rng: np.random.Generator, n: int, dtype: np.dtype) -> tuple[Floats, ...] | None:
        """Draw dropout masks of `n` sequences, 0 or 1 / (1 - dropout).

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draws.
        n : int
            How many sequences there are.
        dtype : dtype
            Of the masks.

        Returns
        -------
        masks : tuple of ndarray of shape (n, n_outputs), or None
            One for each layer; None without dropout.
        """
        if not self.dropout:
            return None
        scale = dtype.type(1 / (1 - self.dropout))
        return tuple((rng.random((n, self.n_outputs)) >= self.dropout) * scale for _ in range(self.n_layers))


def minibatches(n: int, batch_size: int, rng: np.random.Generator | None = None) -> list[Ints]:
    """Split the numbers 0 to n - 1 into batches: shuffled, or in order without a generator.

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
