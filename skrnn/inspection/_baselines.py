"""What stands for the absence of information, as a user passes it."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from .._fitted import Fitted
from .._input_reading import MixedInputReading
from .._validation.values import shown, shown_all
from .._vocabulary import is_single


def read_baseline(fitted: Fitted, baseline: Any, lengths: np.ndarray) -> Any:
    """Return what stands for the absence of information, see `Question`."""
    reading, of_tokens = fitted.reading.input, reads_tokens(fitted)
    if baseline is None:
        return None
    if of_tokens and is_single(baseline):
        return int(read_tokens_of(baseline, 1, reading.vocabulary, "baseline")[0])
    if not of_tokens and (isinstance(baseline, Real) or _is_row(baseline)):
        row = np.asarray(baseline, np.float64)
        if isinstance(reading, MixedInputReading):
            raise ValueError("X has categories, so numbers cannot be its baseline. Pass sequences like X, or None.")
        n_features = fitted.network.stack.input.n_inputs
        if row.shape not in ((), (1,), (n_features,)):
            raise ValueError(
                f"baseline has {len(row)} numbers, but a step has {n_features}. Pass one for each feature, one for "
                "all, or sequences of the lengths of X."
            )
        if not np.isfinite(row).all():
            raise ValueError("baseline is not finite.")
        return np.broadcast_to(row, n_features)
    others = reading.read(fitted.reading.shape, baseline, fitted.reading.dtype, "baseline").sequences.arrays()
    check_same_lengths(others, lengths)
    return [np.asarray(array, None if of_tokens else np.float64) for array in others]


def _is_row(baseline: Any) -> bool:
    """Whether a baseline is numbers for the features of a step."""
    if isinstance(baseline, (list, tuple)):
        return all(isinstance(value, Real) for value in baseline)
    return getattr(baseline, "ndim", None) in (0, 1) and np.asarray(baseline).dtype.kind in "iufb"


def check_same_lengths(others: list[np.ndarray], lengths: np.ndarray, n_before: int = 0) -> None:
    """Raise unless the sequences of a baseline are as many, and as long, as those of X."""
    if len(others) != len(lengths):
        raise ValueError(f"baseline has {len(others)} sequences, but X has {len(lengths)}. Pass one for each.")
    for i, (other, length) in enumerate(zip(others, lengths.tolist())):
        if len(other) != length:
            raise ValueError(
                f"baseline[{i}] has {len(other) - n_before} steps, but X[{i}] has {length - n_before}. Pass as many."
            )


def read_tokens_of(tokens: Any, n: int, vocabulary: Any, name: str) -> np.ndarray:
    """Return the number (n,) of a token for all sequences, or of one for each."""
    values = [tokens] if is_single(tokens) else list(tokens)
    if not is_single(tokens) and len(values) != n:
        raise ValueError(f"{name} has {len(values)} tokens, but X has {n} sequences. Pass one, or one for each.")
    codes = [vocabulary.find(value, name) for value in values]
    for value, code in zip(values, codes):
        if code is None:
            known = shown_all(vocabulary.column_tokens.tolist())
            raise ValueError(f"{name} is {shown(value)}, which is not in the vocabulary {known}.")
    return np.broadcast_to(np.array(codes, np.intp), n)


def reads_tokens(fitted: Fitted) -> bool:
    """Whether steps of X are tokens."""
    return fitted.reading.known_tokens() is not None
