"""Padded sequences: ends filled up with one value, or masked."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np
from sklearn.utils import check_array

from .._floating_point import without_warnings
from .._validation.arrays import count, describe, is_masked, shorten
from .._validation.features import pack, read_2d, read_container
from ._reading import as_data, check_lengths


def from_padded(X: Any, lengths: Any = None, *, pad_value: float | None = None) -> list[np.ndarray]:
    """Cut the padding off the ends of padded sequences.

    Parameters
    ----------
    X : array-like of shape (n_sequences, n_steps, n_features) or (n_sequences, n_steps)
        The sequences, each padded at its end. In a masked array, or a list of them, the mask says what is padding, and
        neither `lengths` nor `pad_value` is passed.
    lengths : array-like of int of shape (n_sequences,), default=None
        Number of steps of each sequence, from 1 to n_steps.
    pad_value : float, default=None
        What the padding is filled with; NaN is possible. A step is padding if all its features equal `pad_value`, as
        X's dtype holds it, and all later steps are padding, too: the same value within a sequence is data. Pass
        `lengths` where a sequence may really end with this value.

    Returns
    -------
    sequences : list of n_sequences ndarrays of shape (n_steps_i, n_features) or (n_steps_i,)
        Copies, of X's dtype.

    Raises
    ------
    TypeError
        If not exactly one of `lengths`, `pad_value` and a mask is given, or X is no array.
    ValueError
        If X has not two or three dimensions, `lengths` does not fit X, X's dtype cannot hold `pad_value`, X equals it
        in float32 only, entries before the padding are masked, or a sequence is nothing but padding.

    See Also
    --------
    to_padded : The way back.

    Examples
    --------
    >>> from skrnn.sequences import from_padded
    >>> from_padded([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]], pad_value=0)
    [array([1., 2., 3.]), array([4.])]
    >>> from_padded([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]], lengths=[3, 2])
    [array([1., 2., 3.]), array([4., 0.])]
    """
    items = X if isinstance(X, (list, tuple)) else [X]
    is_told_by_masks = any(isinstance(item, np.ma.MaskedArray) for item in items) and getattr(X, "shape", None) != ()
    if lengths is None and pad_value is None and is_told_by_masks:
        return [_cut_masked_end(x, f"X[{i}]") for i, x in enumerate(X)]
    if is_masked(X):
        raise TypeError("X is masked, and its mask says what is padding. Pass neither lengths nor pad_value.")
    if (lengths is None) == (pad_value is None):
        raise TypeError("from_padded needs lengths or pad_value, one of the two.")
    X = as_data(X, "X")
    if X.ndim not in (2, 3):
        raise ValueError(
            f"X has shape {X.shape}, but padded sequences have shape (n_sequences, n_steps, n_features) or "
            "(n_sequences, n_steps)."
        )
    if lengths is None:
        lengths = _lengths_before_padding(X, pad_value)
    else:
        lengths = check_lengths(lengths)
        if len(lengths) != len(X):
            raise ValueError(f"lengths has {len(lengths)} entries, but X has {count(len(X), 'sequence')}.")
        longest = max(lengths)
        if longest > X.shape[1]:
            raise ValueError(f"lengths[{lengths.index(longest)}] is {longest}, but X has {count(X.shape[1], 'step')}.")
    return [x[:length].copy() for x, length in zip(X, lengths)]


def to_padded(X: Any, *, pad_value: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Pad sequences at their ends to the length of the longest.

    Parameters
    ----------
    X : list of array-like of shape (n_steps_i, n_features) or (n_steps_i,)
        The sequences, in any container that the estimators accept. Values may be NaN.
    pad_value : float, default=0.0
        What to fill the padding with; NaN is possible.

    Returns
    -------
    padded : ndarray of shape (n_sequences, n_steps, n_features)
        n_steps is that of the longest sequence. float32 if all of X is float32, else float64.
    lengths : ndarray of shape (n_sequences,), dtype intp
        Number of steps of each sequence.

    Raises
    ------
    TypeError
        If X or an item of X cannot be a sequence.
    ValueError
        If X or an item of X is empty, holds no numbers, if the items differ in their features, or if the dtype cannot
        hold `pad_value`.

    See Also
    --------
    from_padded : The way back.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.sequences import to_padded
    >>> padded, lengths = to_padded([np.array([1.0, 2.0, 3.0]), np.array([4.0])])
    >>> padded[:, :, 0]
    array([[1., 2., 3.],
           [4., 0., 0.]])
    >>> lengths
    array([3, 1])
    """
    kind, data = read_container(X)
    if kind == "2-D":
        data = check_array(read_2d(data, "X"), dtype=None, ensure_all_finite=False, input_name="X")[:, :, np.newaxis]
    sequences = pack(data)
    shape = len(sequences), sequences.lengths.max(), sequences.n_features
    padded = np.full(shape, _as_pad_value(pad_value, sequences.steps.dtype))
    padded[np.arange(shape[1]) < sequences.lengths[:, np.newaxis]] = sequences.steps[:, :-1]
    return padded, sequences.lengths


