"""Sequences in a long table, one row for each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, Literal, NamedTuple

import numpy as np
from sklearn.utils import Bunch

from .._validation.arrays import describe, from_columns
from .._validation.columns import (
    check_columns,
    check_is_name,
    codes_by_appearance,
    feature_column,
    rows_that_differ,
    sorted_rows,
    target_column,
    text_column,
)
from .._validation.mixed_columns import holds_categories
from .._validation.values import as_list, shown
from .._warnings import warn_caller


class _Rows(NamedTuple):
    """Which rows of a table are which sequence."""

    ids: np.ndarray
    """What names each sequence (n,)."""
    codes: np.ndarray
    """Place of each row's sequence among them (n_rows,)."""
    first: np.ndarray
    """The first row of each sequence in the table (n,)."""
    parts: list[np.ndarray]
    """The rows of each sequence in the order of its steps."""

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Values (n_rows, ...) as one array for each sequence, copies."""
        return [values[part] for part in self.parts]


def from_long_dataframe(
    df: Any,
    *,
    sequence: str,
    order: str | None,
    columns: str | Sequence[str],
    target: str | Sequence[str] | None = None,
    static: str | Sequence[str] | None = None,
    target_per: Literal["auto", "sequence", "step"] = "auto",
) -> Bunch:
    """Cut a long table, one row for each step, into sequences.

    Parameters
    ----------
    df : pandas or polars DataFrame
        The table.
    sequence : str
        Column that says to which sequence a row belongs.
    order : str or None
        Column to sort the steps of each sequence by; equal values keep the order of their rows. With None all rows keep
        it. Ordered categories (pandas' ordered Categorical, polars' Enum) are sorted in their own order, text
        character by character.
    columns : str or list of str
        Columns that a model is to read; `order` may be one of them, for the time as a feature.
    target : str or list of str, default=None
        Columns that it is to predict; none of them may be in `columns`.
    static : str or list of str, default=None
        Columns that have one value for each sequence, such as the age of a patient.
    target_per : {"auto", "sequence", "step"}, default="auto"
        Whether y has a value for each sequence or for each step. "sequence" raises where a target changes within a
        sequence. "auto" is "sequence" if no target changes within any sequence, and "step" otherwise, with a warning if
        it changes in some and not in others. Where a target of steps may happen to be constant, name it.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Sequences are in the order of their first row. It has:

        X : list of n_sequences sequences
            Of numbers: arrays of shape (n_steps_i, n_features), or (n_steps_i,) where `columns` is one name; float32
            if all columns are float32, else float64; one name keeps its dtype. Missing numbers are NaN, which
            :class:`skrnn.preprocessing.SequenceImputer` fills. Of a single column of text: lists of its values, which
            the estimators read as tokens. Of text or categories beside other columns: data frames of df's library,
            whose categories the estimators find.
        y : None, ndarray of shape (n_sequences,) or (n_sequences, n_targets), or list of ndarrays
            With a list of targets, 2-D. Of steps: an array of shape (n_steps_i,) or (n_steps_i, n_targets) for each
            sequence.
        ids : ndarray of shape (n_sequences,)
            The distinct values of `sequence`: ``ids[i]`` names ``X[i]``.
        static : None or DataFrame of n_sequences rows
            Of df's library, in the order of `ids`, which are the index in pandas.

    Raises
    ------
    TypeError
        If `df` is no table, `columns`, `target` or `static` are no names, `sequence` has values that cannot be told
        apart, `order` has values that cannot be sorted, or `columns` or `target` hold neither numbers, text nor
        categories.
    ValueError
        If a column does not exist, or exists or is named twice; `df` has no rows, or `columns` no names; values of
        `sequence`, `order`, `target`, or of a column of text or categories, are missing; `order` has categories without
        an order; a column does not hold numbers, text or categories; a target is among `columns`, changes within a
        sequence with ``target_per="sequence"``, or is text beside a number; or a static column changes within a
        sequence.

    Warns
    -----
    UserWarning
        If `order` is text that sorts otherwise than the numbers in it: "10" before "9"; or if "auto" found targets that
        change within some sequences only.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrnn.sequences import from_long_dataframe
    >>> df = pd.DataFrame({"patient": ["b", "a", "b"], "day": [2, 1, 1], "pulse": [61.0, 80.0, 62.0],
    ...                    "age": [40, 50, 40], "outcome": ["well", "ill", "well"]})
    >>> data = from_long_dataframe(
    ...     df, sequence="patient", order="day", columns=["pulse"], target="outcome", static=["age"]
    ... )
    >>> data.X
    [array([[62.],
           [61.]]), array([[80.]])]
    >>> data.y
    array(['well', 'ill'], dtype='<U4')
    >>> data.static["age"].to_dict()
    {'b': 40, 'a': 50}
    """
    if not (hasattr(df, "to_numpy") and hasattr(df, "columns")):
        raise TypeError(f"df is {describe(df)}. Pass a pandas or polars DataFrame.")
    check_is_name(sequence, "sequence")
    check_is_name(order, "order")
    names = {
        "columns": _names(columns, "columns"),
        "target": [] if target is None else _names(target, "target"),
        "static": [] if static is None else _names(static, "static"),
    }
    check_columns(df, sequence, order, names)
    if target_per not in ("auto", "sequence", "step"):
        raise ValueError(f"target_per is {shown(target_per)}. Pass 'auto', 'sequence' or 'step'.")
    if not names["columns"] or not len(df):
        raise ValueError(
            f"df has {len(df)} rows, and columns names {len(names['columns'])}. At least one of each is needed."
        )
    if target is not None and not names["target"]:
        raise ValueError("target names no column. Name one, or pass None.")
    rows = _rows(df, sequence, order)
    X = _steps(df, names["columns"], isinstance(columns, str), rows)
    y = None if target is None else _targets(df, names["target"], isinstance(target, str), target_per, rows)
    static_rows = _static(df, sequence, names["static"], rows) if names["static"] else None
    return Bunch(X=X, y=y, ids=rows.ids, static=static_rows)


def _names(columns: Any, place: str) -> list[Any]:
    """Names that are one, or a list."""
    if isinstance(columns, (Set, Mapping)) or not isinstance(columns, Iterable):
        raise TypeError(f"{place} is {describe(columns)}. Pass the name of a column, or a list of names.")
    return [columns] if isinstance(columns, str) else list(columns)


def _rows(df: Any, sequence: str, order: str | None) -> _Rows:
    """Which rows are which sequence, in which order."""
    ids, codes = codes_by_appearance(df, sequence)
    rows = np.arange(len(df)) if order is None else sorted_rows(df, order)
    rows = rows[np.argsort(codes[rows], kind="stable")]
    parts = np.split(rows, np.cumsum(np.bincount(codes))[:-1])
    return _Rows(ids, codes, np.unique(codes, return_index=True)[1], parts)


def _steps(df: Any, names: list[Any], is_single: bool, rows: _Rows) -> list[Any]:
    """What a model reads: arrays of numbers, lists of text, or frames."""
    categorical = [name for name in names if holds_categories([df], name)]
    if not categorical:
        columns = [feature_column(df, name) for name in names]
        return rows.split(columns[0] if is_single else from_columns(columns))
    texts = [text_column(df, name) for name in categorical]
    if len(names) == 1 and texts[0] is not None:
        return [[texts[0][row] for row in part] for part in rows.parts]
    for name in set(names) - set(categorical):
        feature_column(df, name)  # raises where it holds no numbers
    frame, ends = _take(df[names], np.concatenate(rows.parts)), np.cumsum([len(part) for part in rows.parts])
    return [_take(frame, slice(int(end) - len(part), int(end))) for end, part in zip(ends, rows.parts, strict=True)]


def _targets(df: Any, names: list[Any], is_single: bool, target_per: str, rows: _Rows) -> Any:
    """Targets of sequences (n,) or (n, K), or a list of those of steps."""
    columns = [target_column(df, name) for name in names]
    is_text = [column.dtype.kind in "UO" for column in columns]
    if len(set(is_text)) > 1:
        numbers, text = names[is_text.index(False)], names[is_text.index(True)]
        raise ValueError(f"target names {numbers!r} of numbers and {text!r} of text. Name columns of one kind.")
    changes = [rows_that_differ(df[name], rows.first[rows.codes]) for name in names]
    if target_per == "sequence":
        for name, changed in zip(names, changes):
            _check_constant(df, name, changed, rows, "Pass target_per='step' if each step has a target of its own.")
    is_per_step = target_per == "step" or (target_per == "auto" and any(map(len, changes)))
    if is_per_step and target_per == "auto":
        _warn_of_constant_targets(names, changes, rows)
    values = columns[0] if is_single else np.column_stack(columns)
    return rows.split(values) if is_per_step else values[rows.first]


def _warn_of_constant_targets(names: list[Any], changes: list[np.ndarray], rows: _Rows) -> None:
    """Warn where targets change within some sequences and not in others that could."""
    changing = np.unique(rows.codes[np.concatenate(changes)])
    n_long = sum(len(part) > 1 for part in rows.parts)
    if len(changing) < n_long:
        warn_caller(
            f"target {shown(names[0] if len(names) == 1 else names)} changes within {len(changing)} of {n_long} "
            f"sequences of several steps, the first of them {shown(rows.ids.tolist()[changing[0]])}. y has a value for "
            "each step. Say so by target_per='step'; if it is an error in the data, target_per='sequence' shows it."
        )


def _static(df: Any, sequence: str, names: list[Any], rows: _Rows) -> Any:
    """The row of each sequence, of columns that do not change within one."""
    for name in names:
        changed = rows_that_differ(df[name], rows.first[rows.codes])
        _check_constant(df, name, changed, rows, "Leave it out of static, or mend the table.")
    frame = _take(df[names], rows.first)
    if hasattr(frame, "iloc"):
        import pandas as pd

        frame.index = pd.Index(rows.ids, name=sequence, tupleize_cols=False)
    return frame


def _check_constant(df: Any, name: Any, changed: np.ndarray, rows: _Rows, advice: str) -> None:
    """Raise where a column has another value than in the first row of its sequence."""
    if len(changed):
        row, code = changed[0], rows.codes[changed[0]]
        values, first = as_list(df[name]), rows.first[code]
        raise ValueError(
            f"df[{name!r}] is not constant in the sequence {shown(rows.ids.tolist()[code])}: {shown(values[first])} in "
            f"row {first}, {shown(values[row])} in row {row}. {advice}"
        )


def _take(frame: Any, rows: np.ndarray | slice) -> Any:
    """A copy of some rows of a frame."""
    return frame.iloc[rows].copy() if hasattr(frame, "iloc") else frame[rows]
