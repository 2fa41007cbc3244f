"""
===========================================
Eighteen defects of an RNN, and their tests
===========================================

skrnn began with a teaching notebook, "RNN from scratch" in NumPy, which explains recurrent networks well and does not
run. Backpropagation through time is easy to get wrong: such code may run, print falling losses, and still compute wrong
gradients. This page goes through the defects of that notebook, in the order of its code, each with a check that finds
it. The checks work for any network.
"""

# %%
# Part 1: errors that raise
# -------------------------
#
# These are the harmless ones.
#
# 1. A module is called
# ^^^^^^^^^^^^^^^^^^^^^
#
# ``import tqdm`` and then ``tqdm(range(epochs))``: the module has the name of the function in it. *Check:* run it.

import time as some_module

import numpy as np


def attempt(function, *args):
    """Print the result of a call, or its exception."""
    try:
        print("returned", function(*args))
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


attempt(some_module, range(3))

# %%
# In skrnn, ``verbose=1`` shows the progress, and no other package is needed.
#
# 2. A state of the wrong shape
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``h_prev = np.zeros_like((hidden_size, 1))`` looks like a column of zeros. But the argument of ``zeros_like`` is an
# *array*, not a shape, and the tuple is an array of two integers.

for H in (3, 2):
    h_prev = np.zeros_like((H, 1))
    print(f"H={H}: the first state has shape {h_prev.shape} and dtype {h_prev.dtype}")
    attempt(lambda H, h: np.shape(np.zeros((H, 1)) + np.dot(np.eye(H), h)), H, h_prev)

