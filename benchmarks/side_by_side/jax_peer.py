"""The same in JAX: the whole training step, or the whole epoch, compiled.

Everything that does not depend on the recurrence is hoisted out of the scan. Whether an epoch is one compiled scan over
its batches or each batch one call, and how far the scan over time is unrolled, is tried out before the timing.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from . import work
from .driver import best_of

HOW = ((1, False), (1, True), (4, True))
"""Unrolled steps of the scan, and whether an epoch is compiled, or a step: what is tried before the timing."""


def logits_of(params, x, last, cell, unroll):
    """Logits (B, K) from x (B, T, F); `last` (B,) is where each sequence's last step is, None for the end."""
    H = params["W_h"].shape[1]
    a = jnp.einsum("btf,gf->tbg", x, params["W_x"]) + params["b"]
    start = jnp.zeros((len(x), H), x.dtype)
    step = partial(STEPS[cell], params)
    if last is None:
        state, _ = jax.lax.scan(lambda state, a: (step(state, a), None), initial_state(cell, start), a, unroll=unroll)
        h = output_of(cell, state)
    else:

        def step_with_output(state, a):
            state = step(state, a)
            return state, output_of(cell, state)

        _, outputs = jax.lax.scan(step_with_output, initial_state(cell, start), a, unroll=unroll)
        h = outputs[last, jnp.arange(len(x))]
    return h @ params["W_y"].T + params["b_y"]


def tanh_step(params, h, a):
    return jnp.tanh(a + h @ params["W_h"].T)


def gru_step(params, h, a):
    H = h.shape[1]
    R = h @ params["W_h"].T
    r, z = jnp.split(jax.nn.sigmoid(a[:, : 2 * H] + R[:, : 2 * H]), 2, axis=1)
    n = jnp.tanh(a[:, 2 * H :] + r * (R[:, 2 * H :] + params["b_hn"]))
    return n + z * (h - n)


def lstm_step(params, state, a):
    h, c = state
    i, f, g, o = jnp.split(a + h @ params["W_h"].T, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


STEPS = {"tanh": tanh_step, "gru": gru_step, "lstm": lstm_step}


def initial_state(cell, zero):
    return (zero, zero) if cell == "lstm" else zero


def output_of(cell, state):
    return state[0] if cell == "lstm" else state


def loss_of(params, x, last, y, cell, unroll):
    log_proba = jax.nn.log_softmax(logits_of(params, x, last, cell, unroll))
    return -jnp.take_along_axis(log_proba, y[:, None], axis=1).mean()


def adam(params, gradient, moments):
    """One step of Adam on the gradient, clipped to norm 1."""
    norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in jax.tree.leaves(gradient)))
    scale = jnp.minimum(1, 1 / norm)
    mean, square, n = moments
    n += 1
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * scale * g, mean, gradient)
    square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * (scale * g) ** 2, square, gradient)
    rate, correction = 3e-3 / (1 - 0.9**n), 1 / (1 - 0.999**n)
    params = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(correction * v) + 1e-8), params, mean, square)
    return params, (mean, square, n)


def training(point, cell, n_batches, n_epochs):
    """Epochs of Adam, timed after compilation. Ragged batches are padded to the longest of all sequences."""
    X, y = work.draw(point, n_batches * point.B)
    full, lengths = work.padded(X)
    X, y, last = jnp.asarray(full), jnp.asarray(y), jnp.asarray(lengths - 1)
    rng = np.random.default_rng(0)

    def step(unroll, X, last, y, state, indices):
        params, moments = state
        of_batch = X[indices], last[indices] if point.high else None, y[indices]
        loss, gradient = jax.value_and_grad(loss_of)(params, *of_batch, cell, unroll)
        return adam(params, gradient, moments), loss

    def candidate(unroll, is_epoch_compiled):
        def run(X, last, y, state, indices):
            one = partial(step, unroll, X, last, y)
            return jax.lax.scan(one, state, indices) if is_epoch_compiled else one(state, indices)

        run = jax.jit(run, donate_argnums=3)
        state = initial_training_state(weights_of(cell, point))

        def epochs():
            nonlocal state
            for _ in range(n_epochs):
                order = np.arange(len(X)) if point.high else rng.permutation(len(X))
                batches = work.batches_of(order, point.B)
                for part in [batches] if is_epoch_compiled else batches:
                    state, loss = run(X, last, y, state, part)
            loss.block_until_ready()

        note = f"{'epoch' if is_epoch_compiled else 'step'} compiled, unroll {unroll}"
        return note, epochs

    return best_of(candidate(*how) for how in HOW)


def predicting(point, cell, n):
    """Probabilities of n sequences in batches of one size; ragged ones of like lengths, padded to a power of two."""
    X, _ = work.draw(point, n)
    full, lengths = work.padded(X)
    params = weights_of(cell, point)
    order = np.argsort(-lengths, kind="stable")

    def candidate(batch_size):
        @jax.jit
        def probabilities(x, last):
            return jax.nn.softmax(logits_of(params, x, last, cell, 1))

        def of_batch(part):
            if not point.high:
                return probabilities(full[part], None)
            n_steps = min(1 << int(lengths[part].max() - 1).bit_length(), full.shape[1])  # bounds the compilations
            return probabilities(full[part, :n_steps], lengths[part] - 1)

        parts = [np.resize(part, batch_size) for part in np.split(order, range(batch_size, n, batch_size))]
        return f"batches of {batch_size}", lambda: np.concatenate([of_batch(part) for part in parts])[:n]

    return best_of((candidate(size) for size in ([256, 1024] if n > 1024 else [n])), repeats=1)


def weights_of(cell, point):
    return {k: jnp.asarray(v) for k, v in work.weights_of(cell, point.F, point.H, point.K).items()}


def initial_training_state(params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    return params, (zeros, jax.tree.map(jnp.zeros_like, params), jnp.float32(0))


def loss_gradient(point, cell):
    """Loss and gradient norm of one batch at `work.weights_of`."""
    X, y = work.draw(point, point.B)
    full, lengths = work.padded(X)
    last = jnp.asarray(lengths - 1) if point.high else None
    params = weights_of(cell, point)
    differentiate = jax.jit(jax.value_and_grad(partial(loss_of, cell=cell, unroll=1)))
    loss, gradient = differentiate(params, jnp.asarray(full), last, jnp.asarray(y))
    if cell != "gru":
        gradient.pop("b_hn")
    return float(loss), float(jnp.sqrt(sum(jnp.vdot(g, g) for g in gradient.values())))
