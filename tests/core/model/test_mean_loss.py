"""The mean loss of a set, and the bias that training begins with."""

import numpy as np
import pytest

from skrnn.core.data.dataset import Dataset
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.model.network import Network
from skrnn.core.workspace import Workspace


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "gaussian"])
def test_mean_loss_is_that_of_the_full_batch(loss, per_step, rng):
    network = Network.build_for_numbers(
        "gru", 2, 4, 3, loss=loss, per_step=per_step, center=(1.0, 2.0, 3.0), scale=(2.0, 3.0, 4.0)
    )
    sequences = PackedSequences.from_arrays([rng.standard_normal((n, 2)) for n in (4, 1, 6)], float)
    y = rng.standard_normal((11 if per_step else 3, 3))
    data = Dataset(sequences, y, rng.uniform(0.5, 2, 3), is_per_step=per_step)
    params, workspace = network.initialize(rng), Workspace(float)

    mean = network.mean_loss(params, data, workspace)

    batch = data.full_batch(network.batcher, np.dtype(float))
    wanted, _ = network.loss_gradient(params, batch, None, workspace, np.zeros_like(params))
    assert mean == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("per_step", [False, True])
def test_begin_at_predicts_the_weighted_mean(per_step, rng):
    network = Network.build_for_numbers("gru", 2, 4, 1, per_step=per_step, center=(1.0,), scale=(2.0,))
    sequences = PackedSequences.from_arrays([rng.standard_normal((n, 2)) for n in (4, 1, 6)], float)
    y, weights = rng.standard_normal(11 if per_step else 3), np.array([1.0, 2.0, 3.0])
    params = np.zeros(network.layout.size)

    network.begin_at(params, Dataset(sequences, y, weights, is_per_step=per_step))

    of_targets = np.repeat(weights, [4, 1, 6]) if per_step else weights
    predicted = network.predict(params, sequences, Workspace(float))
    np.testing.assert_allclose(predicted, np.average(y, weights=of_targets), rtol=1e-12)
