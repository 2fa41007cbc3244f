"""What a user passes as tokens: sequences in, and sequences of the same kind out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from .._vocabulary import Vocabulary
from .._warnings import warn_caller
from .arrays import reject_masked
from .sequence_column import SequenceColumn, as_column, is_fitted_on_column, learn_column
from .values import PlainValue, as_list, exact_array, is_unordered, plain_values, reject_equal_columns, rows_of, shown

CHUNK_SIZE = 2**18
"""Tokens that are read at a time: a text never is in memory as a list of strings."""

Tokens = str | list[PlainValue]
"""A run of tokens; those of a str are its characters."""

_MIXED = "{} mixes strings with other tokens. Convert them, for example with str."


def read_sequences(estimator: Any, X: Any, *, reset: bool, name: str = "X") -> TokenReader:
    """Return what a user passes as X, which errors call `name`, ready to be read.

    With `reset` the estimator gets ``n_features_in_`` and ``feature_names_in_`` if X is 2-D, or loses them,
    ``_fitted_on_column``, and ``_sequence_type``, the name of the type that all sequences have, or "list". Otherwise a
    2-D X is held against them.
    """
    if isinstance(X, str):
        raise ValueError(f"{name} is a str, but a list of sequences is needed. Pass [text] if {name} is one text.")
    reject_masked(X, name)
    if getattr(X, "shape", None) == ():
        raise TypeError(f"{name} is {shown(X)}, without dimensions, but a list of sequences is needed. Pass [text].")
    X = as_column(X, name)
    if is_table(X):
        return _read_table(estimator, X, reset, name)
    items = _list_of_sequences(X, name)
    if not items:
        raise ValueError(f"{name} is empty: at least one sequence is needed.")
    sequences = TokenReader.open(items, name)
    if reset:
        types = {str if isinstance(item, str) else type(item) for item in items}
        estimator._sequence_type = types.pop().__name__ if types in ({str}, {tuple}, {np.ndarray}) else "list"
        for attribute in {"n_features_in_", "feature_names_in_"} & vars(estimator).keys():
            delattr(estimator, attribute)
        learn_column(estimator, X)
    elif isinstance(X, SequenceColumn) and is_fitted_on_column(estimator):
        validate_data(estimator, X.table, reset=False, skip_check_array=True)
    return sequences


def _list_of_sequences(X: Any, name: str) -> list[Any]:
    """Return the items of an X that is no table; what they are is not looked at."""
    if is_unordered(X):
        raise TypeError(
            f"{name} is a {type(X).__name__}, which has no order. Pass a list of sequences"
            + (f", for example list({name}.values())." if hasattr(X, "values") else ".")
        )
    if not isinstance(X, Iterable) or isinstance(X, (bytes, bytearray, memoryview)):
        raise TypeError(f"{name} is {shown(X)}, but a list of sequences is needed.")
    if isinstance(X, np.ndarray) and X.dtype.kind not in "OUT":
        check_array(X, dtype=None, input_name=name)  # raises: neither a table nor sequences
    return list(X) if isinstance(X, np.ndarray) and X.dtype.kind == "O" else as_list(X)


def _read_table(estimator: Any, X: Any, reset: bool, name: str) -> TokenReader:
    """Return a 2-D X of as many tokens in each row, as `read_sequences`."""
    reject_equal_columns(X, name)
    if not reset and hasattr(estimator, "n_features_in_") and not is_fitted_on_column(estimator):
        validate_data(estimator, X, reset=False, skip_check_array=True)
    sequences = TokenReader.open(_rows(estimator, X, name), name)
    if reset:
        validate_data(estimator, X, reset=True, skip_check_array=True)
        learn_column(estimator, X)
        estimator._sequence_type = "ndarray"
        if (sequences.lengths == 1).all() and isinstance(text := as_list(sequences.items[0])[0], str) and len(text) > 1:
            warn_caller(
                f"{name} is a table of one column, so every sequence is one token, such as {shown(text)}. If the "
                f"column holds texts, pass it alone, {name}['name'] or {name}[:, 0]: each is a sequence of characters."
            )
    return sequences


def _rows(estimator: Any, X: Any, name: str) -> Iterable[Any]:
    """Return the rows of a table: typed where all of it has one dtype of NumPy's, so that no column changes another."""
    is_frame = hasattr(X, "columns")
    if is_frame:
        dtypes = set(getattr(X, "dtypes", [None]))
        if len(dtypes) != 1 or not isinstance(dtypes.pop(), np.dtype):
            rows = rows_of(X)
            if not rows or not rows[0]:
                check_array(np.empty((len(rows), len(X.columns))), estimator=estimator, input_name=name)  # raises
            return rows
    if isinstance(X, np.ndarray) and X.dtype.kind == "T":
        X = X.astype(object)
    return check_array(X, dtype=None, estimator=estimator, input_name=name)


