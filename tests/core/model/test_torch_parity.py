"""Law 8: PyTorch agrees. Same weights, same log-probabilities, loss and gradients, to 1e-10 in float64.

Skipped where torch is not installed, unless SKRNN_REQUIRE_TORCH is set. Install it with the extra `parity`.
"""

import os

import numpy as np
import pytest

from skrnn.core.data.sequences import PackedSequences
from skrnn.core.model.network import Network
from skrnn.core.workspace import Workspace

if os.environ.get("SKRNN_REQUIRE_TORCH"):
    import torch
else:
    torch = pytest.importorskip("torch")

from torch_layers import gradients_of, make_layers

H, F, K = 5, 3, 4


def pool(pooling, outputs, h_n, lengths, bidirectional):
    """(B, D*H) from torch's padded outputs (B, T, D*H) and final states (layers * D, B, H)."""
    if pooling == "last":
        return torch.cat([h_n[-2], h_n[-1]], dim=1) if bidirectional else h_n[-1]
    slices = [o[:n] for o, n in zip(outputs, lengths, strict=True)]
    return torch.stack([p.mean(dim=0) if pooling == "mean" else p.max(dim=0).values for p in slices])


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("lengths", [[6, 6, 6, 6], [1, 9, 4, 4, 2, 7]], ids=["equal", "ragged"])
@pytest.mark.parametrize("cell", ["tanh", "relu", "gru", "lstm"])
def test_log_proba_loss_and_gradients_equal_those_of_torch(cell, lengths, n_layers, bidirectional, pooling, rng):
    network = Network.build(cell, F, H, K, n_layers=n_layers, bidirectional=bidirectional, pooling=pooling)
    params = network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size)
    data = PackedSequences.from_arrays([rng.standard_normal((n, F)) for n in lengths], np.float64)
    targets, sample_weights = rng.integers(0, K, len(lengths)), rng.random(len(lengths))
    weights = network.layout.views(params)
    rnn = make_layers(network, params)
    W_y, b_y = (torch.tensor(weights["head"][name], requires_grad=True) for name in ("W_y", "b_y"))

    gradient, workspace = np.zeros_like(params), Workspace(np.float64)
    batch = network.batcher.batch(data, np.arange(len(lengths)), targets, sample_weights)
    loss, _ = network.loss_gradient(params, batch, None, workspace, gradient)

    packed = torch.nn.utils.rnn.pack_sequence([torch.from_numpy(x) for x in data.arrays()], enforce_sorted=False)
    outputs, h_n = rnn(packed)
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    pooled = pool(pooling, outputs, h_n[0] if cell == "lstm" else h_n, lengths, bidirectional)
    logits = pooled @ W_y.T + b_y
    losses = torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets), reduction="none")
    torch_loss = (losses * torch.from_numpy(sample_weights)).sum()
    torch_loss.backward()

    close = {"rtol": 1e-10, "atol": 1e-10}
    log_proba = torch.log_softmax(logits, dim=1).detach().numpy()
    np.testing.assert_allclose(network.predict(params, data, workspace), log_proba, **close)
    np.testing.assert_allclose(loss, torch_loss.item(), **close)
    gradients = network.layout.views(gradient)
    np.testing.assert_allclose(gradients["head"]["W_y"], W_y.grad.numpy(), **close)
    np.testing.assert_allclose(gradients["head"]["b_y"], b_y.grad.numpy(), **close)
    for part, arrays in gradients_of(rnn, network).items():
        assert gradients[part].keys() == arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_allclose(gradients[part][name], array, **close)


@pytest.mark.parametrize("name", ["adam", "sgd", "nesterov", "rmsprop"])
def test_optimizers_take_the_same_steps_as_those_of_torch(name, rng):
    from skrnn.core.training.optimizers import SGD, Adam, RMSprop

    start = rng.standard_normal(7)
    ours, theirs = start.copy(), torch.tensor(start, requires_grad=True)
    optimizer, torch_optimizer = {
        "adam": (Adam(), torch.optim.Adam([theirs], lr=0.1)),
        "sgd": (SGD(0.9, nesterov=False), torch.optim.SGD([theirs], lr=0.1, momentum=0.9)),
        "nesterov": (SGD(0.9, nesterov=True), torch.optim.SGD([theirs], lr=0.1, momentum=0.9, nesterov=True)),
        "rmsprop": (RMSprop(decay=0.9), torch.optim.RMSprop([theirs], lr=0.1, alpha=0.9)),
    }[name]
    state = optimizer.init(ours)

    for _ in range(5):
        gradient = rng.standard_normal(7)
        theirs.grad = torch.from_numpy(gradient.copy())
        torch_optimizer.step()
        optimizer.update(ours, gradient, state, learning_rate=0.1)

    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-7)


@pytest.mark.parametrize("lengths", [[6, 6, 6, 6], [1, 9, 4, 4, 2, 7]], ids=["equal", "ragged"])
def test_a_tagger_equals_a_bidirectional_lstm_of_torch(lengths, rng):
    network = Network.build_for_labels("lstm", F, H, K, loss="log_loss", n_layers=2)
    params = network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size)
    data = PackedSequences.from_arrays([rng.standard_normal((n, F)) for n in lengths], np.float64)
    targets, weights = rng.integers(0, K, sum(lengths)), rng.random(len(lengths))
    views = network.layout.views(params)
    rnn = make_layers(network, params)
    W_y, b_y = (torch.tensor(views["head"][name], requires_grad=True) for name in ("W_y", "b_y"))

    gradient, workspace = np.zeros_like(params), Workspace(np.float64)
    batch = network.batcher.batch(data, np.arange(len(lengths)), targets, weights)
    loss, _ = network.loss_gradient(params, batch, None, workspace, gradient)

    packed = torch.nn.utils.rnn.pack_sequence([torch.from_numpy(x) for x in data.arrays()], enforce_sorted=False)
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(rnn(packed)[0], batch_first=True)
    logits = torch.cat([o[:n] for o, n in zip(outputs, lengths, strict=True)]) @ W_y.T + b_y
    losses = torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets), reduction="none")
    torch_loss = (losses * torch.from_numpy(np.repeat(weights, lengths))).sum()
    torch_loss.backward()

    close = {"rtol": 1e-10, "atol": 1e-10}
    log_proba = torch.log_softmax(logits, dim=1).detach().numpy()
    np.testing.assert_allclose(network.predict(params, data, workspace), log_proba, **close)
    np.testing.assert_allclose(loss, torch_loss.item(), **close)
    gradients = network.layout.views(gradient)
    np.testing.assert_allclose(gradients["head"]["W_y"], W_y.grad.numpy(), **close)
    for part, arrays in gradients_of(rnn, network).items():
        for name, array in arrays.items():
            np.testing.assert_allclose(gradients[part][name], array, **close)
