"""Sequences back in a container like the one that they came in."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation.features import read_container
from ..core.data.sequences import FeatureSequences


def restore(sequences: FeatureSequences, X: Any) -> Any:
    """Put the steps of `sequences` into a container like X."""
    kind, data = read_container(X)
    features = np.ascontiguousarray(sequences.steps[:, :-1])
    if kind == "2-D":
        return _like(data, features.reshape(len(sequences), -1))
    if kind == "3-D":
        return features.reshape(data.shape)
    slices = np.split(features, sequences.offsets[1:])
    return _collect([_like(item, part.copy()) for item, part in zip(data, slices)], X)


def _like(original: Any, values: np.ndarray) -> Any:
    """Values (n_steps, n_features) as a frame, Series or array like the original."""
    if len(np.shape(original)) == 1 and values.shape[1] == 1:
        values = values[:, 0]
    match _library(original), hasattr(original, "columns"), values.ndim:
        case "pandas", True, 2:
            return type(original)(values, index=original.index, columns=original.columns)
        case "pandas", False, 1:
            return type(original)(values, index=original.index, name=original.name)
        case "polars", True, 2:
            return type(original)(values, schema=original.columns, orient="row")
        case "polars", False, 1:
            return type(original)(original.name, values)
    return values


def _collect(items: list, X: Any) -> Any:
    """Items in a container like X; a list if X is of another type."""
    if isinstance(X, tuple):
        return tuple(items)
    if isinstance(X, np.ndarray):
        array = np.empty(len(items), dtype=object)
        for i, item in enumerate(items):  # items of equal lengths would be broadcast
            array[i] = item
        return array
    match _library(X):
        case "pandas":
            return type(X)(items, index=X.index, name=X.name, dtype=object)
        case "polars":
            keeps_dtype = items[0].dtype == np.float32  # only if all numbers of X were float32
            return type(X)(X.name, [item.tolist() for item in items], dtype=X.dtype if keeps_dtype else None)
    return items


def _library(value: Any) -> str:
    """Top-level package of the type of a value."""
    return type(value).__module__.partition(".")[0]
