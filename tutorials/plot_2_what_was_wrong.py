"""
====================================================
What was wrong in the notebook, and how you find out
====================================================

The notebook that skrnn grew from is a good explanation and a broken program. That is no shame: backpropagation through
time is the kind of code that runs, prints falling losses, and is wrong. This page goes through its defects in the order
in which a reader meets them, each with the check that exposes it. Take the checks with you. They work on any network.
"""

# %%
# Part 1: what stops it
# ---------------------
#
# These are the kind ones. They raise.
#
# 1. A module is called
# ^^^^^^^^^^^^^^^^^^^^^
#
# ``import tqdm`` and then ``tqdm(range(epochs))``: the module has the name of the function in it. *Check:* run it.

import time as some_module

import numpy as np


def attempt(function, *args):
    """Say how a call ends."""
    try:
        print("returned", function(*args))
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


attempt(some_module, range(3))

# %%
# In skrnn progress is ``verbose=1``, and needs no other package.
#
# 2. A state of the wrong shape
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``h_prev = np.zeros_like((hidden_size, 1))`` looks like a column of zeros. But ``zeros_like`` wants an *array to be
# like*, and takes the tuple for one: two integers.

for H in (3, 2):
    h_prev = np.zeros_like((H, 1))
    print(f"H={H}: the first state has shape {h_prev.shape} and dtype {h_prev.dtype}")
    attempt(lambda H, h: np.shape(np.zeros((H, 1)) + np.dot(np.eye(H), h)), H, h_prev)

# %%
# With three units it raises. With **two** it does not: the sum is broadcast to a square, and the network goes on with
# two columns instead of one. *Check:* write shapes where arrays are born, and assert them. Try sizes that are all
# different, and none of them 1 or 2.
#
# 3. Arguments in another order
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``backward_propagation`` takes ``(inputs, targets, outputs, hidden_states, params)``, and ``train`` passes ``(x,
# outputs, hidden_states, params, y)``. It raises when the targets are unpacked as parameters, unless there happen to be
# five of them. *Check:* pass by keyword what has the same type. In skrnn optional arguments are keyword-only, and the
# training loop calls one function, ``loss_gradient(params, batch, state, workspace, out)``, of every network.
#
# 4. One gradient, two names
# ^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``dbh`` is made, ``dhb`` is added to. *Check:* a linter finds a name that is used and never bound, without running
# anything.


def backward():
    dhb += 1  # noqa: F821, F841


attempt(backward)

# %%
# Beware of the quick repair: with ``dhb = 0`` before the loop it runs, and returns a ``dbh`` that is zero forever. That
# is one of the silent defects below.
#
# 5. It was never run from the top
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# The numbers of its cells are 2, 56, 1, 37, none, 53: edited and run out of order. The last cell, ``def predict``
# without a body, does not even parse. *Check:* "Restart and run all" before you believe a notebook. This page was run
# from the top when it was built.
#
# Part 2: what is silently wrong
# ------------------------------
#
# With part 1 repaired the notebook trains. The loss moves. Nothing raises. This is where you need a check that cannot
# be talked round: **the gradient must be the derivative of the loss.** Move one parameter by a little, see how the loss
# changes, compare. :func:`skrnn.inspection.check_gradient` does that for all of them.
#
# Here is the network in one function, right. A copy of it gets each defect in turn.
#
# .. literalinclude:: ../../tutorials/notebook_kernel.py
#    :pyobject: loss_gradient

from notebook_kernel import GRADIENT_DEFECTS, LAYOUT, loss_gradient, with_defect

from skrnn.inspection import check_gradient

read, targets = [4, 0, 1, 1, 3], [0, 1, 1, 2, 0]
params = 0.5 * np.random.default_rng(0).standard_normal(LAYOUT.size)
right = check_gradient(lambda params: loss_gradient(params, read, targets), params, layout=LAYOUT)
print(right)

# %%
# Now the defects. The array that the check names first is where to look.


def check_defect(name):
    """Put a defect in, and let the check find it."""
    defective = with_defect(*GRADIENT_DEFECTS[name])
    check = check_gradient(lambda params: defective(params, read, targets), params, layout=LAYOUT)
    assert not check.passed
    print(f"right: {GRADIENT_DEFECTS[name][0]}\nwrong: {GRADIENT_DEFECTS[name][1]}\n\n{check}")


# %%
# 6. The loss ignores the target
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``-np.mean(np.log(y_hat) + epsilon * y)``: a parenthesis in the wrong place. The target is multiplied by 1e-12, so the
# loss is the same whatever the right answer is, and lowest for a network that always guesses evenly.

check_defect("the loss ignores the target")

# %%
# Everything is wrong at once. Then the loss is the suspect, not the gradient: the formula ``y_hat - y`` is right, and
# belongs to another loss. A second check needs no derivative: *confident and right must cost nothing, confident and
# wrong must cost a lot.*

confident = np.array([0.998, 0.001, 0.001])
for answer in range(2):
    y = np.eye(3)[answer]
    print(
        f"answer {answer}: notebook {-np.mean(np.log(confident) + 1e-12 * y):.4f}, right {-np.log(confident @ y):.4f}"
    )

# %%
# The mean is a defect of its own: over the classes, it divides the loss by their number.

check_defect("the loss is a mean over the classes")

# %%
# The gradient is too large by the same factor in every array. A learning rate found with such a loss fits no other size
# of vocabulary.
#
# 7. dW is overwritten
# ^^^^^^^^^^^^^^^^^^^^
#
# ``dW = ...`` inside the loop, where all others have ``+=``. What is left is the contribution of the step that comes
# last, and backwards that is the first letter.

check_defect("dW is overwritten")

# %%
# A sequence of one step would not have shown it. *Check gradients on several steps.*
#
# 8. dV uses the wrong state
# ^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# V was multiplied with the state *before* the step. The notebook takes the state after it.

check_defect("dV uses the current state")

# %%
# The obvious repair has a trap of its own. If the list of states begins with the first step's, ``hidden_states[t - 1]``
# is at ``t = 0`` the *last* state of the sequence, because -1 is an index, too. Python does not complain.

check_defect("dV uses states[-1] at the first step")

# %%
# Keep the zero state in the list, as above.
#
# 9. The derivative of tanh, of tanh
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``tanh(x, derivative=True)`` computes ``1 - tanh(x)**2``, and is called with a hidden state, which is a tanh already.
# The derivative is ``1 - h**2``. Since tanh(h) is close to h for small h, training nearly works.

check_defect("tanh' of what is tanh already")

# %%
# W and by are right, and all that lies below the tanh is wrong: the check points at the line between them. In skrnn the
# function is called :func:`~skrnn.core.activations.tanh_derivative` and its argument ``h``.
#
# 10. A bias that does not learn
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# The quick repair of number 4: collected under one name, returned under the other.

check_defect("dbh stays zero, under another name")

# %%
# Part 3: what breaks later
# -------------------------
#
# The gradient is right now, on small numbers and short sequences.
#
# 11. tanh and softmax overflow
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# Both divide one exponential by others. Beyond 709 these are infinite in float64, and infinite by infinite is not a
# number. *Check:* try huge inputs, of both signs.

z = np.array([1000.0, -1000.0])
with np.errstate(all="ignore"):
    print("notebook: tanh", (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)), "softmax", np.exp(z) / np.exp(z).sum())
    print("better:   tanh", 2 / (1 + np.exp(-2 * z)) - 1, "softmax", np.exp(z - z.max()) / np.exp(z - z.max()).sum())

