"""How a data set becomes batches: whole sequences at random, or the next steps of several long ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arrays import Ints
from .batch import Batcher, SequenceBatch, minibatches
from .dataset import Dataset
from .sequences import Sequences


class Sampler(ABC):
    """Contract of a way to make batches; it serves any data."""

    cuts_sequences: ClassVar[bool] = False
    """Whether a column reads parts of sequences, so that there may be more or fewer columns than sequences."""

    @abstractmethod
    def batches(
        self,
        data: Dataset[Any],
        batcher: Batcher,
        batch_size: int,
        rng: np.random.Generator,
        dtype: np.dtype,
        shuffle: bool = True,
    ) -> Iterator[tuple[SequenceBatch, float]]:
        """One epoch: batches with the weights of `Dataset.batch_weights`, and the share of all targets that each has.

        Parameters
        ----------
        data : Dataset
            What is learned from.
        batcher : Batcher
            Cuts the batches, and draws dropout masks.
        batch_size : int
            Columns of a batch at most.
        rng : numpy.random.Generator
            Source of the order and the masks.
        dtype : dtype
            Of weights and masks.
        shuffle : bool, default=True
            Whether the sequences are shuffled.

        Yields
        ------
        batch : SequenceBatch
            With normalised weights.
        share : float
            Of all targets; an epoch's shares sum to 1.
        """

    @abstractmethod
    def max_batch_size(self, data: Dataset[Any]) -> int:
        """Largest number of columns that a batch of `data` can have.

        Parameters
        ----------
        data : Dataset
            What is learned from.

        Returns
        -------
        n : int
            At least 1.
        """

    @abstractmethod
    def auto_batch_size(self, data: Dataset[Any]) -> int:
        """Columns of a batch where the user does not say.

        Parameters
        ----------
        data : Dataset
            What is learned from.

        Returns
        -------
        n : int
            At most the largest number.
        """


@dataclass(frozen=True)
class Minibatches(Sampler):
    """Whole sequences, at random or in order.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.core.data.sequences import PackedSequences
    >>> from skrnn.core.data.batch import Batcher
    >>> sequences = PackedSequences.from_arrays([np.ones((n, 1)) for n in (3, 1, 2)], np.float64)
    >>> data = Dataset(sequences, np.array([0, 1, 1]), np.ones(3))
    >>> batches = Minibatches().batches(data, Batcher(), 2, np.random.default_rng(0), np.dtype(float), shuffle=False)
    >>> [(batch.lengths.tolist(), round(share, 3)) for batch, share in batches]
    [([3, 1], 0.667), ([2], 0.333)]
    """

    def batches(
        self,
        data: Dataset[Any],
        batcher: Batcher,
        batch_size: int,
        rng: np.random.Generator,
        dtype: np.dtype,
        shuffle: bool = True,
    ) -> Iterator[tuple[SequenceBatch, float]]:
        for indices in minibatches(len(data), batch_size, rng if shuffle else None):
            n_targets = int(data.n_targets_of[indices].sum())
            weights = data.batch_weights(indices, n_targets, dtype)
            masks = batcher.draw_masks(rng, len(indices), dtype)
            yield batcher.batch(data.sequences, indices, data.targets, weights, masks), n_targets / data.n_targets

    def max_batch_size(self, data: Dataset[Any]) -> int:
        return len(data)

    def auto_batch_size(self, data: Dataset[Any]) -> int:
        """As in scikit-learn's MLPClassifier."""
        return min(200, len(data))


