"""Recurrent layers in the form of PyTorch's, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._base import BaseRecurrent
from .._validation.values import shown_all
from ..core.arrays import Floats
from ..core.model.network import Network
from ._gates import TORCH_GATES, LayerArrays, from_order, order_of, parts_of_layers, to_order

_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def to_torch_state_dict(model: Any) -> dict[str, np.ndarray]:
    """Make a state dict of the recurrent layers of a fitted estimator, for `torch.nn.RNN`, `GRU` or `LSTM`.

    Parameters
    ----------
    model : estimator
        Fitted, any of skrnn; of a pipeline, its last step.

    Returns
    -------
    state_dict : dict of str to ndarray
        Copies, in the dtype of the model: ``weight_ih_l0`` (n_gates * hidden_size, n_inputs), ``weight_hh_l0``,
        ``bias_ih_l0``, ``bias_hh_l0``, of the reverse direction ``weight_ih_l0_reverse``, ..., of the second layer
        ``weight_ih_l1``, .... ``{name: torch.from_numpy(array)}`` is what `torch.nn.Module.load_state_dict` takes.
        ``bias_hh`` is zero but for the candidate of the GRU: PyTorch has two biases that are summed.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    NotImplementedError
        If PyTorch has no such cell.
    TypeError
        If it is no estimator of skrnn.

    See Also
    --------
    params_from_torch : The way back.

    Notes
    -----
    What lies before and after the layers is in `weights_`: ``embedding.E``, the weights of a `torch.nn.Embedding`, and
    ``head.W_y`` and ``head.b_y``, those of a `torch.nn.Linear`. A model that reads tokens without an embedding takes
    one-hot rows of the ids in ``vocabulary_``; a token model opens each sequence with one more, the last.

    Examples
    --------
    >>> from skrnn import RNNSequenceClassifier
    >>> from skrnn.export import to_torch_state_dict
    >>> X, y = [[0.0, 1.0], [1.0, 0.0]], ["up", "down"]
    >>> model = RNNSequenceClassifier(8, cell="lstm", max_iter=500, random_state=0).fit(X, y)
    >>> {name: array.shape for name, array in to_torch_state_dict(model).items()}
    {'weight_ih_l0': (32, 1), 'weight_hh_l0': (32, 8), 'bias_ih_l0': (32,), 'bias_hh_l0': (32,)}
    """
    if not isinstance(model, BaseRecurrent):
        raise TypeError(
            f"model is of type {type(model).__name__}, but an estimator of skrnn is needed. Of a pipeline, pass the "
            "last step, model[-1]."
        )
    fitted = model._check_fitted()
    return state_dict_of(fitted.built, fitted.params)


def state_dict_of(network: Network, params: Floats) -> dict[str, np.ndarray]:
    """Return the recurrent layers of a network by PyTorch's names."""
    cell, weights = network.stack.cell, network.layout.views(params)
    order = order_of(cell, TORCH_GATES, "torch.nn")
    return {
        name + suffix: array
        for part, suffix in _suffixes(network).items()
        for name, array in zip(_NAMES, to_order(cell, weights[part], order), strict=True)
    }


def params_from_torch(network: Network, state_dict: Mapping[str, Any], params: Any = None) -> np.ndarray:
    """Make the parameters of a network from a state dict of `torch.nn.RNN`, `GRU` or `LSTM`.

    Parameters
    ----------
    network : Network
        With layers of the same cell, number, size and directions.
    state_dict : mapping of str to Tensor or ndarray
        With the keys of PyTorch, see `to_torch_state_dict`, and no others; without biases they are zero.
    params : ndarray of shape (network.layout.size,), default=None
        Where the parameters of head, loss and embedding come from; zero by default.

    Returns
    -------
    params : ndarray of shape (network.layout.size,)
        A new vector, in the dtype of the state dict, or of `params` where it is given.

    Raises
    ------
    NotImplementedError
        If PyTorch has no such cell.
    TypeError
        If `network` is no Network, or `state_dict` no mapping.
    ValueError
        If a key is missing or unknown, an array has another shape, or `params` has.

    See Also
    --------
    to_torch_state_dict : The way there.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.core.model.network import Network
    >>> from skrnn.export import params_from_torch
    >>> network = Network.build("tanh", n_inputs=3, hidden_size=2, n_classes=2)
    >>> state_dict = {"weight_ih_l0": np.ones((2, 3)), "weight_hh_l0": np.eye(2)}
    >>> network.layout.views(params_from_torch(network, state_dict))["rnn.0"]["W_h"]
    array([[1., 0.],
           [0., 1.]])
    """
    if not isinstance(network, Network):
        raise TypeError(
            f"network is of type {type(network).__name__}, but a skrnn.core.model.network.Network is needed."
        )
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"state_dict is of type {type(state_dict).__name__}. Pass a dict, module.state_dict().")
    order = order_of(network.stack.cell, TORCH_GATES, "torch.nn")
    arrays = _read_arrays(network, state_dict)
    if params is None:
        vector = np.zeros(network.layout.size, np.result_type(np.float32, *arrays.values()))
    else:
        vector = np.array(params, np.result_type(np.float32, params))
    if vector.shape != (network.layout.size,):
        raise ValueError(f"params has the shape {vector.shape}, but that of the network is ({network.layout.size},).")
    views = network.layout.views(vector)
    for part, suffix in _suffixes(network).items():
        theirs = LayerArrays(*(arrays[name + suffix] for name in _NAMES))
        for name, array in from_order(network.stack.cell, theirs, order).items():
            views[part][name][...] = array
    return vector


def _suffixes(network: Network) -> dict[str, str]:
    """Return what PyTorch appends to the names of each part of the stack."""
    directions = "", "_reverse"
    return {
        part: f"_l{k}{direction}"
        for k, parts in enumerate(parts_of_layers(network.stack))
        for part, direction in zip(parts, directions)
    }


def _read_arrays(network: Network, state_dict: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return arrays by PyTorch's names, biases included; raises unless they are those of the network's layers."""
    expected: dict[str, tuple[int, ...]] = {}
    for part, suffix in _suffixes(network).items():
        shapes = network.stack.shapes()[part]
        for name, ours in zip(_NAMES, ("W_x", "W_h", "b", "b"), strict=True):
            expected[name + suffix] = shapes[ours]
    arrays = {name: _as_array(value) for name, value in state_dict.items()}
    if not any(name.startswith("bias") for name in arrays):
        arrays |= {name: np.zeros(shape, np.float32) for name, shape in expected.items() if name.startswith("bias")}
    for names, what in ((expected.keys() - arrays, "lacks"), (arrays.keys() - expected, "has")):
        if names:
            raise ValueError(
                f"state_dict {what} {shown_all(sorted(names))}. A network of "
                f"n_layers={network.stack.n_layers}, bidirectional={network.stack.bidirectional} has the keys "
                f"{', '.join(expected)}."
            )
    for name, array in arrays.items():
        if array.shape != expected[name]:
            raise ValueError(f"{name} has the shape {array.shape}, but that of the network is {expected[name]}.")
    return arrays


def _as_array(value: Any) -> np.ndarray:
    """Return a tensor of any device, or an array, as an array."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
