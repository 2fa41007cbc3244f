"""Law 8 for tokens: PyTorch agrees. Same weights, same log-probabilities, loss and gradients, to 1e-10 in float64.

Skipped where torch is not installed, unless SKRNN_REQUIRE_TORCH is set. Install it with the extra `parity`.
"""

import os

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrnn._token_scores import TokenScores
from skrnn.core.data.sequences import NextTokenSequences
from skrnn.core.model.network import Network
from skrnn.core.workspace import Workspace

if os.environ.get("SKRNN_REQUIRE_TORCH"):
    import torch
else:
    torch = pytest.importorskip("torch")

from torch_layers import gradients_of, make_layers

H, N_INPUTS, K = 5, 6, 4
CLOSE = {"rtol": 1e-10, "atol": 1e-10}
VARIANTS = {
    "one-hot": {},
    "stacked": {"n_layers": 2},
    "embedding": {"embedding_size": 3},
    "tied": {"embedding_size": H, "tie_weights": True, "n_layers": 2},
}


class TorchModel(torch.nn.Module):
    """Embedding or one-hot rows, recurrent layers, a linear layer after every step: with the weights of ours."""

    def __init__(self, network, params):
        super().__init__()
        weights = network.layout.views(params)
        self.rnn = make_layers(network, params)
        self.linear = torch.nn.Linear(H, K, dtype=torch.float64)
        self.embedding = self.E = None
        if "embedding" in weights:
            self.embedding = torch.nn.Embedding(N_INPUTS, network.stack.input.n_inputs, dtype=torch.float64)
            self.E = self.embedding.weight
        self.is_tied = network.is_tied
        with torch.no_grad():
            self.linear.bias.copy_(torch.from_numpy(weights["head"]["b_y"]))
            if not self.is_tied:
                self.linear.weight.copy_(torch.from_numpy(weights["head"]["W_y"]))
            if self.embedding:
                self.E.copy_(torch.from_numpy(weights["embedding"]["E"]))

    def forward(self, tokens):
        x = self.embedding(tokens) if self.embedding else torch.nn.functional.one_hot(tokens, N_INPUTS).double()
        h, _ = self.rnn(x)
        W_y = self.E[:K] if self.is_tied else self.linear.weight
        return torch.log_softmax(h @ W_y.T + self.linear.bias, dim=1)


@pytest.mark.parametrize("kwargs", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("lengths", [[6, 6, 6, 6], [1, 9, 4, 4, 2, 7]], ids=["equal", "ragged"])
@pytest.mark.parametrize("cell", ["tanh", "relu", "gru", "lstm"])
def test_log_proba_loss_and_gradients_equal_those_of_torch(cell, lengths, kwargs, rng):
    network = Network.build_for_tokens(cell, N_INPUTS, H, K, **kwargs)
    params = network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size)
    workspace = Workspace(np.float64)
    offsets = np.cumsum([0, *(n + 1 for n in lengths[:-1])])
    ids = rng.integers(0, K, sum(lengths) + len(lengths))
    ids[offsets] = rng.integers(0, N_INPUTS, len(lengths))  # some are only read
    data, sample_weights = NextTokenSequences(ids, np.array(lengths), offsets), rng.random(len(lengths))
    model = TorchModel(network, params)

    gradient = np.zeros_like(params)
    batch = network.batcher.batch(data, np.arange(len(lengths)), data.next_ids, sample_weights)
    loss, _ = network.loss_gradient(params, batch, None, workspace, gradient)

    log_proba = [
        model(torch.from_numpy(part[:-1]))[range(len(part) - 1), torch.from_numpy(part[1:])] for part in data.arrays()
    ]
    torch_loss = -sum(w * part.sum() for w, part in zip(sample_weights, log_proba, strict=True))
    torch_loss.backward()

    wanted = torch.cat(log_proba).detach().numpy()
    assert_allclose(TokenScores(network, None).token_log_proba(params, data, workspace), wanted, **CLOSE)
    assert_allclose(loss, torch_loss.item(), **CLOSE)
    gradients = network.layout.views(gradient)
    assert_allclose(gradients["head"]["b_y"], model.linear.bias.grad.numpy(), **CLOSE)
    if not network.is_tied:
        assert_allclose(gradients["head"]["W_y"], model.linear.weight.grad.numpy(), **CLOSE)
    if "embedding" in gradients:
        assert_allclose(gradients["embedding"]["E"], model.E.grad.numpy(), **CLOSE)
    for part, arrays in gradients_of(model.rnn, network).items():
        for name, array in arrays.items():
            assert_allclose(gradients[part][name], array, **CLOSE)
