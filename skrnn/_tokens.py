"""What a user passes as tokens: sequences in, and sequences of the same kind out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data


def read_sequences(estimator: Any, X: Any, *, reset: bool) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of what a user passes as X, and the lengths of its sequences, as `read_tokens` gives them.

    With `reset` the estimator gets ``n_features_in_`` and ``feature_names_in_`` if X is 2-D, or loses them, and
    ``_empty_prompt``, an empty sequence of the kind of X's. Otherwise a 2-D X is held against them.
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
    tokens = read_tokens(items)
    if reset:
        estimator._empty_prompt = _empty_like(items, tokens[0])
        for name in {"n_features_in_", "feature_names_in_"} & vars(estimator).keys():
            delattr(estimator, name)
    return tokens


def _read_table(estimator: Any, X: Any, reset: bool) -> tuple[np.ndarray, np.ndarray]:
    """As `read_sequences`, from a 2-D X of as many tokens in each row."""
    if not reset and hasattr(estimator, "n_features_in_"):
        validate_data(estimator, X, reset=False, skip_check_array=True)
    tokens = read_tokens(check_array(X, dtype=None, estimator=estimator, input_name="X"))
    if reset:
        validate_data(estimator, X, reset=True, skip_check_array=True)
        estimator._empty_prompt = tokens[0][:0]
    return tokens


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


def read_tokens(items: Sequence[Any], name: str = "X") -> tuple[np.ndarray, np.ndarray]:
    """Tokens of sequences, and their lengths.

    Parameters
    ----------
    items : sequence of str, or of sequences of str, int, float or bool
        The sequences; a str is one of characters.
    name : str
        What errors call it.

    Returns
    -------
    tokens : ndarray of shape (sum of lengths,)
        All tokens behind each other; str, int, float or bool.
    lengths : ndarray of shape (n,)
        How many are of each sequence.
    """
    arrays = [_as_tokens(item, f"{name}[{i}]") for i, item in enumerate(items)]
    lengths = np.fromiter(map(len, arrays), dtype=np.intp, count=len(arrays))
    filled = [(i, array) for i, array in enumerate(arrays) if len(array)]
    if not filled:
        return np.empty(0, dtype="U1"), lengths
    is_text = {array.dtype.kind == "U": i for i, array in filled}
    if len(is_text) > 1:
        raise ValueError(
            f"{name}[{is_text[True]}] holds strings and {name}[{is_text[False]}] numbers. Tokens must be all of one "
            "kind: convert them, for example with str."
        )
    return np.concatenate([array for _, array in filled]), lengths


def _as_tokens(item: Any, where: str) -> np.ndarray:
    """One sequence as an array (T,) of str, int, float or bool."""
    if isinstance(item, str):
        return np.frombuffer(item.encode("utf-32-le", "surrogatepass"), dtype="<U1")
    if item is None or isinstance(item, (Real, bytes, dict)) or not isinstance(item, Iterable):
        raise TypeError(f"{where} is {item!r:.40}, but every item must be a sequence of tokens, or a str.")
    array = item if isinstance(item, np.ndarray) else _array_of_scalars(list(item), where)
    if array.dtype == object:
        array = _array_of_scalars(array.tolist(), where)
    if array.ndim != 1:
        raise ValueError(f"{where} has {array.ndim} dimensions (shape {array.shape}). A sequence of tokens has one.")
    if array.size and array.dtype.kind not in "Ufiub":
        raise TypeError(f"{where} has dtype {array.dtype}. Tokens must be strings, numbers or booleans.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        t = int(np.argmin(np.isfinite(array)))
        raise ValueError(f"Input {where} contains NaN or infinity, at position {t}. Tokens must be finite.")
    return array


def _array_of_scalars(tokens: list[Any], where: str) -> np.ndarray:
    """Tokens as an array, without turning numbers into strings."""
    n_text = sum(isinstance(token, str) for token in tokens)
    if 0 < n_text < len(tokens):
        raise ValueError(f"{where} mixes strings with other tokens. Convert them, for example with str.")
    for t, token in enumerate(tokens):
        if not isinstance(token, (str, Real, np.bool_)):
            raise TypeError(
                f"{where}, position {t}: argument must be a string or a number, got {token!r:.40} "
                f"({type(token).__name__})."
            )
    return np.array(tokens)


def _empty_like(items: list[Any], tokens: np.ndarray) -> Any:
    """An empty sequence of the type that all items have; a list if they differ."""
    kinds = set(map(type, items))
    if kinds == {str}:
        return ""
    if kinds == {tuple}:
        return ()
    return tokens[:0] if kinds == {np.ndarray} else []


def continued(prompt: Any, new: np.ndarray) -> Any:
    """A prompt and the tokens after it, in the type of the prompt."""
    if isinstance(prompt, str):
        return prompt + "".join(new.tolist())
    if isinstance(prompt, np.ndarray):
        return np.concatenate([prompt, new])
    tokens = [*prompt, *new.tolist()]
    return tuple(tokens) if isinstance(prompt, tuple) else tokens
