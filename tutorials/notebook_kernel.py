"""A recurrent network in one function, and the mistakes that its gradient can have."""

from pathlib import Path

import numpy as np

from skrnn.core.parameters import ParameterLayout

H, N_INPUTS, N_OUTPUTS = 4, 5, 3
LAYOUT = ParameterLayout({"": {"U": (H, N_INPUTS), "V": (H, H), "W": (N_OUTPUTS, H), "bh": (H,), "by": (N_OUTPUTS,)}})


def loss_gradient(params, read, targets):
    """Loss of one sequence, nats, and its gradient.

    `read` and `targets` hold the numbers of the tokens that are read, and of those that should come next.
    """
    U, V, W, bh, by = (a.reshape(len(a), -1) for a in LAYOUT.views(params)[""].values())
    gradient = np.zeros_like(params)
    d_U, d_V, d_W, d_bh, d_by = (a.reshape(len(a), -1) for a in LAYOUT.views(gradient)[""].values())
    inputs, wanted = np.eye(N_INPUTS)[:, read], np.eye(N_OUTPUTS)[:, targets]  # one column a step

    loss, states, guesses = 0.0, [np.zeros((H, 1))], []
    for t, target in enumerate(targets):
        h = np.tanh(U @ inputs[:, [t]] + V @ states[-1] + bh)
        z = W @ h + by
        p = np.exp(z - z.max())
        p /= p.sum()
        loss -= np.log(p[target, 0])
        states.append(h)
        guesses.append(p)

    d_h_next = np.zeros((H, 1))
    for t in reversed(range(len(read))):
        h_prev, h = states[t], states[t + 1]
        d_z = guesses[t] - wanted[:, [t]]
        d_W += d_z @ h.T
        d_by += d_z
        d_h = W.T @ d_z + d_h_next
        d_a = d_h * (1 - h**2)
        d_U += d_a @ inputs[:, [t]].T
        d_V += d_a @ h_prev.T
        d_bh += d_a
        d_h_next = V.T @ d_a
    return loss, gradient


GRADIENT_DEFECTS = {
    "the loss ignores the target": ("loss -= np.log(p[target, 0])", "loss -= np.mean(np.log(p))"),
    "the loss is a mean over the classes": ("loss -= np.log(p[target, 0])", "loss -= np.log(p[target, 0]) / N_OUTPUTS"),
    "dW is overwritten": ("d_W += d_z @ h.T", "d_W[:] = d_z @ h.T"),
    "dV uses the current state": ("d_V += d_a @ h_prev.T", "d_V += d_a @ h.T"),
    "dV uses states[-1] at the first step": ("h_prev, h = states[t]", "h_prev, h = states[1:][t - 1]"),
    "tanh' of what is tanh already": ("(1 - h**2)", "(1 - np.tanh(h) ** 2)"),
    "dbh stays zero, under another name": ("d_bh += d_a", "dhb = d_a"),
}
"""What is wrong: the right code above, and the wrong one."""


def with_defect(right, wrong):
    """`loss_gradient` of a copy of this file in which one piece of code was replaced."""
    source = Path(__file__).read_text(encoding="utf-8").partition("GRADIENT_DEFECTS")[0]
    if source.count(right) != 1:
        raise ValueError(f"{right!r} is there {source.count(right)} times. Pass code that is there once.")
    copy = {}
    exec(compile(source.replace(right, wrong), "copy of the kernel", "exec"), copy)
    return copy["loss_gradient"]
