"""What is learned from: weighted sequences, with targets for each or for each of their steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from zlib import crc32

import numpy as np

from ..arrays import Floats, Ints, Values
from ..cached import cached_property
from .batch import Batcher, SequenceBatch
from .sequences import Sequences

AnySequences = TypeVar("AnySequences", bound=Sequences)


@dataclass(frozen=True)
class Dataset(Generic[AnySequences]):
    """A weighted set of sequences with what is to be learned of them.

    Attributes
    ----------
    sequences : Sequences
        n sequences.
    targets : ndarray of shape (n, ...) or (n_rows, ...)
        Class indices, or numbers: one of each sequence, or of each step, beside the rows of `sequences`.
    weights : ndarray of shape (n,), float64
        Weight of each sequence, positive, and of each of its targets; their mean normalises the loss.
    is_per_step : bool, default=False
        Whether each step has a target.
    counts : ndarray of shape (n,), int, or None
        How many targets of each sequence are known, at least 1; None for all.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.core.data.sequences import PackedSequences
    >>> sequences = PackedSequences.from_arrays([np.ones((2, 1)), np.ones((1, 1))], np.float64)
    >>> Dataset(sequences, np.array([4, 5]), np.ones(2)).n_targets
    2
    >>> Dataset(sequences, np.array([0, 1, 1]), np.ones(2), is_per_step=True).n_targets
    3
    """

    sequences: AnySequences
    targets: Values
    weights: Floats
    is_per_step: bool = False
    counts: Ints | None = None

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def n_targets(self) -> int:
        """Number of targets of all sequences together."""
        return int(self.n_targets_of.sum())

    @property
    def n_targets_of(self) -> Ints:
        """Number of known targets of each sequence, shape (n,)."""
        if self.counts is not None:
            return self.counts
        return self.sequences.lengths if self.is_per_step else np.ones(len(self), np.intp)

    @cached_property
    def total_weight(self) -> float:
        """Sum of the weights of all targets, by which the sum of all losses is divided."""
        return self._sum_of_targets(self.weights)

    def all_targets(self) -> tuple[Values, Floats]:
        """All targets and their weights, sequence after sequence.

        Returns
        -------
        targets : ndarray of shape (n_targets, ...)
            Of the sequences, or of their steps.
        weights : ndarray of shape (n_targets,), float64
            Of each.
        """
        if not self.is_per_step:
            return self.targets, self.weights
        targets = np.concatenate(self.sequences.views(self.targets))
        return targets, np.repeat(self.weights, self.sequences.lengths)

    def batch_weights(self, indices: Ints, n_targets: int, dtype: np.dtype) -> Floats:
        """Weights of the sequences of a batch: divided by the number of its targets and the mean weight of the set.

        Dividing by the batch's own weight instead would be biased: the loss of a minibatch would not be the mean of the
        set's in expectation.

        Parameters
        ----------
        indices : ndarray of shape (B,), int
            Which sequences.
        n_targets : int
            Number of targets that the batch has of them.
        dtype : dtype
            Of the weights.

        Returns
        -------
        weights : ndarray of shape (B,)
            For the losses of the batch.
        """
        relative, mean = self._relative_weights
        return (relative[indices] / (n_targets * mean)).astype(dtype)

    def full_batch(self, batcher: Batcher, dtype: np.dtype) -> SequenceBatch:
        """All sequences whole, in one batch without dropout.

        Parameters
        ----------
        batcher : Batcher
            Cuts the batch.
        dtype : dtype
            Of the weights.

        Returns
        -------
        batch : SequenceBatch
            With weights of all targets that sum to 1.
        """
        relative, _ = self._relative_weights
        weights = (relative / self._sum_of_targets(relative)).astype(dtype)
        return batcher.batch(self.sequences, np.arange(len(self)), self.targets, weights)

    def digest(self) -> str:
        """Tell this set from others by checksums: of its sequences, targets and weights, in their order.

        Returns
        -------
        digest : str
            The number of sequences, and the checksums.
        """
        targets = self.sequences.views(self.targets) if self.is_per_step else [self.targets]
        parts = [self.sequences.arrays(), targets, [self.sequences.lengths], [self.weights]]
        return " ".join([str(len(self)), *(_checksum(arrays) for arrays in parts)])

    def take(self, indices: Ints) -> Dataset[AnySequences]:
        """The sequences at `indices`, in that order, on the same memory.

        Parameters
        ----------
        indices : ndarray of shape (n,), int
            Which sequences.

        Returns
        -------
        taken : Dataset
            With their targets and weights.
        """
        targets = self.targets if self.is_per_step else self.targets[indices]
        counts = None if self.counts is None else self.counts[indices]
        taken = self.sequences.take(indices)
        return replace(self, sequences=taken, targets=targets, weights=self.weights[indices], counts=counts)

    def astype(self, dtype: np.dtype | type) -> Dataset[AnySequences]:
        """The same set for parameters of another dtype.

        Parameters
        ----------
        dtype : dtype
            Of the parameters.

        Returns
        -------
        converted : Dataset
            Its features have that dtype.
        """
        return replace(self, sequences=self.sequences.astype(dtype))

    def canonical(self) -> Dataset[AnySequences]:
        """The same weighted set in a form of its own: duplicates merged, their weights summed, ordered by content.

        Repeating a sequence and doubling its weight then give the same arrays: the same bits in a full-batch fit.

        Returns
        -------
        canonical : Dataset
            On the same memory.
        """
        targets = self.sequences.views(self.targets) if self.is_per_step else list(self.targets)
        groups: dict[tuple[bytes, bytes], list[int]] = {}
        for index, (target, array) in enumerate(zip(targets, self.sequences.arrays(), strict=True)):
            groups.setdefault((target.tobytes(), array.tobytes()), []).append(index)
        in_order = [groups[key] for key in sorted(groups)]
        merged = self.take(np.array([group[0] for group in in_order]))
        # sorted: the same sum in whatever order the members came
        return replace(merged, weights=np.array([np.sort(self.weights[group]).sum() for group in in_order]))

    @cached_property
    def _relative_weights(self) -> tuple[Floats, float]:
        """Weights (n,) divided by the largest, so that no scale of them overflows, and their mean over all targets."""
        relative = self.weights / self.weights.max()
        return relative, self._sum_of_targets(relative) / self.n_targets

    def _sum_of_targets(self, values: Floats) -> float:
        """Sum over all targets of what each sequence (n,) has."""
        if self.counts is not None:
            return float(values @ self.counts)
        return float(values @ self.sequences.lengths if self.is_per_step else values.sum())


def _checksum(arrays: list[Values]) -> str:
    checksum = 0
    for array in arrays:
        checksum = crc32(np.ascontiguousarray(array).data, checksum)
    return f"{checksum:08x}"
