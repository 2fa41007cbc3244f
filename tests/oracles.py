"""The slow oracle: the equations of each cell's module, one sequence and one step at a time."""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def step_elman(f, W, x, h):
    return (f(W["W_x"] @ x + W["b"] + W["W_h"] @ h),)


def step_gru(W, x, h):
    a_r, a_z, a_n = np.split(W["W_x"] @ x + W["b"], 3)
    R_r, R_z, R_n = np.split(W["W_h"] @ h, 3)
    r, z = sigmoid(a_r + R_r), sigmoid(a_z + R_z)
    n = np.tanh(a_n + r * (R_n + W["b_hn"]))
    return ((1 - z) * n + z * h,)


def step_lstm(W, x, h, c):
    a_g, a_f, a_i, a_o = np.split(W["W_x"] @ x + W["b"] + W["W_h"] @ h, 4)
    c = sigmoid(a_f) * c + sigmoid(a_i) * np.tanh(a_g)
    return sigmoid(a_o) * np.tanh(c), c


STEPS = {
    "tanh": lambda W, x, h: step_elman(np.tanh, W, x, h),
    "relu": lambda W, x, h: step_elman(lambda a: np.maximum(a, 0), W, x, h),
    "gru": step_gru,
    "lstm": step_lstm,
}
"""By name of the cell: from its weights, an input (F,) and a state, arrays (H,), to the state after it."""


def run_slowly(cell, W, x, state):
    """Return the states after each step of one sequence x (T, F), from `state`, arrays (H,)."""
    states = []
    for x_t in x:
        state = STEPS[cell](W, x_t, *state)
        states.append(state)
    return states
