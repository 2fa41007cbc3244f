"""What is predicted after every step is what `predict` gives for the beginning that ends there."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrnn.core.data.sequences import PackedSequences
from skrnn.core.kernels import KERNELS
from skrnn.core.limits import Limits
from skrnn.core.model.network import Network
from skrnn.core.workspace import Workspace

LENGTHS = [7, 1, 12, 3, 12, 5, 30, 2]
NETWORKS = {
    "gru": {"cell": "gru"},
    "lstm of two layers": {"cell": "lstm", "n_layers": 2},
    "relu": {"cell": "relu", "dropout": 0.5},
    "several labels": {"cell": "tanh", "is_multilabel": True},
}


@pytest.fixture(params=[(name, pooling) for name in NETWORKS for pooling in ("last", "mean", "max")], ids=" ".join)
def network(request):
    name, pooling = request.param
    return Network.build(n_inputs=2, hidden_size=5, n_classes=3, pooling=pooling, **NETWORKS[name])


def sequences(rng, dtype=np.float64):
    return PackedSequences.from_arrays([rng.normal(size=(n, 2)) for n in LENGTHS], dtype)


def beginnings(data):
    """Each sequence's first step, its first two, and so on."""
    lengths = np.concatenate([np.arange(1, n + 1) for n in data.lengths])
    return data.slices(np.repeat(data.offsets, data.lengths), lengths)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize(
    "limits", [Limits(), Limits(inference_size=400, inference_columns=(3, 3))], ids=["whole", "cut"]
)
def test_steps_equal_beginnings(network, limits, kernels, rng):
    """Wherever a window, a segment or a batch ends."""
    network = replace(network, stack=replace(network.stack, limits=limits)).using(kernels)
    params, data = network.initialize(rng), sequences(rng)

    predicted = network.predict_steps(params, data, Workspace(np.float64))

    assert_allclose(predicted, network.predict(params, beginnings(data), Workspace(np.float64)), rtol=0, atol=1e-13)


def test_dtype_is_kept(network, rng):
    params, data = network.initialize(rng, np.float32), sequences(rng, np.float32)
    assert network.predict_steps(params, data, Workspace(np.float32)).dtype == np.float32


def test_a_network_of_steps_predicts_them_anyhow(rng):
    network = Network.build_for_labels("gru", 2, 5, 3, loss="log_loss", bidirectional=False)
    params, data, workspace = network.initialize(rng), sequences(rng), Workspace(np.float64)
    assert_array_equal(network.predict_steps(params, data, workspace), network.predict(params, data, workspace))


def test_a_bidirectional_network_has_no_beginnings(rng):
    network = Network.build("gru", 2, 5, 3, bidirectional=True)
    with pytest.raises(ValueError, match="A bidirectional network has no predictions of beginnings"):
        network.predict_steps(network.initialize(rng), sequences(rng), Workspace(np.float64))
