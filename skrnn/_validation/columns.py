"""Columns of a long table, one row for each step: keys without gaps, the order of steps, features, targets."""

from __future__ import annotations

import re
from collections.abc import Hashable
from itertools import chain
from typing import Any

import numpy as np

from .._warnings import warn_caller
from .arrays import as_numbers, describe, shorten
from .values import as_list, exact_array, is_categorical, library_of, plain_values, shown, shown_all


def check_is_name(name: Any, place: str) -> None:
    """Raise for an array or list in place of a name: it would be compared with each label."""
    if not isinstance(name, Hashable):
        raise TypeError(f"{place} is {shown(name)}. Pass the name of a column.")


def check_columns(df: Any, sequence: str, order: str | None, names: dict[str, list[Any]]) -> None:
    """Raise unless each column that is asked for is there once, and asked for once in each place.

    `names` are those of each other argument; `order` may be among them, targets may be no features.
    """
    labels = list(df.columns)
    for place, asked in names.items():
        for name in asked:
            check_is_name(name, place)
    for name in [sequence, *([] if order is None else [order]), *chain.from_iterable(names.values())]:
        if name not in labels:
            raise ValueError(f"df has no column {shorten(repr(name))}. Its columns are {shown_all(labels)}.")
        if labels.count(name) > 1:
            raise ValueError(f"df has {labels.count(name)} columns named {name!r}. Rename them, or drop all but one.")
    for place, asked in names.items():
        twice = [name for i, name in enumerate(asked) if name in asked[:i]]
        if twice:
            raise ValueError(f"{place} names {twice[0]!r} twice. Name each column once.")
    for place, asked in {"order": [order], **names}.items():
        if sequence in asked:
            raise ValueError(
                f"sequence is {sequence!r}, and so is {place}, but it is the same in all steps. Leave it out."
            )
    both = [name for name in names["target"] if name in names["columns"]]
    if both:
        raise ValueError(f"target {both[0]!r} is among columns, too: a model would read what it is to predict.")


def feature_column(df: Any, name: str) -> np.ndarray:
    """Numbers (n_rows,) of a column; gaps are NaN."""
    column = df[name]
    is_extension = not isinstance(column.dtype, np.dtype) and library_of(column) == "pandas"
    if is_extension and str(column.dtype) in ("Float32", "float[pyarrow]"):  # else of objects, with gaps
        return column.to_numpy(dtype=np.float32, na_value=np.nan)
    return _one_in_a_row(as_numbers(column, f"df[{name!r}]"), column, name)


def text_column(df: Any, name: str) -> list[str] | None:
    """Texts (n_rows,) of a column that must have no gaps; None if it holds categories that are no text."""
    check_no_gaps(df, name)
    column = df[name]
    values = as_list(column)
    row = next((row for row, value in enumerate(values) if not isinstance(value, str)), None)
    if row is None:
        return values
    if is_categorical(column):
        return None
    raise TypeError(
        f"df[{name!r}] mixes text, as in row 0, with {describe(values[row])} in row {row}. Convert it to one type."
    )


def target_column(df: Any, name: str) -> np.ndarray:
    """Labels or numbers (n_rows,) of a column that must have no gaps."""
    values, column, label = key_column(df, name), df[name], f"df[{name!r}]"
    entries = as_list(column) if values.dtype.kind in "OUT" else [None]
    if all(isinstance(value, str) for value in entries):
        return exact_array(plain_values(entries, lambda row: f"{label} in row {row}"))
    return _one_in_a_row(as_numbers(values, label, advice="Convert it to numbers or text."), column, name)


def key_column(df: Any, name: str) -> np.ndarray:
    """Values (n_rows,) of a column that must have no gaps."""
    check_no_gaps(df, name)
    return _one_in_a_row(df[name].to_numpy(), df[name], name)


def _one_in_a_row(values: np.ndarray, column: Any, name: str) -> np.ndarray:
    """Return what was read of a column, if it is one value in each row."""
    if values.ndim > 1:
        dtype = shorten(str(column.dtype))
        raise TypeError(f"df[{name!r}] has several values in a row (dtype {dtype}). Use one of them.")
    return values