@dataclass(frozen=True)
class TruncatedBPTT(Sampler):
    """The next steps of each column's sequence, with the state carried from batch to batch.

    A column that has come to the end of its sequence takes the next one, and its state begins at zero; so many short
    sequences are random batches, and long ones are read at the same time. A sequence longer than a column's share of
    all steps, such as a single text, is cut into parts that begin at zero, and with the id that opens a sequence.

    Parameters
    ----------
    n_steps : int
        Longest slice, through which the gradient flows back.

    References
    ----------
    Williams and Peng, *An efficient gradient-based algorithm for on-line training of recurrent network trajectories*
    (1990): truncated backpropagation through time.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.core.data.sequences import NextTokenSequences
    >>> from skrnn.core.data.batch import Batcher
    >>> sequences = NextTokenSequences(np.array([2, 0, 1, 0, 1, 1]), np.array([5]), np.array([0]))
    >>> data = Dataset(sequences, sequences.next_ids, np.ones(1), is_per_step=True)
    >>> batches = TruncatedBPTT(3).batches(data, Batcher(), 1, np.random.default_rng(0), np.dtype(float))
    >>> [(batch.lengths.tolist(), batch.follows.tolist()) for batch, share in batches]
    [([3], [-1]), ([2], [0])]
    """

    n_steps: int

    cuts_sequences = True

    def batches(
        self,
        data: Dataset[Any],
        batcher: Batcher,
        batch_size: int,
        rng: np.random.Generator,
        dtype: np.dtype,
        shuffle: bool = True,
    ) -> Iterator[tuple[SequenceBatch, float]]:
        if not data.is_per_step:
            raise ValueError("TruncatedBPTT cuts sequences, so each step needs a target of its own.")
        parts, whole = self._parts(data.sequences, batch_size)
        order = rng.permutation(len(parts)) if shuffle and len(parts) > batch_size else np.arange(len(parts))
        in_column, waiting = order[:batch_size], order[batch_size:]  # parts
        done = np.zeros(len(in_column), dtype=np.intp)
        is_carried = parts.lengths.max() > self.n_steps
        follows = np.full(len(in_column), -1)
        masks = batcher.draw_masks(rng, len(in_column), dtype)
        while len(in_column):
            lengths = np.minimum(parts.lengths[in_column] - done, self.n_steps)
            slices = parts.slices(parts.offsets[in_column] + done, lengths)
            columns, n_targets = np.arange(len(in_column)), int(lengths.sum())
            weights = data.batch_weights(whole[in_column], n_targets, dtype)
            batch = batcher.batch(slices, columns, data.targets, weights, masks, follows if is_carried else None)
            yield batch, n_targets / data.n_targets
            follows = np.argsort(batch.indices)  # where each was in the batch, which is sorted
            done += lengths
            ended = np.flatnonzero(done == parts.lengths[in_column])
            fresh, closed = ended[: len(waiting)], ended[len(waiting) :]
            in_column[fresh], waiting = waiting[: len(fresh)], waiting[len(fresh) :]
            done[fresh], follows[fresh] = 0, -1
            drawn = batcher.draw_masks(rng, len(fresh), dtype)
            if masks is not None and drawn is not None:
                for mask, mask_drawn in zip(masks, drawn, strict=True):
                    mask[fresh] = mask_drawn
            if len(closed):
                open_ = np.setdiff1d(columns, closed)
                in_column, done, follows = in_column[open_], done[open_], follows[open_]
                masks = None if masks is None else tuple(mask[open_] for mask in masks)

    def max_batch_size(self, data: Dataset[Any]) -> int:
        """One column for each sequence, or for each slice of those that are longer."""
        return int((-(-data.sequences.lengths // self.n_steps)).sum())

    def auto_batch_size(self, data: Dataset[Any]) -> int:
        """At most 64 columns, and more than sequences only where that leaves 50 updates an epoch.

        Measured: 64 reach 1.96 nats a character on first names, 200 reach 1.98; a text of 48,000 characters is learned
        to 1.94 on 8 columns, to 2.31 on 64.
        """
        return min(64, max(len(data), self.max_batch_size(data) // 50))

    def _parts(self, sequences: Sequences, batch_size: int) -> tuple[Sequences, Ints]:
        """Parts of sequences that are longer than a column's share and than `n_steps`, and of which each part is."""
        lengths, offsets = sequences.lengths, sequences.offsets
        longest = max(-(-int(lengths.sum()) // batch_size), self.n_steps)
        n_parts = -(-lengths // longest)
        whole = np.repeat(np.arange(len(lengths)), n_parts)
        if np.all(n_parts == 1):
            return sequences, whole
        k = np.arange(len(whole)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)  # which part of its sequence
        first, last = (lengths[whole] * part // n_parts[whole] for part in (k, k + 1))
        return sequences.parts(whole, offsets[whole] + first, last - first), whole