def _cut_masked_end(x: Any, name: str) -> np.ndarray:
    """Steps (n_steps, n_features) or (n_steps,) before those at the end that are masked."""
    steps = as_data(np.ma.getdata(x), name)
    if steps.ndim not in (1, 2):
        raise ValueError(
            f"{name} has shape {steps.shape}, but a sequence has shape (n_steps, n_features) or (n_steps,)."
        )
    mask: Any = np.ma.getmaskarray(x)
    if mask.ndim == 1:
        mask = mask[:, np.newaxis]
    length = 0 if mask.all() else len(steps) - int(mask.all(axis=1)[::-1].argmin())
    if not length:
        raise ValueError(
            f"{name} is nothing but padding (masked): every sequence needs at least one step. Leave it out."
        )
    gaps = np.flatnonzero(mask[:length].any(axis=1))
    if len(gaps):
        raise ValueError(
            f"{name} has masked entries at step {gaps[0]}, before its padding. Fill the gaps, then pass lengths."
        )
    return steps[:length].copy()


def _lengths_before_padding(X: np.ndarray, pad_value: Any) -> np.ndarray:
    """Lengths (n,) of the sequences in X (n, T) or (n, T, F) without the steps at their ends that are padding."""
    steps = X if X.ndim == 3 else X[:, :, np.newaxis]
    value = _as_pad_value(pad_value, X.dtype)
    # NaN is the only value that differs from itself.
    is_data = (steps == steps if value != value else steps != value).any(axis=2)
    empty = np.flatnonzero(~is_data.any(axis=1))
    if len(empty):
        raise ValueError(
            f"X[{empty[0]}] is nothing but padding ({shorten(str(value))}): every sequence needs at least one step. "
            "Leave it out."
        )
    if X.dtype == np.float64:
        _check_single_precision(steps[:, -1], value, pad_value)
    return X.shape[1] - is_data[:, ::-1].argmax(axis=1)


@without_warnings
def _check_single_precision(ends: np.ndarray, value: float, pad_value: Any) -> None:
    """Raise where last steps (n, F) equal the padding in float32 only: one of the two was rounded."""
    single = np.float32(value)
    is_rounded = (ends != value) & (ends.astype(np.float32) == single)
    if is_rounded.any() and (value != single or isinstance(pad_value, np.float32)):
        i, feature = np.argwhere(is_rounded)[0]
        raise ValueError(
            f"X[{i}] ends in {ends[i, feature]}, which equals pad_value={value} in float32 only. Pass "
            f"pad_value={ends[i, feature]} or lengths."
        )


@without_warnings
def _as_pad_value(pad_value: Any, dtype: np.dtype) -> Any:
    """The padding as a dtype holds it; raises where nothing of that dtype can be equal to it."""
    if dtype.kind in "mMV":
        raise TypeError(f"X has dtype {shorten(str(dtype))}, with which no pad_value is compared. Pass lengths.")
    is_text = dtype.kind not in "fciub"
    is_scalar = isinstance(pad_value, (str, Number, np.generic)) or (
        type(pad_value) is np.ndarray and not pad_value.ndim
    )
    if not is_scalar or isinstance(pad_value, str) != is_text:
        raise TypeError(f"pad_value is {describe(pad_value)}. Pass {'text, as in X' if is_text else 'a number'}.")
    if is_text:
        return pad_value
    try:
        value = np.asarray(pad_value).astype(dtype)[()]
        is_held = value != value if pad_value != pad_value else dtype.kind in "fc" or value == pad_value
        is_held = is_held and bool(np.isfinite(value) or not np.isfinite(complex(pad_value)))
    except (OverflowError, TypeError, ValueError):
        is_held = False
    if not is_held:
        raise ValueError(
            f"pad_value is {describe(pad_value)}, which {dtype} cannot hold. Pass a value that X can have."
        )
    return value