def rows_that_differ(column: Any, other: np.ndarray) -> np.ndarray:
    """Rows whose value is another one than that of the row ``other[row]``; missing values are equal."""
    missing, values = _missing(column), column.to_numpy()
    differs = missing != missing[other]
    known = np.flatnonzero(~missing & ~missing[other])
    if values.dtype == object or values.ndim > 1:  # values may be lists
        entries = as_list(column)
        differs[known] = [entries[row] != entries[first] for row, first in zip(known, other[known], strict=True)]
    else:
        differs[known] = values[known] != values[other[known]]
    return np.flatnonzero(differs)


def check_no_gaps(df: Any, name: str) -> None:
    """Raise where values of a column are missing."""
    _raise_at(np.flatnonzero(_missing(df[name])), f"df[{name!r}]")


def sorted_rows(df: Any, name: str) -> np.ndarray:
    """Rows (n_rows,) in the order of a column, equal ones as they come."""
    values, column, label = key_column(df, name), df[name], f"df[{name!r}]"
    kind = str(column.dtype).lower()  # of pandas, pyarrow or polars
    if kind.startswith("enum"):
        values = column.to_physical().to_numpy()
    elif kind == "category" and column.cat.ordered:
        values = column.cat.codes.to_numpy()
    elif kind.startswith(("category", "categorical", "dictionary")):
        raise ValueError(
            f"{label} has categories without an order. Order them (pandas' cat.set_categories with ordered=True, "
            "polars' Enum), or convert them to numbers or dates."
        )
    elif values.dtype == object and all(isinstance(value, str) for value in values.tolist()):
        _warn_of_numbers_in_text(sorted(set(values.tolist())), label)
    try:
        return np.argsort(values, kind="stable")
    except (TypeError, ValueError) as error:  # ValueError of arrays in rows
        kinds = ", ".join(sorted({type(value).__name__ for value in values.tolist()})[:5])
        raise TypeError(f"{label} has values that cannot be sorted, of the types {kinds}. Convert them.") from error


def codes_by_appearance(df: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values of a column in the order of first appearance, and the place of each row among them."""
    keys, label = key_column(df, name), f"df[{name!r}]"
    values = keys.tolist()
    places: dict[Any, int] = {}
    try:
        codes = np.array([places.setdefault(value, len(places)) for value in values])
    except TypeError as error:
        raise TypeError(
            f"{label} has values that cannot be told apart: {shorten(str(error))}. Convert them."
        ) from error
    first_rows = np.unique(codes, return_index=True)[1]
    if keys.dtype == object:  # 1, 1.0 and True are equal, but hardly one sequence
        for row, first in enumerate(first_rows[codes]):
            if type(values[row]) is not type(values[first]):
                raise TypeError(
                    f"{label} has equal values of two types, {shorten(repr(values[first]))} in row {first} and "
                    f"{shorten(repr(values[row]))} in row {row}. Convert the column to one type."
                )
    return keys[first_rows], codes


def _missing(column: Any) -> np.ndarray:
    """Whether each value (n_rows,) of a column is missing: None, NaN, NaT, NA, null."""
    if hasattr(column, "isna"):
        return column.isna().to_numpy()
    missing = column.is_null()
    return (missing | column.is_nan() if column.dtype.is_float() else missing).fill_null(True).to_numpy()


def _raise_at(missing: np.ndarray, label: str) -> None:
    if len(missing) == 1:
        raise ValueError(f"{label} has a missing value in row {missing[0]}. Fill it, or drop this row.")
    if len(missing):
        raise ValueError(
            f"{label} has missing values in the rows {shown_all(missing.tolist())}. Fill them, or drop these rows."
        )


def _warn_of_numbers_in_text(texts: list[str], label: str) -> None:
    """Warn where sorted texts are not in the order of the numbers in them."""
    try:
        numbers: list = [float(text) for text in texts]
    except ValueError:
        # Text and numbers alternate, so equal places are of equal kinds.
        numbers = [[int(x) if i % 2 else x for i, x in enumerate(re.split(r"([0-9]+)", text))] for text in texts]
    for i in range(len(texts) - 1):
        if numbers[i] > numbers[i + 1]:
            warn_caller(
                f"{label} is text, which sorts {shorten(repr(texts[i]))} before {shorten(repr(texts[i + 1]))}. Convert "
                "it to numbers, dates or ordered categories first."
            )
            return
