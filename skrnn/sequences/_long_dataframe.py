"""Sequences in a long table, one row for each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from .._validation.arrays import describe, from_columns
from .._validation.columns import check_columns, check_is_name, codes_by_appearance, feature_column, sorted_rows
from ._concatenated import from_concatenated


def from_long_dataframe(
    df: Any, *, sequence: str, order: str | None = None, columns: str | Sequence[str] | None = None
) -> tuple[list[np.ndarray], np.ndarray]:
    """Cut a long table, one row for each step, into sequences.

    Parameters
    ----------
    df : pandas or polars DataFrame
        The table.
    sequence : str
        Column that says to which sequence a row belongs.
    order : str, default=None
        Column to sort the steps of each sequence by; equal values keep the order of their rows. By default all rows
        keep it. Ordered categories (pandas' ordered Categorical, polars' Enum) are sorted in their own order, text
        character by character.
    columns : str or list of str, default=None
        Columns that hold the features; `order` may be one of them. By default all others.

    Returns
    -------
    sequences : list of n_sequences ndarrays of shape (n_steps_i, n_features)
        One for each distinct value of `sequence`, in the order of first appearance. float32 if all features are
        float32, else float64.
    ids : ndarray of shape (n_sequences,)
        These values: ``ids[i]`` names ``sequences[i]``. Use them to look up y, which has one entry for each sequence.

    Raises
    ------
    TypeError
        If `df` is no table, `columns` no list of names, `sequence` has values that cannot be told apart, `order` has
        values that cannot be sorted, or a feature column does not hold numbers.
    ValueError
        If a column does not exist, or exists or is named twice; `df` has no rows or no feature columns; values of
        `sequence` or `order` are missing, or, other than as NaN, values of a feature; `order` has categories without an
        order; or a feature column does not hold numbers.

    Warns
    -----
    UserWarning
        If `order` is text that sorts otherwise than the numbers in it: "10" before "9".

    Examples
    --------
    >>> import pandas as pd
    >>> from skrnn.sequences import from_long_dataframe
    >>> df = pd.DataFrame({"patient": ["b", "a", "b"], "day": [2, 1, 1], "pulse": [61.0, 80.0, 62.0]})
    >>> labels = pd.Series({"a": "ill", "b": "well"})
    >>> X, ids = from_long_dataframe(df, sequence="patient", order="day")
    >>> X
    [array([[62.],
           [61.]]), array([[80.]])]
    >>> labels[ids].tolist()
    ['well', 'ill']
    """
    if not (hasattr(df, "to_numpy") and hasattr(df, "columns")):
        raise TypeError(f"df is {describe(df)}. Pass a pandas or polars DataFrame.")
    check_is_name(sequence, "sequence")
    check_is_name(order, "order")
    if columns is None:
        columns = [name for name in df.columns if name not in (sequence, order)]
    if isinstance(columns, (Set, Mapping)) or not isinstance(columns, Iterable):
        raise TypeError(f"columns is {describe(columns)}. Pass the name of a column, or a list of names.")
    columns = [columns] if isinstance(columns, str) else list(columns)
    check_columns(df, sequence, order, columns)
    if not columns or not len(df):
        raise ValueError(f"df has {len(df)} rows and {len(columns)} feature columns. At least one of each is needed.")
    ids, codes = codes_by_appearance(df, sequence)
    rows = np.arange(len(df)) if order is None else sorted_rows(df, order)
    rows = rows[np.argsort(codes[rows], kind="stable")]
    features = from_columns([feature_column(df, name) for name in columns])
    return from_concatenated(features[rows], np.bincount(codes)), ids
