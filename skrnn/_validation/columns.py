"""Columns of a long table, one row for each step: keys without gaps, the order of steps, features."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from .._warnings import warn_caller
from .arrays import as_numbers, shorten
from .values import shown, shown_all


def check_is_name(name: Any, place: str) -> None:
    """Raise for an array or list in place of a name: it would be compared with each label."""
    if not isinstance(name, Hashable):
        raise TypeError(f"{place} is {shown(name)}. Pass the name of a column.")


def check_columns(df: Any, sequence: str, order: str | None, columns: Sequence[str]) -> None:
    """Raise unless each column that is asked for is there once, and asked for once; `order` may be a feature, too."""
    labels = list(df.columns)
    for name in columns:
        check_is_name(name, "columns")
    for name in [sequence, *([] if order is None else [order]), *columns]:
        if name not in labels:
            raise ValueError(f"df has no column {shorten(repr(name))}. Its columns are {shown_all(labels)}.")
        if labels.count(name) > 1:
            raise ValueError(f"df has {labels.count(name)} columns named {name!r}. Rename them, or drop all but one.")
    twice = [name for i, name in enumerate(columns) if name in columns[:i]]
    if twice:
        raise ValueError(f"columns names {twice[0]!r} twice. Name each feature once.")
    if sequence in columns or sequence == order:
        place = "columns" if sequence in columns else "order"
        raise ValueError(f"sequence is {sequence!r}, and so is {place}, but it is the same in all steps. Leave it out.")


def feature_column(df: Any, name: str) -> np.ndarray:
    """Numbers (n_rows,) of a column; NaN is kept, other gaps are refused."""
    column, label = df[name], f"df[{name!r}]"
    if not isinstance(column.dtype, np.dtype) or column.dtype == object:  # None, pandas' NA, polars' null
        _check_not_missing(column, label)
    return as_numbers(column, label)


def key_column(df: Any, name: str) -> np.ndarray:
    """Values (n_rows,) of a column that must have no gaps."""
    column, label = df[name], f"df[{name!r}]"
    _check_not_missing(column, label)
    values = column.to_numpy()
    if values.ndim > 1:
        raise TypeError(f"{label} has several values in a row (dtype {shorten(str(column.dtype))}). Use one of them.")
    is_nan = [value != value for value in values.tolist()] if values.dtype == object else values != values
    _raise_at(np.flatnonzero(is_nan), label)
    return values


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
    except TypeError as error:
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


def _check_not_missing(column: Any, label: str) -> None:
    _raise_at(np.flatnonzero(column.isna() if hasattr(column, "isna") else column.is_null()), label)


def _raise_at(missing: np.ndarray, label: str) -> None:
    if len(missing):
        raise ValueError(f"{label} has a missing value in row {missing[0]}. Fill it, or drop these rows.")


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