# %%
# With three units it raises. With **two** it does not: the sum is broadcast to a square, and the network continues with
# two columns instead of one. *Check:* write down the shape where an array is created, and assert it. Test with sizes
# that are all different, none of them 1 or 2.
#
# 3. Arguments in another order
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``backward_propagation`` takes ``(inputs, targets, outputs, hidden_states, params)``, and ``train`` passes ``(x,
# outputs, hidden_states, params, y)``. It raises when the targets are unpacked as parameters, unless there happen to be
# five of them. *Check:* pass arguments of the same type by keyword. In skrnn optional arguments are keyword-only, and
# the training loop calls one function, ``loss_gradient(params, batch, state, workspace, out)``, of every network.
#
# 4. One gradient, two names
# ^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``dbh`` is created, ``dhb`` is added to. *Check:* a linter finds a name that is used but never assigned, without
# running anything.


def backward():
    dhb += 1  # noqa: F821, F841


attempt(backward)

# %%
# The quick repair, ``dhb = 0`` before the loop, makes it run, but the ``dbh`` that is returned stays zero: number 10
# below.
#
# 5. It was never run from the top
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# The numbers of its cells are 2, 56, 1, 37, none, 53: edited and run out of order. The last cell, ``def predict``
# without a body, does not even parse. *Check:* "Restart and run all" before you believe a notebook. This page was run
# from the top when it was built.
#
# Part 2: silently wrong gradients
# --------------------------------
#
# With part 1 repaired the notebook trains, the loss changes, and nothing raises. The check for what is left is that
# **the gradient must be the derivative of the loss**: change one parameter by a small amount, compare the change of the
# loss with the gradient. :func:`skrnn.inspection.check_gradient` does this for every parameter.
#
# Here is the correct network in one function.

import inspect

from skrnn.core.parameters import ParameterLayout
from skrnn.inspection import check_gradient

H, N_INPUTS, N_OUTPUTS = 4, 5, 3
LAYOUT = ParameterLayout({"": {"U": (H, N_INPUTS), "V": (H, H), "W": (N_OUTPUTS, H), "bh": (H,), "by": (N_OUTPUTS,)}})


def loss_gradient(params, read, targets):
    """Loss of one sequence, nats, and its gradient.

    `read` and `targets` hold the numbers of the tokens that are read, and of those that follow them.
    """
    U, V, W, bh, by = (a.reshape(len(a), -1) for a in LAYOUT.views(params)[""].values())
    gradient = np.zeros_like(params)
    d_U, d_V, d_W, d_bh, d_by = (a.reshape(len(a), -1) for a in LAYOUT.views(gradient)[""].values())
    inputs, one_hot_targets = np.eye(N_INPUTS)[:, read], np.eye(N_OUTPUTS)[:, targets]  # one column a step

    loss, states, probabilities = 0.0, [np.zeros((H, 1))], []
    for t, target in enumerate(targets):
        h = np.tanh(U @ inputs[:, [t]] + V @ states[-1] + bh)
        z = W @ h + by
        p = np.exp(z - z.max())
        p /= p.sum()
        loss -= np.log(p[target, 0])
        states.append(h)
        probabilities.append(p)

    d_h_next = np.zeros((H, 1))
    for t in reversed(range(len(read))):
        h_prev, h = states[t], states[t + 1]
        d_z = probabilities[t] - one_hot_targets[:, [t]]
        d_W += d_z @ h.T
        d_by += d_z
        d_h = W.T @ d_z + d_h_next
        d_a = d_h * (1 - h**2)
        d_U += d_a @ inputs[:, [t]].T
        d_V += d_a @ h_prev.T
        d_bh += d_a
        d_h_next = V.T @ d_a
    return loss, gradient


read, targets = [4, 0, 1, 1, 3], [0, 1, 1, 2, 0]
params = 0.5 * np.random.default_rng(0).standard_normal(LAYOUT.size)
right = check_gradient(lambda params: loss_gradient(params, read, targets), params, layout=LAYOUT)
print(right)

# %%
# Each defect replaces one part of this code by a wrong one. The wrong version is compiled from the source of the
# function, with that part exchanged.

GRADIENT_DEFECTS = {  # the correct code above, and the wrong code
    "the loss ignores the target": ("loss -= np.log(p[target, 0])", "loss -= np.mean(np.log(p))"),
    "the loss is a mean over the classes": ("loss -= np.log(p[target, 0])", "loss -= np.log(p[target, 0]) / N_OUTPUTS"),
    "dW is overwritten": ("d_W += d_z @ h.T", "d_W[:] = d_z @ h.T"),
    "dV uses the current state": ("d_V += d_a @ h_prev.T", "d_V += d_a @ h.T"),
    "dV uses states[-1] at the first step": ("h_prev, h = states[t]", "h_prev, h = states[1:][t - 1]"),
    "tanh' of what is tanh already": ("(1 - h**2)", "(1 - np.tanh(h) ** 2)"),
    "dbh stays zero, under another name": ("d_bh += d_a", "dhb = d_a"),
}


def with_defect(right, wrong):
    """Return a copy of `loss_gradient` in which one part of the code is replaced."""
    source = inspect.getsource(loss_gradient)
    assert source.count(right) == 1, f"{right!r} is not in the code exactly once"
    namespace = dict(globals())
    exec(compile(source.replace(right, wrong), "a copy of loss_gradient", "exec"), namespace)
    return namespace["loss_gradient"]


def check_defect(name):
    """Check the gradient of a copy with one of the defects."""
    defective = with_defect(*GRADIENT_DEFECTS[name])
    check = check_gradient(lambda params: defective(params, read, targets), params, layout=LAYOUT)
    assert not check.passed
    print(f"right: {GRADIENT_DEFECTS[name][0]}\nwrong: {GRADIENT_DEFECTS[name][1]}\n\n{check}")


# %%
# 6. The loss ignores the target
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``-np.mean(np.log(y_hat) + epsilon * y)``: a parenthesis in the wrong place. The target is multiplied by 1e-12, so the
# loss is the same whatever the right answer is, and lowest for a network that predicts equal probabilities.

check_defect("the loss ignores the target")

# %%
# Every array is wrong, which points at the loss and not at the gradient: the formula ``y_hat - y`` is right, but it is
# the gradient of another loss. A second check needs no derivative: *the loss of a confident, right prediction must be
# near zero, and that of a confident, wrong one large.*

confident = np.array([0.998, 0.001, 0.001])
for answer in range(2):
    y = np.eye(3)[answer]
    print(
        f"answer {answer}: notebook {-np.mean(np.log(confident) + 1e-12 * y):.4f}, right {-np.log(confident @ y):.4f}"
    )

# %%
# The mean is a second defect: taken over the classes, it divides the loss by their number.

check_defect("the loss is a mean over the classes")

# %%
# The gradient is too large by the same factor in every array. A learning rate found with such a loss fits no other size
# of vocabulary.
#
# 7. dW is overwritten
# ^^^^^^^^^^^^^^^^^^^^
#
# ``dW = ...`` inside the loop, where all others have ``+=``. Only the contribution of the last iteration is left, and
# in the backward pass that is the first letter.

check_defect("dW is overwritten")

# %%
# A sequence of one step would not have revealed it. *Check gradients on several steps.*
#
# 8. dV uses the wrong state
# ^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# V is multiplied with the state *before* the step. The notebook uses the state after it.

check_defect("dV uses the current state")

# %%
# The obvious repair has another defect. If the list of states begins with that of the first step,
# ``hidden_states[t - 1]`` is the *last* state of the sequence at ``t = 0``, because -1 is a valid index.

check_defect("dV uses states[-1] at the first step")

# %%
# Keep the initial state, zero, in the list, as above.
#
# 9. The derivative of tanh, of tanh
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``tanh(x, derivative=True)`` computes ``1 - tanh(x)**2``, and is called with a hidden state, which is a tanh already.
# The derivative is ``1 - h**2``. Since tanh(h) is close to h for small h, training still works, only worse.

check_defect("tanh' of what is tanh already")

# %%
# W and by are right, and everything below the tanh is wrong, so the error lies between them. In skrnn the function is
# :func:`~skrnn.core.kernels.numpy.activations.tanh_derivative` and its argument is called ``h``, the output of tanh.
#
# 10. A bias that does not learn
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# The quick repair of number 4: the sum is collected under one name, and the other one is returned.

check_defect("dbh stays zero, under another name")

# %%
# The largest relative errors: that of the correct gradient is nearly four orders of magnitude below the tolerance,
# those of the defective copies are more than five above it.

import matplotlib.pyplot as plt

errors = {"the correct gradient": right.error}
for name, defect in GRADIENT_DEFECTS.items():
    defective = with_defect(*defect)
    errors[name] = check_gradient(lambda params, f=defective: f(params, read, targets), params, layout=LAYOUT).error
fig, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
ax.hlines(range(len(errors)), 1e-11, errors.values(), color="0.8")
ax.plot(errors.values(), range(len(errors)), "o", color="tab:orange")
ax.plot(right.error, 0, "o", color="tab:blue")
ax.axvline(1e-6, color="0.4", linestyle="--", linewidth=1)
ax.set_xscale("log")
ax.set_yticks(range(len(errors)), list(errors))
ax.invert_yaxis()
ax.set(xlabel="largest relative error; dashed: the tolerance", xlim=(1e-11, 10))

# %%
# Part 3: large numbers, batches, long sequences
# ----------------------------------------------
#
# The gradient is right now, for small numbers, single sequences and few steps.
#
# 11. tanh and softmax overflow
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# Both divide one exponential by others. Beyond 709 these are infinite in float64, and infinity divided by infinity is
# NaN. *Check:* test with huge inputs of both signs.

z = np.array([1000.0, -1000.0])
with np.errstate(all="ignore"):
    print("notebook: tanh", (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)), "softmax", np.exp(z) / np.exp(z).sum())
    print("stable:   tanh", 2 / (1 + np.exp(-2 * z)) - 1, "softmax", np.exp(z - z.max()) / np.exp(z - z.max()).sum())

