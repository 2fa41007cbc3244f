"""What the units of a network hold, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._next_token import RNNNextTokenModel
from .._parallel.blas import guarded
from .._validation.values import is_integer, shown
from .._wrapped import transform_by
from ..core.workspace import Workspace
from ._explained import split_model


def hidden_states(model: Any, X: Any, *, layer: int = -1) -> list[np.ndarray]:
    """Outputs of the units of a layer at every step.

    Parameters
    ----------
    model : estimator
        A fitted estimator of skrnn, or a pipeline or a fitted search that ends in one.
    X : list of sequences, or array
        As for `predict`.
    layer : int, default=-1
        Which layer, from the input upwards; negative from the last one downwards.

    Returns
    -------
    states : list of ndarray of shape (n_steps_i, hidden_size)
        h of each step, in the dtype of the model; (n_steps_i, 2 * hidden_size) of both directions, the forward one
        first. Row t of the reverse direction has read the steps from the last one down to t. Of a token model row t is
        the state after token t.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    TypeError
        If it is no estimator of skrnn.
    ValueError
        If there is no such layer, or X is not what it should be.

    Examples
    --------
    >>> from skrnn import RNNSequenceClassifier
    >>> from skrnn.inspection import hidden_states
    >>> X = [[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]
    >>> model = RNNSequenceClassifier(4, learning_rate="cosine", random_state=0).fit(X, ["up", "down"])
    >>> [states.shape for states in hidden_states(model, X)]
    [(3, 4), (3, 4)]
    """
    transformers, estimator = split_model(model, "hidden_states")
    fitted, X = estimator._check_fitted(), transform_by(transformers, X)
    n_layers = fitted.network.stack.n_layers
    if not is_integer(layer, -n_layers) or layer >= n_layers:
        layers = f"{-n_layers} <= layer < {n_layers}"
        raise ValueError(f"layer is {shown(layer)}, but the model has {n_layers}. Pass an integer with {layers}.")
    if isinstance(estimator, RNNNextTokenModel):
        data, n_before = fitted.reading.to_continue(X, estimator.handle_unknown), 1  # one step that opens a sequence
    else:
        data, n_before = fitted.reading.to_predict(X), 0
    rows = guarded(fitted.network.hidden_states, fitted.params, data, Workspace(fitted.params.dtype), int(layer))
    return [states[n_before:] for states in np.split(rows, np.cumsum(data.lengths)[:-1])]