# %%
# ``np.tanh`` is safe. So is the form above, which skrnn uses on a CPU where it is faster
# (:func:`~skrnn.core.activations.tanh_of_scaled`): where its exponential is infinite the result is the right limit. For
# the softmax it is enough to subtract the largest logit first. And the logarithm of a probability that was rounded to
# zero is never taken: :func:`~skrnn.core.losses.log_softmax` stays in logarithms. The notebook's ``epsilon`` was meant
# to avoid log(0), and cannot, because it is added outside of the logarithm.
#
# 12. softmax over everything
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# ``np.exp(x) / np.sum(np.exp(x))`` sums over *all* of x. For one column that is right; for a batch of two columns only
# both together sum to 1. *Check:* two columns at once must give what each gives alone.

batch = np.array([[1.0, 2.0], [3.0, 5.0]])
print("sums of the columns:", (np.exp(batch) / np.sum(np.exp(batch))).sum(axis=0).round(3))

# %%
# 13. Nothing keeps a gradient short
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#
# Backwards through T steps the gradient is multiplied by V, T times. It may explode, and one such step undoes all
# training so far. Clipping shortens it and keeps its direction. *Check:* print the norm of the gradient for longer and
# longer sequences.

from notebook_kernel import H

from skrnn.core.optimizers import clip_by_global_norm

fierce = params.copy()
views = LAYOUT.views(fierce)[""]
views["U"][:], views["V"][:], views["bh"][:] = 0.01, 3 * np.roll(np.eye(H), 1, axis=0), 0  # near zero, tanh(a) is a
for n_steps in (2, 4, 6):
    _, gradient = loss_gradient(fierce, [4] * n_steps, [0] * n_steps)
    norm = clip_by_global_norm(gradient, max_norm=1.0)
    print(f"{n_steps} steps: norm {norm:6.2f}, clipped to {np.linalg.norm(gradient):.2f}")

# %%
# Part 4: what is missing
# -----------------------
#
# 14. **No seam.** ``backward_propagation`` also updates the parameters, in place, and returns no gradient, though its
#     comment says so. A gradient that cannot be had cannot be checked. Numbers 6 to 10 lived on that. In skrnn
#     ``loss_gradient`` returns the loss, adds to an array that it was handed, and changes nothing else.
# 15. **No seed.** ``np.random.randn`` draws from a global generator, so no run can be repeated, and no bug either.
#     ``random_state=0`` gives the same model at every fit.
# 16. **The history is thrown away.** Losses are collected "for plotting" and never returned. See ``loss_curve_``.
# 17. **One sequence.** ``train`` sees a single one. skrnn learns from lists of sequences of any lengths, in batches;
#     the gradient of a batch is the sum of those of its sequences, which is one more thing to check.
# 18. **No prediction.** See :meth:`skrnn.RNNNextTokenModel.predict` and :meth:`~skrnn.RNNNextTokenModel.generate`.
#
# The checks in one place
# -----------------------
#
# - Restart and run all; let a linter read it.
# - Sizes that are all different; shapes asserted.
# - Central differences, on several steps, several sequences, at parameters that are not zero.
# - Confident and right costs nothing, confident and wrong a lot.
# - Huge inputs of both signs; two columns at once; longer and longer sequences.
# - A seed, and a history that you can look at.
#
# Every cell of skrnn passes them, and is compared with PyTorch besides. Each defect on this page has a test of its own
# in ``tests/test_notebook_defects.py``.
