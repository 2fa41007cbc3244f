"""Tokens and their numbers.

Columns: the ordinary tokens ``classes_``, then END if it is modelled, then UNKNOWN. As inputs there is one more, begin,
which opens every sequence and is never predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .core.batches import PackedSequences


class SpecialToken:
    """A token that no data hold.

    Parameters
    ----------
    name : str
        How it is called in `skrnn`.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __reduce__(self) -> str:  # a pickle names it, and finds the same object again
        return self._name


END = SpecialToken("END")
"""The end of a sequence."""
UNKNOWN = SpecialToken("UNKNOWN")
"""Every token that is not in the vocabulary."""


@dataclass(frozen=True)
class Vocabulary:
    """Tokens <-> integers.

    Parameters
    ----------
    tokens : ndarray of shape (V,)
        The ordinary tokens, sorted.
    has_end : bool
        Whether END is modelled.
    learns_unknown : bool
        Whether UNKNOWN stands for tokens of the training data, and so has a column of the network's own.
    """

    tokens: np.ndarray
    has_end: bool
    learns_unknown: bool

    @property
    def end(self) -> int:
        """Number of END."""
        return len(self.tokens)

    @property
    def unknown(self) -> int:
        """Number of UNKNOWN."""
        return len(self.tokens) + self.has_end

    @property
    def begin(self) -> int:
        """Number of begin, an input only."""
        return self.unknown + 1

    @property
    def n_outputs(self) -> int:
        """Number of columns that the network predicts."""
        return self.unknown + self.learns_unknown

    @property
    def column_tokens(self) -> np.ndarray:
        """Token of every column of a predicted distribution, object array."""
        columns = np.empty(self.begin, dtype=object)
        columns[: len(self.tokens)] = self.tokens.tolist()
        columns[len(self.tokens) :] = [END, UNKNOWN] if self.has_end else [UNKNOWN]
        return columns

    def encode(self, tokens: np.ndarray) -> np.ndarray:
        """Number of each token; UNKNOWN's for those that are not in the vocabulary."""
        if tokens.dtype.kind != self.tokens.dtype.kind and "U" in (tokens.dtype.kind, self.tokens.dtype.kind):
            return np.full(len(tokens), self.unknown)
        codes = np.searchsorted(self.tokens, tokens).clip(max=len(self.tokens) - 1)
        return np.where(self.tokens[codes] == tokens, codes, self.unknown)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Tokens of numbers: in the dtype of the data where it can hold them, else as objects."""
        if codes.size == 0 or codes.max() < len(self.tokens):
            return self.tokens[codes]
        return self.column_tokens[codes]

    def steps(self, codes: np.ndarray, lengths: np.ndarray, ends: np.ndarray | bool) -> PackedSequences:
        """Inputs and targets of sequences that lie behind each other.

        Parameters
        ----------
        codes : ndarray of shape (sum of lengths,)
            Numbers of the tokens.
        lengths : ndarray of shape (n,)
            Number of tokens of each sequence; may be 0.
        ends : bool or ndarray of shape (n,)
            Whether the end of each sequence is to be predicted, too.

        Returns
        -------
        sequences : PackedSequences
            Of steps (N, 2): begin and then each token as inputs, the tokens and then END as targets.
        """
        n_steps = lengths + ends
        steps = np.empty((n_steps.sum(), 2), dtype=np.int32)
        last = np.cumsum(n_steps)
        is_end = np.zeros(len(steps), dtype=bool)
        is_end[last[np.broadcast_to(ends, lengths.shape)] - 1] = True
        steps[~is_end, 1] = codes
        steps[is_end, 1] = self.end
        steps[1:, 0] = steps[:-1, 1]
        steps[(last - n_steps)[n_steps > 0], 0] = self.begin
        return PackedSequences(steps, n_steps)

    def prefixes(self, codes: np.ndarray, lengths: np.ndarray) -> PackedSequences:
        """Sequences as something to read and go on from: begin and every token as inputs, targets that mean nothing."""
        return self.steps(codes, lengths, np.ones(len(lengths), dtype=bool))


def learn_vocabulary(
    tokens: np.ndarray,
    weights: np.ndarray,
    has_end: bool,
    min_frequency: float | None,
    max_tokens: int | None,
) -> Vocabulary:
    """Vocabulary of tokens (N,) that weigh `weights` (N,); the rare ones are left to UNKNOWN."""
    distinct, codes = np.unique(tokens, return_inverse=True)
    counts = np.bincount(codes, weights=weights, minlength=len(distinct))
    keep = np.ones(len(distinct), dtype=bool)
    if min_frequency is not None:
        least = min_frequency if isinstance(min_frequency, (int, np.integer)) else min_frequency * counts.sum()
        keep &= counts >= least
    if max_tokens is not None:
        keep[np.argsort(-counts, kind="stable")[max_tokens:]] = False
    if not keep.any():
        raise ValueError(
            f"No token is left: min_frequency={min_frequency} is more than the most frequent token has "
            f"({counts.max():g} of {counts.sum():g}). Lower it."
        )
    return Vocabulary(distinct[keep], has_end, not keep.all())
