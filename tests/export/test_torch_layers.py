"""Layers of PyTorch with our weights give our states, and the other way round.

Skipped where torch is not installed, unless SKRNN_REQUIRE_TORCH is set. Install it with the extra `parity`.
"""

import os

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceTagger
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.model.network import Network
from skrnn.core.workspace import Workspace
from skrnn.export import params_from_torch, to_torch_state_dict

if os.environ.get("SKRNN_REQUIRE_TORCH"):
    import torch
else:
    torch = pytest.importorskip("torch")

CELLS = ["tanh", "relu", "gru", "lstm"]
CLOSE = {"rtol": 1e-10, "atol": 1e-10}
H, F = 5, 3
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def layers_of_torch(cell, n_layers, bidirectional, n_inputs=F, bias=True, dtype=torch.float64):
    kwargs = {"num_layers": n_layers, "bidirectional": bidirectional, "bias": bias, "dtype": dtype}
    if cell in ("tanh", "relu"):
        return torch.nn.RNN(n_inputs, H, nonlinearity=cell, **kwargs)
    return {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell](n_inputs, H, **kwargs)


def last_states(layers, x):
    """Final states (D*H,) of the top layer after one sequence (T, F)."""
    with torch.no_grad():
        _, h_n = layers(torch.from_numpy(x))
    h_n = h_n[0] if isinstance(layers, torch.nn.LSTM) else h_n
    return torch.cat(list(h_n[-2:] if layers.bidirectional else h_n[-1:])).numpy()


def shaken(model, rng):
    """The fitted model with other weights, none of which is zero."""
    for array in model.weights_.values():
        array += 0.3 * rng.standard_normal(array.shape)
    return model


@pytest.mark.parametrize("n_layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_weights_go_to_torch(cell, bidirectional, n_layers, rng):
    X = [rng.standard_normal((n, F)) for n in (4, 1, 7)]
    options = {"cell": cell, "n_layers": n_layers, "bidirectional": bidirectional, "max_iter": 1, "random_state": 0}
    model = shaken(RNNSequenceClassifier(H, **options).fit(X, [0, 1, 0]), rng)

    state_dict = to_torch_state_dict(model)
    layers = layers_of_torch(cell, n_layers, bidirectional)
    layers.load_state_dict({name: torch.from_numpy(array) for name, array in state_dict.items()})

    assert list(state_dict) == list(layers.state_dict())
    assert_allclose([last_states(layers, x) for x in X], model.transform(X), **CLOSE)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("n_layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_weights_come_from_torch(cell, bidirectional, n_layers, bias, rng):
    layers = layers_of_torch(cell, n_layers, bidirectional, bias=bias)
    X = [rng.standard_normal((n, F)) for n in (4, 1, 7)]
    network = Network.build(cell, F, H, 2, n_layers=n_layers, bidirectional=bidirectional)

    params = params_from_torch(network, layers.state_dict())

    pooled = network.pool(params, PackedSequences.from_arrays(X, np.float64), Workspace(np.float64))
    assert_allclose(pooled, [last_states(layers, x) for x in X], **CLOSE)
    assert not any(array.any() for array in network.views(params)["head"].values())


@pytest.mark.parametrize("cell", CELLS)
def test_there_and_back(cell, rng):
    X, y = [rng.standard_normal((n, F)) for n in (4, 1, 7)], [["a"] * 4, ["b"], ["a"] * 7]
    options = {"cell": cell, "n_layers": 2, "max_iter": 1, "dtype": "float32", "random_state": 0}
    model = shaken(RNNSequenceTagger(H, **options).fit(X, y), rng)
    before = model._fitted.params.copy()

    params = params_from_torch(model._fitted.network, to_torch_state_dict(model), params=before)

    assert params.dtype == np.float32
    assert_array_equal(params, before)
    assert params is not before


def test_one_hot_rows_are_the_ids_of_tokens(rng):
    model = RNNNextTokenModel(H, embedding_size=None, max_iter=1, random_state=0).fit(["abca", "cab"])
    shaken(model, rng)
    n_ids = len(model.column_tokens_) + 1  # and the one that begins a sequence
    layers = layers_of_torch("gru", 1, False, n_inputs=n_ids)
    layers.load_state_dict({name: torch.from_numpy(array) for name, array in to_torch_state_dict(model).items()})

    ids = [n_ids - 1, *(model.vocabulary_[token] for token in "cab")]

    assert_allclose(last_states(layers, np.eye(n_ids)[ids]), model.transform(["cab"])[0], **CLOSE)


def test_dtype_is_that_of_the_state_dict():
    network = Network.build("gru", F, H, 2)
    state_dict = layers_of_torch("gru", 1, False, bias=False, dtype=torch.float32).state_dict()

    assert params_from_torch(network, state_dict).dtype == np.float32
    assert params_from_torch(network, state_dict, params=np.zeros(network.layout.size, int)).dtype == np.float64
    assert params_from_torch(network, {k: v.double() for k, v in state_dict.items()}).dtype == np.float64


def test_state_dicts_of_other_layers_are_refused():
    network = Network.build("gru", F, H, 2, n_layers=2)
    whole = layers_of_torch("gru", 2, False).state_dict()

    with pytest.raises(ValueError, match=r"state_dict lacks .*'weight_ih_l1'\]. A network of n_layers=2,"):
        params_from_torch(network, layers_of_torch("gru", 1, False).state_dict())
    with pytest.raises(ValueError, match=r"state_dict has \['linear.weight'\]"):
        params_from_torch(network, {**whole, "linear.weight": torch.zeros(2, H)})
    with pytest.raises(ValueError, match=r"weight_ih_l0 has the shape \(20, 3\), but that of the network is \(15, 3\)"):
        params_from_torch(network, layers_of_torch("lstm", 2, False).state_dict())
    with pytest.raises(ValueError, match=r"params has the shape \(3,\)"):
        params_from_torch(network, whole, params=np.zeros(3))
    with pytest.raises(TypeError, match="network is of type GRU"):
        params_from_torch(layers_of_torch("gru", 1, False), whole)
    with pytest.raises(TypeError, match=r"state_dict is of type GRU\. Pass a dict, module\.state_dict\(\)"):
        params_from_torch(network, layers_of_torch("gru", 2, False))
    with pytest.raises(TypeError, match="model is of type GRU"):
        to_torch_state_dict(layers_of_torch("gru", 1, False))
