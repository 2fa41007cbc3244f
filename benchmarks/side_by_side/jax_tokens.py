"""The token model in JAX: columns of W_x picked by token, a recurrent layer, a linear layer after every step."""

from functools import partial

import jax
import jax.numpy as jnp

from . import work
from .driver import best_of
from .jax_peer import STEPS, adam, initial_state, initial_training_state, output_of


def logits_of(params, tokens, state, cell, is_dense, unroll=1):
    """Logits (T, B, K) after each of the tokens (T, B), and the state after the last."""
    columns = params["W_x"].T
    a = jax.nn.one_hot(tokens, len(columns)) @ columns if is_dense else columns[tokens]
    step = partial(STEPS[cell], params)

    def step_with_output(state, a):
        state = step(state, a)
        return state, output_of(cell, state)

    state, h = jax.lax.scan(step_with_output, state, a + params["b"], unroll=unroll)
    return h @ params["W_y"].T + params["b_y"], state


def start(cell, hidden_size, n):
    """Parameters, and the state of n sequences."""
    _, K = work.codes()
    params = {name: jnp.asarray(array) for name, array in work.weights_of(cell, K, hidden_size, K).items()}
    return params, initial_state(cell, jnp.zeros((n, hidden_size)))


def training(cell, hidden_size, n_windows):
    """One pass over the windows, the state carried on."""
    inputs, targets = work.windows(n_windows)

    def loss_of(params, x, y, state, is_dense, unroll):
        logits, state = logits_of(params, x, state, cell, is_dense, unroll)
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, :, None], axis=2).mean(), state

    def candidate(is_dense, unroll):
        @jax.jit
        def step(params, moments, state, x, y):
            differentiate = jax.value_and_grad(loss_of, has_aux=True)
            (loss, state), gradient = differentiate(params, x, y, state, is_dense, unroll)
            return *adam(params, gradient, moments), state, loss

        params, zero = start(cell, hidden_size, work.COLUMNS)
        params, moments = initial_training_state(params)

        def run():
            nonlocal params, moments
            state = zero
            for x, y in zip(inputs, targets, strict=True):
                params, moments, state, loss = step(params, moments, state, x, y)
            loss.block_until_ready()

        return f"{'one-hot product' if is_dense else 'gather'}, unroll {unroll}", run

    return best_of((candidate(*how) for how in ((True, 1), (False, 1), (True, 4))), repeats=1)


def scoring(cell, hidden_size, n, n_steps):
    """Log-likelihoods of n texts."""
    numbers, _ = work.codes()
    tokens = numbers[: n * n_steps].reshape(n, n_steps).T.copy()
    params, zero = start(cell, hidden_size, n)

    @jax.jit
    def log_likelihood(params, tokens):
        logits, _ = logits_of(params, tokens[:-1], zero, cell, is_dense=False)
        return jnp.take_along_axis(jax.nn.log_softmax(logits), tokens[1:, :, None], axis=2).sum(axis=(0, 2))

    return lambda: log_likelihood(params, tokens).block_until_ready()


def writing(cell, hidden_size, n, n_steps):
    """n texts, drawn at temperature 1."""
    params, zero = start(cell, hidden_size, n)

    @jax.jit
    def write(params, key):
        def step(carried, key):
            tokens, state = carried
            logits, state = logits_of(params, tokens[None], state, cell, is_dense=False)
            tokens = jax.random.categorical(key, logits[0])
            return (tokens, state), tokens

        return jax.lax.scan(step, (jnp.zeros(n, int), zero), jax.random.split(key, n_steps))[1]

    return lambda: write(params, jax.random.key(0)).block_until_ready()
