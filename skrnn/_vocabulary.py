"""Tokens and their numbers.

Columns: the ordinary tokens ``classes_``, then END if it is modelled, then UNKNOWN. As inputs there is one more, begin,
which opens every sequence and is never predicted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from .core.batches import TokenSequences


class SpecialToken:
    """A token that no data hold.

    Parameters
    ----------
    name : str
        How it is called in `skrnn`.

    Examples
    --------
    >>> import pickle
    >>> from skrnn import END, UNKNOWN
    >>> [END, UNKNOWN], END == "END"
    ([END, UNKNOWN], False)
    >>> pickle.loads(pickle.dumps(END)) is END
    True
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
        known = self.tokens
        if known.dtype == tokens.dtype:
            known, tokens = _sortable(known), _sortable(tokens)
        codes = np.searchsorted(known, tokens).clip(max=len(known) - 1)
        return np.where(known[codes] == tokens, codes, self.unknown)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Tokens of numbers: in the dtype of the data where it can hold them, else as objects."""
        if codes.size == 0 or codes.max() < len(self.tokens):
            return self.tokens[codes]
        return self.column_tokens[codes]

    def sequences(
        self, chunks: Iterable[tuple[np.ndarray, np.ndarray]], lengths: np.ndarray, is_closed: bool
    ) -> TokenSequences:
        """Begin, the tokens, and perhaps one step more, of sequences that come in chunks.

        Parameters
        ----------
        chunks : iterable of (ndarray of shape (N,), ndarray of shape (N,))
            Of which sequence each token is, and the tokens; in their order.
        lengths : ndarray of shape (n,)
            Number of tokens of each sequence; may be 0.
        is_closed : bool
            Whether there is a step after the last token, too. Its target is END, or means nothing where END is not
            modelled.

        Returns
        -------
        sequences : TokenSequences
            With numbers of tokens as ids.
        """
        n_ids = lengths + 1 + is_closed
        offsets = np.cumsum(n_ids) - n_ids
        ids = np.empty(n_ids.sum(), np.min_scalar_type(self.begin))
        ids[offsets] = self.begin
        if is_closed:
            ids[offsets + n_ids - 1] = self.end if self.has_end else self.begin
        n_read = 0
        for indices, tokens in chunks:
            n_special = 1 + indices * (1 + is_closed)  # ids before each token that no data hold
            ids[np.arange(n_read, n_read + len(tokens)) + n_special] = self.encode(tokens)
            n_read += len(tokens)
        return TokenSequences(ids, n_ids - 1, offsets)


def learn_vocabulary(
    chunks: Iterable[tuple[np.ndarray, np.ndarray]],
    weights: np.ndarray,
    has_end: bool,
    min_frequency: float | None,
    max_tokens: int | None,
) -> Vocabulary:
    """Vocabulary of the tokens in `chunks`, as for `Vocabulary.sequences`; the rare ones are left to UNKNOWN.

    A token counts as much as `weights` (n,) says of its sequence.
    """
    distinct, counts = reduce(_added, (_counted(tokens, weights[indices]) for indices, tokens in chunks))
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


def _counted(tokens: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct tokens (V,) among tokens (N,), and the summed weights (V,) of each."""
    distinct, codes = np.unique(_sortable(tokens), return_inverse=True)
    return distinct.view(tokens.dtype), np.bincount(codes, weights=weights, minlength=len(distinct))


def _added(*counted: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """As `_counted`, of what several are of together."""
    return _counted(*map(np.concatenate, zip(*counted, strict=True)))


def _sortable(tokens: np.ndarray) -> np.ndarray:
    """Tokens, but characters as their code points: numbers in the same order, which sort many times faster."""
    return tokens.view(np.uint32) if tokens.dtype == np.dtype("U1") else tokens
