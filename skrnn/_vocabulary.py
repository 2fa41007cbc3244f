"""Tokens and their numbers.

Columns: the ordinary tokens ``classes_``, then END if it is modelled, then UNKNOWN. As inputs there is one more, begin,
which opens every sequence and is never predicted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import count
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from ._validation.values import DTYPES, PlainValue, exact_array, plain_values, shown_all
from .core.cached import cached_property
from .core.data.sequences import NextTokenSequences, TokenSequences

Chunks = Iterable[tuple[np.ndarray, str | list[PlainValue]]]
"""Tokens of sequences behind each other, some at a time: which sequence each is of (N,), and the tokens."""


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


def is_single(tokens: Any) -> bool:
    """Tell whether a token stands for itself, where there could be a list of them."""
    return isinstance(tokens, (str, Real, np.generic, SpecialToken))


class _Codes(dict[PlainValue, int]):
    """Number of each token, and of all others."""

    def __init__(self, tokens: Iterable[PlainValue], unknown: int) -> None:
        super().__init__(zip(tokens, count()))
        self._unknown = unknown

    def __missing__(self, token: PlainValue) -> int:
        return self._unknown


@dataclass(frozen=True)
class Vocabulary:
    """Tokens <-> integers.

    Tokens are the same if Python says that they are equal: 1, 1.0 and True, but not "1".

    Parameters
    ----------
    tokens : ndarray of shape (V,)
        The ordinary tokens, sorted unless they were given.
    has_end : bool
        Whether END is modelled.
    learns_unknown : bool
        Whether UNKNOWN stands for tokens of the training data, and so has a column of the network's own.
    reads_characters : bool, default=True
        Whether a str is a sequence, of its characters; not if the tokens are longer and all came in lists.
    """

    tokens: np.ndarray
    has_end: bool
    learns_unknown: bool
    reads_characters: bool = True

    def to_values(self) -> dict[str, Any]:
        """Return what it is made from, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

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

    @property
    def is_text(self) -> bool:
        """Whether the tokens are strings; else they are numbers."""
        return isinstance(self.tokens[:1].tolist()[0], str)

    @property
    def longest_token(self) -> PlainValue:
        """An example of what the tokens are."""
        return max(self.tokens.tolist(), key=lambda token: len(token) if isinstance(token, str) else 0)

    @cached_property
    def _codes(self) -> _Codes:
        return _Codes(self.tokens.tolist(), self.unknown)

    @cached_property
    def _code_of_point(self) -> np.ndarray:
        """Number of the character of each code point, up to the first that is beyond all tokens."""
        points = {ord(token): code for token, code in self._codes.items() if isinstance(token, str) and len(token) == 1}
        codes = np.full(max(points, default=-1) + 2, self.unknown)
        codes[list(points)] = list(points.values())
        return codes

    def encode(self, tokens: str | list[PlainValue]) -> np.ndarray:
        """Return the number of each token; UNKNOWN's for those that are not in the vocabulary."""
        if isinstance(tokens, str):
            points = np.frombuffer(tokens.encode("utf-32-le", "surrogatepass"), dtype="<u4")
            return self._code_of_point[np.minimum(points, len(self._code_of_point) - 1)]
        return np.fromiter(map(self._codes.__getitem__, tokens), dtype=np.intp, count=len(tokens))

    def find(self, token: Any, where: str) -> int | None:
        """Return the number of one token, END and UNKNOWN among them, or None; raise for another kind of token."""
        if isinstance(token, SpecialToken):
            return {END: self.end if self.has_end else None, UNKNOWN: self.unknown}[token]
        (value,) = plain_values([token], lambda _: where)
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"{where} is {value}. Tokens must be finite.")
        self.check_kind(isinstance(value, str), where)
        return self._codes.get(value)

    def check_kind(self, is_text: bool, where: str) -> None:
        """Raise unless tokens that are strings, or are not, are of the kind that the vocabulary holds."""
        if is_text != self.is_text:
            kinds = "numbers", "strings"
            raise TypeError(
                f"{where} holds {kinds[is_text]}, but the model was fitted on {kinds[self.is_text]}, "
                f"{shown_all(self.tokens.tolist())}. Pass tokens of that kind: convert them, for example with "
                f"{'str' if self.is_text else 'int'}."
            )

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the tokens of numbers: in the dtype of the data where it can hold them, else as objects."""
        if codes.size == 0 or codes.max() < len(self.tokens):
            return self.tokens[codes]
        return self.column_tokens[codes]

    def inputs(self, chunks: Chunks, lengths: np.ndarray) -> TokenSequences:
        """Return the tokens of sequences that come in chunks as numbers, one a step; see `sequences`."""
        ids = np.empty(int(lengths.sum()), np.min_scalar_type(self.unknown))
        n_read = 0
        for _, tokens in chunks:
            ids[n_read : n_read + len(tokens)] = self.encode(tokens)
            n_read += len(tokens)
        return TokenSequences(ids, lengths, np.cumsum(lengths) - lengths)

    def sequences(self, chunks: Chunks, lengths: np.ndarray, with_final_step: bool) -> NextTokenSequences:
        """Return begin, the tokens, and perhaps one step more, of sequences that come in chunks.

        Parameters
        ----------
        chunks : iterable of (ndarray of shape (N,), str or list of length N)
            Of which sequence each token is, and the tokens; in their order.
        lengths : ndarray of shape (n,)
            Number of tokens of each sequence; may be 0.
        with_final_step : bool
            Whether there is a step after the last token, too. Its target is END, or means nothing where END is not
            modelled.

        Returns
        -------
        sequences : NextTokenSequences
            With numbers of tokens as ids.
        """
        n_ids = lengths + 1 + with_final_step
        offsets = np.cumsum(n_ids) - n_ids
        ids = np.empty(n_ids.sum(), np.min_scalar_type(self.begin))
        ids[offsets] = self.begin
        if with_final_step:
            ids[offsets + n_ids - 1] = self.end if self.has_end else self.begin
        n_read = 0
        for indices, tokens in chunks:
            n_special = 1 + indices * (1 + with_final_step)  # ids before each token that no data hold
            ids[np.arange(n_read, n_read + len(tokens)) + n_special] = self.encode(tokens)
            n_read += len(tokens)
        return NextTokenSequences(ids, n_ids - 1, offsets)


def make_vocabulary(
    tokens: Iterable[PlainValue], dtypes: Iterable[np.dtype], has_end: bool, learns_unknown: bool, has_texts: bool
) -> Vocabulary:
    """Return the vocabulary of distinct tokens in their order; they came in arrays of `dtypes`, or some in texts."""
    array = exact_array(list(tokens), dtypes)
    is_of_characters = all(len(token) == 1 for token in array.tolist() if isinstance(token, str))
    return Vocabulary(array, has_end, learns_unknown, has_texts or is_of_characters)


def count_tokens(chunks: Chunks, weights: np.ndarray) -> tuple[dict[PlainValue, float], set[np.dtype]]:
    """Return how often each distinct token comes, and the dtypes that NumPy has for the types of all numbers.

    A token counts as much as `weights` (n,) says of its sequence.
    """
    counts: dict[PlainValue, float] = {}
    types: set[type] = set()
    for indices, tokens in chunks:
        codes: defaultdict[PlainValue, int] = defaultdict(count().__next__)
        of_token = np.fromiter(map(codes.__getitem__, tokens), dtype=np.intp, count=len(tokens))
        for token, weight in zip(codes, np.bincount(of_token, weights[indices]).tolist()):
            counts[token] = counts.get(token, 0.0) + weight
        types |= set() if isinstance(tokens, str) else set(map(type, tokens))
    return counts, {DTYPES[kind] for kind in types - {str}}


def frequent_tokens(
    counts: dict[PlainValue, float], min_frequency: float | None, max_tokens: int | None
) -> list[PlainValue]:
    """Return the tokens that are not left to UNKNOWN: those with `min_frequency`, of these the `max_tokens` first."""
    total = sum(counts.values())
    kept = sorted(counts)
    if min_frequency is not None:
        least = min_frequency if isinstance(min_frequency, (int, np.integer)) else min_frequency * total
        kept = [token for token in kept if counts[token] >= least]
    if max_tokens is not None:
        kept = sorted(kept, key=lambda token: -counts[token])[:max_tokens]
    if not kept:
        raise ValueError(
            f"No token is left: min_frequency={min_frequency} is more than the most frequent token has "
            f"({max(counts.values()):g} of {total:g}). Lower it."
        )
    return kept


def count_equal(ids: np.ndarray, id_: int, size: int = 2**20) -> int:
    """Return how many of `ids` are `id_`, without a mask as long as a whole text."""
    return sum(int(np.count_nonzero(ids[first : first + size] == id_)) for first in range(0, len(ids), size))