def read_prompts(prompts: Any, empty_prompt: Any) -> list[Any]:
    """Return prompts as a list of sequences; one empty prompt for None."""
    if prompts is None:
        return [empty_prompt]
    if isinstance(prompts, str):
        return [prompts]
    reject_masked(prompts, "prompts")
    prompts = as_column(prompts, "prompts")
    if is_table(prompts):
        rows = rows_of(prompts) if hasattr(prompts, "columns") else np.asarray(prompts)
        if np.ndim(rows) == 0:  # sparse
            raise TypeError(f"prompts is {shown(prompts)}, but a list of sequences is needed.")
        return list(rows)
    return _list_of_sequences(prompts, "prompts")


def is_table(X: Any) -> bool:
    """Tell whether X is 2-D: an array, a frame, a sparse matrix, or what makes itself an array; never a list."""
    if hasattr(X, "shape"):
        return len(X.shape) == 2
    return not isinstance(X, Sequence) and hasattr(X, "__array__") and np.asarray(X).ndim == 2


@dataclass(frozen=True)
class TokenReader:
    """Sequences of tokens as they were passed, which are read a bounded number of tokens at a time.

    Attributes
    ----------
    items : list of str, list, tuple or ndarray
        The sequences; a str is one of characters.
    lengths : ndarray of shape (n,), dtype intp
        Number of tokens of each; may be 0.
    places : ndarray of shape (n,), dtype intp
        Which item of what was passed each of them is.
    name : str
        What errors call that.
    vocabulary : Vocabulary or None
        Whose kind the tokens must have, strings or numbers; None takes either.
    """

    items: list[Any]
    lengths: np.ndarray
    places: np.ndarray
    name: str
    vocabulary: Vocabulary | None = None

    @classmethod
    def open(cls, items: Iterable[Any], name: str = "X") -> TokenReader:
        """Take the items, each of which must be a sequence; what it holds is looked at when it is read."""
        sequences = [_as_sequence(item, f"{name}[{i}]") for i, item in enumerate(items)]
        lengths = np.fromiter(map(len, sequences), dtype=np.intp, count=len(sequences))
        return cls(sequences, lengths, np.arange(len(sequences)), name)

    def take(self, indices: np.ndarray) -> TokenReader:
        """Return the sequences at `indices`, in that order."""
        items = [self.items[i] for i in indices]
        return TokenReader(items, self.lengths[indices], self.places[indices], self.name)

    def expecting(self, vocabulary: Vocabulary) -> TokenReader:
        """Return the same sequences, of which tokens of another kind than the vocabulary's are refused."""
        if not vocabulary.reads_characters:
            for item, place in zip(self.items, self.places):
                if isinstance(item, str) and item:
                    raise TypeError(
                        f"{self.name}[{place}] is the str {shown(item)}, whose tokens would be its characters, but the "
                        f"model was fitted on lists of longer tokens such as {shown(vocabulary.longest_token)}. Pass "
                        f"lists of tokens: [{shown(item.split() or [item])}] for one sequence."
                    )
        return replace(self, vocabulary=vocabulary)

    @property
    def has_texts(self) -> bool:
        """Whether a sequence is a str."""
        return any(isinstance(item, str) for item in self.items)

    @property
    def dtypes(self) -> set[np.dtype]:
        """Those of the sequences, if all are typed arrays; else none."""
        arrays = [item for item in self.items if isinstance(item, np.ndarray) and item.dtype != object]
        return {array.dtype for array in arrays} if len(arrays) == len(self.items) else set()

    def __iter__(self) -> Iterator[tuple[np.ndarray, Tokens]]:
        """Yield the tokens of all sequences behind each other, CHUNK_SIZE at a time.

        Yields
        ------
        indices : ndarray of shape (N,)
            Which sequence each token is of.
        tokens : str or list, of length N
            The tokens.
        """
        ends = np.cumsum(self.lengths)
        starts = ends - self.lengths
        item_of_kind: dict[bool, int] = {}  # the last that holds strings, the last that holds numbers
        for first in range(0, int(self.lengths.sum()), CHUNK_SIZE):
            last = first + CHUNK_SIZE
            i, j = int(np.searchsorted(ends, first, side="right")), int(np.searchsorted(starts, last))
            parts = self.items[i:j]
            parts[-1] = parts[-1][: last - starts[j - 1]]
            begin = int(max(0, first - starts[i]))
            parts[0] = parts[0][begin:]
            indices = np.repeat(np.arange(i, j), list(map(len, parts)))
            if all(isinstance(part, str) for part in parts):
                tokens: Tokens = "".join(parts)
                item_of_kind[True] = int(indices[-1])
                self._check_expected(tokens, int(indices[0]))
            else:
                tokens = []
                for k, part in enumerate(parts, i):
                    if len(part):
                        read = _plain_tokens(part, self._where(k), begin if k == i else 0)
                        item_of_kind[isinstance(read[0], str)] = k
                        self._check_expected(read, k)
                        tokens += read
            self._check_kinds(item_of_kind)
            yield indices, tokens

    def _where(self, k: int) -> str:
        return f"{self.name}[{self.places[k]}]"

    def _check_expected(self, tokens: Tokens, k: int) -> None:
        """Raise unless tokens of sequence k are of the vocabulary's kind."""
        if self.vocabulary is not None:
            self.vocabulary.check_kind(isinstance(tokens[0], str), self._where(k))

    def _check_kinds(self, item_of_kind: dict[bool, int]) -> None:
        """Raise unless all tokens are strings, or all are numbers."""
        places = {is_text: self._where(k) for is_text, k in item_of_kind.items()}
        if len(places) > 1:
            if places[True] == places[False]:
                raise ValueError(_MIXED.format(places[True]))
            raise ValueError(
                f"{places[True]} holds strings and {places[False]} numbers. Tokens must be all of one kind: convert "
                "them, for example with str."
            )


