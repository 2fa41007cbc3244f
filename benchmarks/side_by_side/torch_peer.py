"""The same in PyTorch, as quick as its modules are on a CPU."""

from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from . import work
from .driver import best_of

RNN = {"tanh": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def set_threads(threads):
    torch.set_num_threads(threads)


class Classifier(nn.Module):
    """One recurrent layer, and a linear one on the last state."""

    def __init__(self, cell, F, H, K):
        super().__init__()
        self.is_lstm = cell == "lstm"
        self.rnn, self.head = RNN[cell](F, H, batch_first=True), nn.Linear(H, K)
        weights = {name: torch.from_numpy(array) for name, array in work.weights_of(cell, F, H, K).items()}
        with torch.no_grad():
            self.rnn.weight_ih_l0.copy_(weights["W_x"])
            self.rnn.weight_hh_l0.copy_(weights["W_h"])
            self.rnn.bias_ih_l0.copy_(weights["b"])
            self.rnn.bias_hh_l0.zero_()
            self.rnn.bias_hh_l0[-H:] = weights["b_hn"]
            self.head.weight.copy_(weights["W_y"])
            self.head.bias.copy_(weights["b_y"])

    def forward(self, x):
        """Logits from sequences of equal lengths (B, T, F), or from a PackedSequence."""
        _, h = self.rnn(x)
        return self.head((h[0] if self.is_lstm else h)[0])

    def of_padded(self, x, last):
        """Logits from padded sequences (B, T, F), and where each one's last step is (B,)."""
        h, _ = self.rnn(x)
        return self.head(h[torch.arange(len(h)), last])


def training(point, cell, n_batches, n_epochs, way="padded", is_bucketed=False):
    """Epochs of Adam.

    `way` is how ragged batches go: "padded" or "packed"; with `is_bucketed` a batch has sequences of like lengths.
    """
    X, y = work.draw(point, n_batches * point.B)
    full, lengths = work.padded(X)
    X, y = torch.from_numpy(full), torch.from_numpy(y)
    order = np.argsort(-lengths, kind="stable") if is_bucketed else np.arange(len(X))
    ragged_batches = [indices[np.argsort(-lengths[indices])] for indices in work.batches_of(order, point.B)]
    model = Classifier(cell, point.F, point.H, point.K)
    step = stepper(model, torch.optim.Adam(model.parameters(), lr=3e-3, fused=True))

    def fixed_epochs():
        for _ in range(n_epochs):
            for indices in torch.randperm(len(X)).split(point.B):
                step(model(X[indices]), y[indices])

    def ragged_epochs():
        for _ in range(n_epochs):
            for indices in ragged_batches:
                n_steps = lengths[indices]
                x = X[indices, : n_steps[0]]
                if way == "padded":
                    logits = model.of_padded(x, torch.from_numpy(n_steps - 1))
                else:
                    logits = model(pack_padded_sequence(x, torch.from_numpy(n_steps), batch_first=True))
                step(logits, y[indices])

    return ragged_epochs if point.high else fixed_epochs


def stepper(model, optimizer):
    """A function that learns from logits and targets."""
    parameters, loss_of = list(model.parameters()), nn.CrossEntropyLoss()

    def step(logits, targets):
        optimizer.zero_grad(set_to_none=True)
        loss_of(logits, targets).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return step


def predicting(point, cell, n):
    """Probabilities of n sequences, in batches of the size that is quickest for the first of them."""
    X, _ = work.draw(point, n)
    full, lengths = work.padded(X)
    X, model = torch.from_numpy(full), Classifier(cell, point.F, point.H, point.K).eval()
    by_length = np.argsort(-lengths, kind="stable")

    @torch.inference_mode()
    def probabilities(n, batch_size):
        if not point.high:
            logits = torch.cat([model(x) for x in X[:n].split(batch_size)])
            return torch.softmax(logits, dim=1)
        logits = torch.empty(len(X), point.K)
        for indices in np.split(by_length[-n:], range(batch_size, n, batch_size)):  # of like lengths
            n_steps = lengths[indices]
            x = X[indices, : n_steps[0]]
            logits[indices] = model.of_padded(x, torch.from_numpy(n_steps - 1))
        return torch.softmax(logits, dim=1)

    sizes = [b for b in (256, 1024) if b <= n] or [n]
    n_tried = min(n, 1024)
    tried = best_of((size, partial(probabilities, n_tried, size)) for size in sizes)
    run = partial(probabilities, n, tried.note)
    run.note = f"batches of {tried.note}"
    return run


def loss_gradient(point, cell, way="padded"):
    """Loss and gradient norm of one batch at `work.weights_of`."""
    X, y = work.draw(point, point.B)
    full, lengths = work.padded(X)
    model, x, lengths = Classifier(cell, point.F, point.H, point.K), torch.from_numpy(full), torch.from_numpy(lengths)
    if way == "padded":
        logits = model.of_padded(x, lengths - 1)
    else:
        logits = model(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
    loss = nn.functional.cross_entropy(logits, torch.from_numpy(y))
    loss.backward()
    names = [name for name, _ in model.named_parameters() if name != "rnn.bias_hh_l0"]
    gradients = [model.get_parameter(name).grad.ravel() for name in names]
    if cell == "gru":
        gradients.append(model.rnn.bias_hh_l0.grad[-point.H :])  # PyTorch's other recurrent biases are redundant
    return loss.item(), torch.cat(gradients).norm().item()
