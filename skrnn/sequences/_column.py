"""Sequences in the cells of a table of one column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .._validation.arrays import describe, reject_masked
from .._validation.sequence_column import SequenceColumn, as_column
from .._validation.values import array_of_objects, is_unordered


def to_column(X: Any) -> np.ndarray:
    """Put each sequence into a cell of a table of one column, for tools that insist on two dimensions.

    Every estimator of skrnn reads such a table as the list of its cells.

    Parameters
    ----------
    X : list of sequences, or array of shape (n_sequences, n_steps) or (n_sequences, n_steps, n_features)
        The sequences, in any container that the estimators accept; a text becomes the list of its characters.

    Returns
    -------
    column : ndarray of shape (n_sequences, 1), dtype object
        Its cells are the sequences themselves, not copies of them; those of an array are its parts.

    Raises
    ------
    TypeError
        If X is no list or array, or an item is no sequence, or a data frame.
    ValueError
        If X is empty.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import BaggingClassifier
    >>> from skrnn import RNNSequenceClassifier
    >>> from skrnn.sequences import to_column
    >>> X, y = [np.zeros(3), np.ones(2)] * 10, [0, 1] * 10
    >>> to_column(X).shape
    (20, 1)
    >>> network = RNNSequenceClassifier(4, learning_rate="cosine", max_iter=20, random_state=0)
    >>> bagging = BaggingClassifier(network, n_estimators=2, random_state=0).fit(to_column(X), y)
    >>> bagging.predict(to_column(X[:2])).tolist()
    [0, 1]
    """
    X = as_column(X)
    if isinstance(X, (str, bytes)) or is_unordered(X) or not (isinstance(X, Iterable) or hasattr(X, "__array__")):
        raise TypeError(f"X is {describe(X)}. Pass an array or a list of sequences.")
    reject_masked(X, "X")
    items = [list(item) if isinstance(item, str) else item for item in (np.asarray(X) if hasattr(X, "columns") else X)]
    if not items:
        raise ValueError("X is empty: at least one sequence is needed.")
    column = array_of_objects(items)[:, np.newaxis]
    if not isinstance(as_column(column), SequenceColumn):
        raise TypeError(f"X[0] is {describe(items[0])}, but every item of X must be a sequence.")
    return column