def read_tokens(tokens: Any, name: str) -> Tokens:
    """Return one sequence, which errors call `name`."""
    return _plain_tokens(_as_sequence(tokens, name), name)


def _as_sequence(item: Any, where: str) -> str | list[Any] | tuple[Any, ...] | np.ndarray:
    """Return one sequence in a form that can be sliced, not copied if it need not be."""
    if isinstance(item, str):
        return str.__str__(item)  # derived types may say otherwise of its length and characters
    if isinstance(item, (list, tuple)):
        return item
    reject_masked(item, where)
    shape = getattr(item, "shape", None)
    if hasattr(item, "columns") and shape is not None:
        raise TypeError(
            f"{where} is a {type(item).__name__}, but a sequence of tokens has no columns. Pass one of them: "
            f"{where}[{shown(next(iter(item.columns))) if len(item.columns) else 'name'}]."
        )
    if shape is not None and len(shape) != 1:
        raise ValueError(f"{where} has {len(shape)} dimensions (shape {shape}). A sequence of tokens has one.")
    if isinstance(item, np.ndarray):
        return item
    if is_unordered(item):
        raise TypeError(f"{where} is a {type(item).__name__}, which has no order. Pass a list of tokens.")
    is_readable = isinstance(item, Iterable) or hasattr(item, "__array__")
    if isinstance(item, (Real, bytes, bytearray)) or not is_readable:
        raise TypeError(f"{where} is {shown(item)}, but every item must be a sequence of tokens, or a str.")
    return as_list(item)


def _plain_tokens(part: Any, where: str, begin: int = 0) -> Tokens:
    """Return the tokens from place `begin` on of the sequence `where`: the text itself, or plain values of one kind."""
    if isinstance(part, str):
        return part
    if isinstance(part, np.ndarray):
        if part.dtype.kind not in "UTOiufb" or (part.dtype.itemsize > 8 and part.dtype.kind == "f"):
            raise TypeError(f"{where} has dtype {part.dtype}. Tokens must be strings, numbers or booleans.")
        part = part.tolist()
    tokens = plain_values(list(part), lambda t: f"{where}, position {begin + t}")
    types = set(map(type, tokens))
    if float in types:  # before what is mixed: pandas' missing texts are NaN
        for t, token in enumerate(tokens, begin):
            if isinstance(token, float) and not isfinite(token):
                raise ValueError(
                    f"Input {where} contains NaN or infinity, at position {t}. Tokens must be finite. Fill missing "
                    "values, or leave them out."
                )
    if str in types and len(types) > 1:
        raise ValueError(_MIXED.format(where))
    return tokens


def append_tokens(prompt: Any, tokens: np.ndarray) -> Any:
    """Return a prompt and the tokens after it, in the type of the prompt."""
    if isinstance(prompt, str):
        return "".join([prompt, *tokens.tolist()])
    if isinstance(prompt, np.ndarray):
        if prompt.dtype == object or not len(tokens):
            return np.concatenate([prompt, tokens.astype(prompt.dtype)])
        return exact_array(prompt.tolist() + tokens.tolist(), {prompt.dtype, tokens.dtype} - {np.dtype(object)})
    values = [*as_list(prompt), *tokens.tolist()]
    return tuple(values) if isinstance(prompt, tuple) else values