# %%
# ``np.tanh`` is safe. So is the form above, which skrnn uses on a CPU where it is faster
# (:func:`~skrnn.core.kernels.numpy.activations.tanh_of_scaled`): where its exponential is infinite the result is the
# right limit. For the softmax it is enough to subtract the largest logit first. And the logarithm of a probability that
# was rounded to zero is never taken: :func:`~skrnn.core.model.losses.classes.log_softmax` stays in logarithms. The
# notebook's ``epsilon`` was meant to avoid log(0), and cannot, because it is added outside of the logarithm.
#
# 12. softmax over everything
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``np.exp(x) / np.sum(np.exp(x))`` sums over *all* of x. For one column that is right; for a batch of two columns only
# both together sum to 1. *Check:* two columns at once must give what each gives alone.

batch = np.array([[1.0, 2.0], [3.0, 5.0]])
print("sums of the columns:", (np.exp(batch) / np.sum(np.exp(batch))).sum(axis=0).round(3))

# %%
# 13. The gradient is not clipped
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# On the way back through T steps the gradient is multiplied by V, T times. It may explode, and one such update destroys
# what was learned so far. Clipping reduces its norm and keeps its direction. *Check:* print the norm of the gradient
# for sequences of increasing length.

from skrnn.core.training.optimizers import clip_by_global_norm

exploding = params.copy()
views = LAYOUT.views(exploding)[""]
views["U"][:], views["V"][:], views["bh"][:] = 0.01, 3 * np.roll(np.eye(H), 1, axis=0), 0  # near zero, tanh(a) is a
for n_steps in (2, 4, 6):
    _, gradient = loss_gradient(exploding, [4] * n_steps, [0] * n_steps)
    norm = clip_by_global_norm(gradient, max_norm=1.0)
    print(f"{n_steps} steps: norm {norm:6.2f}, clipped to {np.linalg.norm(gradient):.2f}")

# %%
# Part 4: what is missing
# -----------------------
#
# 14. **The gradient is not returned.** ``backward_propagation`` also updates the parameters in place, and returns no
#     gradient, contrary to its comment. Without the gradient, numbers 6 to 10 could not be tested. In skrnn
#     ``loss_gradient`` returns the loss, adds the gradient to an array that is passed in, and changes nothing else.
# 15. **No seed.** ``np.random.randn`` draws from a global generator, so no run, and no bug, can be reproduced.
#     ``random_state=0`` gives the same model at every fit.
# 16. **The history is lost.** Losses are collected "for plotting" and never returned. See ``loss_curve_``.
# 17. **One sequence.** ``train`` takes a single one. skrnn trains on lists of sequences of any lengths, in batches;
#     the gradient of a batch must be the sum of the gradients of its sequences, which can be checked, too.
# 18. **No prediction.** See :meth:`skrnn.RNNNextTokenModel.predict` and :meth:`~skrnn.RNNNextTokenModel.generate`.
#
# All checks
# ----------
#
# - Restart and run all; run a linter.
# - Use sizes that are all different; assert shapes.
# - Compare the gradient with central differences: several steps, several sequences, parameters that are not zero.
# - Compare the losses of confident predictions, right and wrong.
# - Test huge inputs of both signs, two columns at once, sequences of increasing length.
# - Set a seed, and keep the history of the losses.
#
# Every cell of skrnn passes them and is also compared with PyTorch. Each defect on this page has its own test, in
# ``tests/project/test_notebook_defects.py``.
