"""What a user passes as tokens: sequences in, and sequences of the same kind out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, NoReturn

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

CHUNK_SIZE = 2**18
"""Tokens that are read at a time: a text never is in memory as an array of strings, four bytes a character."""

_MIXED = "{} mixes strings with other tokens. Convert them, for example with str."


def read_sequences(estimator: Any, X: Any, *, reset: bool) -> TokenReader:
    """What a user passes as X, ready to be read.

    With `reset` the estimator gets ``n_features_in_`` and ``feature_names_in_`` if X is 2-D, or loses them, and
    ``_sequence_type``, the type that all sequences have, or list. Otherwise a 2-D X is held against them.
    """
    if isinstance(X, str):
        raise ValueError("X is a str, but a list of sequences is needed. Pass [text] if X is one text.")
    if is_table(X):
        return _read_table(estimator, X, reset)
    if not isinstance(X, Iterable):
        raise TypeError(f"X is {X!r:.40}, but a list of sequences is needed.")
    if hasattr(X, "__array__") and np.asarray(X).dtype.kind not in "OU":
        check_array(X, dtype=None, estimator=estimator, input_name="X")  # raises: neither a table nor sequences
    items = list(X)
    if not items:
        raise ValueError("X is empty: at least one sequence is needed.")
    sequences = TokenReader.open(items)
    if reset:
        types = set(map(type, items))
        estimator._sequence_type = types.pop() if types in ({str}, {tuple}, {np.ndarray}) else list
        for name in {"n_features_in_", "feature_names_in_"} & vars(estimator).keys():
            delattr(estimator, name)
    return sequences


def _read_table(estimator: Any, X: Any, reset: bool) -> TokenReader:
    """As `read_sequences`, from a 2-D X of as many tokens in each row."""
    if not reset and hasattr(estimator, "n_features_in_"):
        validate_data(estimator, X, reset=False, skip_check_array=True)
    sequences = TokenReader.open(check_array(X, dtype=None, estimator=estimator, input_name="X"))
    if reset:
        validate_data(estimator, X, reset=True, skip_check_array=True)
        estimator._sequence_type = np.ndarray
    return sequences


def read_prompts(prompts: Any, empty_prompt: Any) -> list[Any]:
    """Prompts as a list of sequences; one empty prompt for None."""
    if prompts is None:
        return [empty_prompt]
    if isinstance(prompts, str):
        return [prompts]
    if not isinstance(prompts, Iterable):
        raise TypeError(f"prompts is {prompts!r:.40}, but a str or a list of sequences of tokens is needed.")
    return list(np.asarray(prompts) if is_table(prompts) else prompts)


def is_table(X: Any) -> bool:
    """Whether X is 2-D: an array, a frame, a sparse matrix, or something that makes itself an array; never a list."""
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
    """

    items: list[Any]
    lengths: np.ndarray
    places: np.ndarray
    name: str

    @classmethod
    def open(cls, items: Iterable[Any], name: str = "X") -> TokenReader:
        """Take the items, each of which must be a sequence; what it holds is looked at when it is read."""
        sequences = [_as_sequence(item, f"{name}[{i}]") for i, item in enumerate(items)]
        lengths = np.fromiter(map(len, sequences), dtype=np.intp, count=len(sequences))
        return cls(sequences, lengths, np.arange(len(sequences)), name)

    def take(self, indices: np.ndarray) -> TokenReader:
        """The sequences at `indices`, in that order."""
        items = [self.items[i] for i in indices]
        return TokenReader(items, self.lengths[indices], self.places[indices], self.name)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the tokens of all sequences behind each other, CHUNK_SIZE at a time.

        Yields
        ------
        indices : ndarray of shape (N,)
            Which sequence each token is of.
        tokens : ndarray of shape (N,)
            The tokens; str, int, float or bool.
        """
        ends = np.cumsum(self.lengths)
        starts = ends - self.lengths
        item_of_kind: dict[bool, int] = {}  # the last that holds strings, the last that holds numbers
        for first in range(0, int(self.lengths.sum()), CHUNK_SIZE):
            last = first + CHUNK_SIZE
            i, j = int(np.searchsorted(ends, first, side="right")), int(np.searchsorted(starts, last))
            pieces = self.items[i:j]
            pieces[-1] = pieces[-1][: last - starts[j - 1]]
            begin = int(max(0, first - starts[i]))
            pieces[0] = pieces[0][begin:]
            indices = np.repeat(np.arange(i, j), list(map(len, pieces)))
            if all(isinstance(piece, str) for piece in pieces):
                item_of_kind[True] = int(indices[-1])
                tokens = _characters("".join(pieces))
            else:
                arrays = []
                for k, piece in enumerate(pieces, i):
                    if len(piece):
                        where = f"{self.name}[{self.places[k]}]"
                        arrays.append(_as_tokens(piece, where, begin if k == i else 0))
                        item_of_kind[arrays[-1].dtype.kind == "U"] = k
                tokens = np.concatenate(arrays)
            if len(item_of_kind) > 1:
                self._raise_for_two_kinds(item_of_kind[True], item_of_kind[False])
            yield indices, tokens

    def _raise_for_two_kinds(self, of_strings: int, of_numbers: int) -> NoReturn:
        strings, numbers = (f"{self.name}[{self.places[k]}]" for k in (of_strings, of_numbers))
        if of_strings == of_numbers:
            raise ValueError(_MIXED.format(strings))
        raise ValueError(
            f"{strings} holds strings and {numbers} numbers. Tokens must be all of one kind: convert them, for example "
            "with str."
        )


def as_tokens(item: Any, name: str) -> np.ndarray:
    """One sequence, which errors call `name`, as an array (T,) of str, int, float or bool."""
    return _as_tokens(_as_sequence(item, name), name)


def _as_sequence(item: Any, where: str) -> str | list[Any] | tuple[Any, ...] | np.ndarray:
    """One sequence in a form that can be sliced, not copied if it need not be."""
    if isinstance(item, (str, list, tuple)):
        return item
    if isinstance(item, np.ndarray):
        if item.ndim != 1:
            raise ValueError(f"{where} has {item.ndim} dimensions (shape {item.shape}). A sequence of tokens has one.")
        return item
    if item is None or isinstance(item, (Real, bytes, dict)) or not isinstance(item, Iterable):
        raise TypeError(f"{where} is {item!r:.40}, but every item must be a sequence of tokens, or a str.")
    return list(item)


def _as_tokens(piece: Any, where: str, begin: int = 0) -> np.ndarray:
    """The tokens from place `begin` on of the sequence `where`, as an array (T,) of str, int, float or bool."""
    if isinstance(piece, str):
        return _characters(piece)
    is_typed = isinstance(piece, np.ndarray) and piece.dtype != object
    array = piece if is_typed else _array_of_scalars(list(piece), where, begin)
    if array.size and array.dtype.kind not in "Ufiub":
        raise TypeError(f"{where} has dtype {array.dtype}. Tokens must be strings, numbers or booleans.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        t = begin + int(np.argmin(np.isfinite(array)))
        raise ValueError(f"Input {where} contains NaN or infinity, at position {t}. Tokens must be finite.")
    return array


def _characters(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<U1")


def _array_of_scalars(tokens: list[Any], where: str, begin: int) -> np.ndarray:
    """Tokens as an array, without turning numbers into strings."""
    n_text = sum(isinstance(token, str) for token in tokens)
    if 0 < n_text < len(tokens):
        raise ValueError(_MIXED.format(where))
    for t, token in enumerate(tokens, begin):
        if not isinstance(token, (str, Real, np.bool_)):
            raise TypeError(
                f"{where}, position {t}: argument must be a string or a number, got {token!r:.40} "
                f"({type(token).__name__})."
            )
    return np.array(tokens)


def continued(prompt: Any, new: np.ndarray) -> Any:
    """A prompt and the tokens after it, in the type of the prompt."""
    if isinstance(prompt, str):
        return prompt + "".join(new.tolist())
    if isinstance(prompt, np.ndarray):
        return np.concatenate([prompt, new])
    tokens = [*prompt, *new.tolist()]
    return tuple(tokens) if isinstance(prompt, tuple) else tokens
