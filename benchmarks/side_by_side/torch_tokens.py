"""The token model in PyTorch: one-hot rows, a recurrent layer, a linear layer after every step."""

import torch
from torch import nn
from torch.nn.functional import embedding, log_softmax, one_hot

from . import work
from .driver import best_of
from .torch_peer import RNN, set_threads, stepper

__all__ = ["scoring", "set_threads", "training", "writing"]


class TokenModel(nn.Module):
    """Tokens (T, B) to logits (T, B, K); rows come from an identity matrix, or are made, whichever is quicker."""

    def __init__(self, cell, hidden_size, makes_rows=False):
        super().__init__()
        _, self.n_tokens = work.codes()
        self.rnn, self.head = RNN[cell](self.n_tokens, hidden_size), nn.Linear(hidden_size, self.n_tokens)
        self.eye, self.makes_rows = torch.eye(self.n_tokens), makes_rows

    def rows(self, tokens):
        return one_hot(tokens, self.n_tokens).float() if self.makes_rows else embedding(tokens, self.eye)

    def forward(self, tokens, state=None):
        h, state = self.rnn(self.rows(tokens), state)
        return self.head(h), state


def training(cell, hidden_size, n_windows):
    """One pass over the windows, the state carried on."""
    inputs, targets = (torch.from_numpy(part) for part in work.windows(n_windows))

    def candidate(makes_rows):
        model = TokenModel(cell, hidden_size, makes_rows)
        step = stepper(model, torch.optim.Adam(model.parameters(), lr=3e-3, fused=True))

        def run():
            state = None
            for x, y in zip(inputs, targets, strict=True):
                logits, state = model(x, state)
                state = tuple(v.detach() for v in state) if cell == "lstm" else state.detach()
                step(logits.flatten(0, 1), y.flatten())

        return "rows made" if makes_rows else "rows of an identity", run

    return best_of((candidate(makes_rows) for makes_rows in (False, True)), repeats=1)


def scoring(cell, hidden_size, n, n_steps):
    """Log-likelihoods of n texts, whole or in windows."""
    numbers, _ = work.codes()
    tokens = torch.from_numpy(numbers[: n * n_steps].reshape(n, n_steps).T.copy())
    model = TokenModel(cell, hidden_size).eval()

    def candidate(n_window):
        @torch.inference_mode()
        def run():
            total, state = torch.zeros(n), None
            for x, y in zip(tokens[:-1].split(n_window), tokens[1:].split(n_window), strict=True):
                logits, state = model(x, state)
                total += log_softmax(logits, dim=2).gather(2, y[:, :, None]).sum(dim=(0, 2))
            return total

        return f"windows of {n_window}", run

    return best_of((candidate(n_window) for n_window in (100, n_steps)), repeats=1)


def writing(cell, hidden_size, n, n_steps):
    """n texts, drawn at temperature 1; by the layer, or by the bare function of its cell."""
    model = TokenModel(cell, hidden_size).eval()
    weights = [parameter for name, parameter in model.rnn.named_parameters()]
    cell_function = {"tanh": torch.rnn_tanh_cell, "gru": torch.gru_cell, "lstm": torch.lstm_cell}[cell]

    def step_of_layer(tokens, state):
        logits, state = model(tokens[None], state)
        return logits[0], state

    def step_of_cell(tokens, state):
        if state is None:
            zero = torch.zeros(n, hidden_size)
            state = (zero, zero) if cell == "lstm" else zero
        state = cell_function(model.rows(tokens), state, *weights)
        return model.head(state[0] if cell == "lstm" else state), state

    def candidate(step):
        @torch.inference_mode()
        def run():
            tokens, state, written = torch.zeros(n, dtype=torch.long), None, []
            for _ in range(n_steps):
                logits, state = step(tokens, state)
                tokens = torch.multinomial(torch.softmax(logits, dim=1), 1)[:, 0]
                written.append(tokens)
            return torch.stack(written, dim=1).numpy()

        return step.__name__, run

    return best_of(candidate(step) for step in (step_of_layer, step_of_cell))
