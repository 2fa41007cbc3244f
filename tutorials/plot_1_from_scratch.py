r"""
======================================
An RNN from scratch, and then for real
======================================

A recurrent network is small enough to be written out by hand. This page does so: forward, loss, backward, update,
training, prediction, first in plain NumPy and each time beside the part of skrnn that does the same. At the end
the whole page shrinks to three lines, and gives equal numbers.

The task: learn how first names are spelt, letter by letter, and then write new ones.

We use the names of a well-known teaching notebook: U, V, W, bh and by. In skrnn they are called ``W_x``, ``W_h``,
``W_y``, ``b`` and ``b_y``.
"""

# %%
# A loop, unrolled
# ----------------
#
# The network reads one letter at a time. What it has read so far lives in a vector, the state :math:`h`. Each step
# mixes the letter :math:`x_t` with the state before it, and from the new state guesses the next letter:
#
# .. math::
#     h_t &= \tanh(U x_t + V h_{t-1} + b_h) \\
#     p_t &= \operatorname{softmax}(W h_t + b_y)
#
# Drawn as a loop that is one box with an arrow into itself. Unrolled over time it is a row of boxes, all with the
# **same** five arrays. That is the whole trick, and the reason why the backward pass has to add up what each step
# contributes.

import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots(figsize=(9, 3.6), layout="constrained")
for t, (letter, target) in enumerate(zip(["begin", *"anna"], [*"anna", "end"], strict=True)):
    for y, text, color in [(0, letter, "#dbe9f6"), (1, f"$h_{t}$", "#fde0c5"), (2, target, "#dff0d8")]:
        box = {"boxstyle": "round,pad=0.5", "facecolor": color, "edgecolor": "0.4"}
        ax.text(2 * t, y, text, ha="center", va="center", size=13, bbox=box)
    arrow = {"arrowstyle": "-|>", "color": "0.3", "shrinkA": 14, "shrinkB": 14}
    ax.annotate("", (2 * t, 1), (2 * t, 0), arrowprops=arrow)
    ax.annotate("", (2 * t, 2), (2 * t, 1), arrowprops=arrow)
    ax.text(2 * t + 0.1, 0.5, "$U$", va="center", size=12)
    ax.text(2 * t + 0.1, 1.5, "$W$", va="center", size=12)
    if t:
        ax.annotate("", (2 * t, 1), (2 * t - 2, 1), arrowprops={**arrow, "shrinkA": 18, "shrinkB": 18})
        ax.text(2 * t - 1, 1.12, "$V$", ha="center", size=12)
for y, text in enumerate(["reads", "remembers", "should guess"]):
    ax.text(-1.1, y, text, ha="right", va="center", color="0.3")
ax.set(xlim=(-2.6, 8.8), ylim=(-0.4, 2.4))
ax.set_axis_off()

# %%
# The data
# --------
#
# A letter becomes a number, and a number a column that is 1 in one place. Two numbers are not letters: *begin* opens
# every name, and *end* is what follows its last letter. (Number 27 would be a letter that was never seen. It never
# comes here.)

from skrnn.datasets import load_names

names = load_names(subset="female").data
letters = sorted(set("".join(names)))
END, BEGIN = 26, 28
N_INPUTS, N_OUTPUTS = 29, 27  # what can be read, what can be guessed


def encode(name):
    """Numbers that are read, and numbers that should be guessed at the same steps."""
    codes = [letters.index(letter) for letter in name]
    return [BEGIN, *codes], [*codes, END]


def one_hot(code, size):
    """A column (size, 1) with a one in row `code`."""
    column = np.zeros((size, 1))
    column[code] = 1
    return column


read, targets = encode("anna")
print(len(names), "names, such as", names[100], "and", names[2000])
print("anna is read as", read, "and should be guessed as", targets)

# %%
# Five arrays
# -----------
#
# With H = 32 units the shapes are
#
# ======  ============  ===============================  ==================
# name    shape         from, to                         in skrnn
# ======  ============  ===============================  ==================
# U       (32, 29)      letter to state                  ``rnn.0.W_x``
# V       (32, 32)      state to the next state          ``rnn.0.W_h``
# bh      (32, 1)       bias of the state                ``rnn.0.b``
# W       (27, 32)      state to guess                   ``head.W_y``
# by      (27, 1)       bias of the guess                ``head.b_y``
# ======  ============  ===============================  ==================
#
# skrnn keeps them in **one flat vector**, and names are views of it (:class:`~skrnn.core.parameters.ParameterLayout`).
# Clipping, updating and checking a gradient are then one line each. A :class:`~skrnn.core.network.Network` knows the
# shapes and draws the first values: uniform within Glorot's limits for U and W, orthogonal for V, zero for the biases.
#
# (The seed is drawn in this roundabout way because the estimator with ``random_state=0`` does the same.)

from skrnn.core.network import Network

H = 32
network = Network.build_for_tokens("tanh", N_INPUTS, H, N_OUTPUTS)
rng = np.random.default_rng(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
params = network.initialize(rng)


def unpack(vector):
    """U, V, W, bh, by as views of a vector of parameters, biases as columns."""
    rnn, head = (network.layout.views(vector)[part] for part in ("rnn.0", "head"))
    return rnn["W_x"], rnn["W_h"], head["W_y"], rnn["b"][:, None], head["b_y"][:, None]


for name, array in zip(["U", "V", "W", "bh", "by"], unpack(params), strict=True):
    print(f"{name:2}  {array.shape!s:8}  from {array.min():6.3f} to {array.max():.3f}")
print(f"{params.size} numbers in all")

# %%
# Forward
# -------
#
# One line for each equation. The largest logit is subtracted before the exponential; probabilities stay the same, and
# nothing overflows.


def softmax(z):
    z = np.exp(z - z.max())
    return z / z.sum()


def forward(params, read):
    """States and guesses of every step; ``states[t]`` is the one *before* step t."""
    U, V, W, bh, by = unpack(params)
    states, guesses = [np.zeros((H, 1))], []
    for code in read:
        h = np.tanh(U @ one_hot(code, N_INPUTS) + V @ states[-1] + bh)
        states.append(h)
        guesses.append(softmax(W @ h + by))
    return states, guesses


states, guesses = forward(params, read)
for code, p in zip(targets, guesses, strict=True):
    print(f"probability of {[*letters, 'end'][code]:>3}: {p[code, 0]:.4f}")

# %%
# An untrained network guesses at random: 1/27 is 0.037.
#
# In skrnn a layer multiplies all inputs by U at once, for all steps and all names of a batch
# (:meth:`skrnn.core.layers.RecurrentLayer.forward`), and only what depends on the step before is left to the loop
# (:meth:`skrnn.core.cells.elman.ElmanCell.forward`). The numbers are the same:

from skrnn.core.batches import TokenSequences
from skrnn.core.workspace import Workspace


def pack(names):
    """Names as skrnn's engine holds them: one array of numbers, of which a step reads one and should guess the next."""
    numbers = [[BEGIN, *encode(name)[1]] for name in names]
    n_numbers = np.array([len(of_name) for of_name in numbers])
    return TokenSequences(np.concatenate(numbers).astype(np.uint8), n_numbers - 1, np.cumsum(n_numbers) - n_numbers)


workspace = Workspace(np.float64)
ours = [np.log(p[code, 0]) for code, p in zip(targets, guesses, strict=True)]
theirs = network.predict(params, pack(["anna"]), workspace)[np.arange(len(targets)), targets]
np.testing.assert_allclose(ours, theirs, rtol=1e-12)

# %%
# The loss
# --------
#
# How surprised was the network? The surprise at a letter is :math:`-\log p` of that letter, and the loss is the sum
# over the steps. The target picks the probability; the others enter through the softmax alone.


def loss_of(guesses, targets):
    return -sum(np.log(p[code, 0]) for p, code in zip(guesses, targets, strict=True))


print(f"loss of anna: {loss_of(guesses, targets):.4f} nats; five blind guesses: {5 * np.log(27):.4f}")

# %%
# Backward
# --------
#
# The chain rule, from the last step to the first. ``d_v`` is the derivative of the loss with respect to ``v``, and each
# line mirrors one of the forward pass, in reverse order. With :math:`a_t = U x_t + V h_{t-1} + b_h`:
#
# .. math::
#     d_{z_t} &= p_t - y_t & d_W &\mathrel{+}= d_{z_t} h_t^\top, \quad d_{b_y} \mathrel{+}= d_{z_t} \\
#     d_{h_t} &= W^\top d_{z_t} + V^\top d_{a_{t+1}} && \\
#     d_{a_t} &= d_{h_t} (1 - h_t^2) & d_U &\mathrel{+}= d_{a_t} x_t^\top, \quad
#     d_V \mathrel{+}= d_{a_t} h_{t-1}^\top, \quad d_{b_h} \mathrel{+}= d_{a_t}
#
# Three things are easy to get wrong here. A state matters **twice**: for its own guess, and for the next state. All
# five gradients are **sums** over the steps. And V saw the state **before** the step, which at the first one is zero.


def backward(params, read, targets, states, guesses, report=None):
    """Gradient of the loss, in one vector."""
    _, V, W, _, _ = unpack(params)
    gradient = np.zeros_like(params)
    d_U, d_V, d_W, d_bh, d_by = unpack(gradient)  # views: adding to them fills the vector
    d_h_next = np.zeros((H, 1))
    for t in reversed(range(len(read))):
        x, h, h_prev = one_hot(read[t], N_INPUTS), states[t + 1], states[t]
        d_z = guesses[t] - one_hot(targets[t], N_OUTPUTS)
        d_W += d_z @ h.T
        d_by += d_z
        d_h = W.T @ d_z + d_h_next
        d_a = d_h * (1 - h**2)
        d_U += d_a @ x.T
        d_V += d_a @ h_prev.T
        d_bh += d_a
        d_h_next = V.T @ d_a
        if report:
            report(t, d_z, d_h, d_a, h_prev)
    return gradient


def show(t, *vectors):
    print(f"{t}  " + "  ".join(f"{np.linalg.norm(v):8.4f}" for v in vectors))


print("t      |d_z|     |d_h|     |d_a|  |h_prev|")
gradient = backward(params, read, targets, states, guesses, report=show)

# %%
# Note the last row: the state before the first letter is zero, so the first step adds nothing to the gradient of V.
#
# In skrnn all of this is :meth:`skrnn.core.network.Network.loss_gradient`, the one function that training
# rests on. It asks the head first (:func:`skrnn.core.losses.softmax_cross_entropy`: the loss, and :math:`p - y` in the
# place of the logits), then the cell (:meth:`skrnn.core.cells.elman.ElmanCell.backward`, whose lines carry the numbers
# of the equations), and **adds** to the vector that it is handed.

data = pack(["anna"])
batch = network.stack.batch(data, np.arange(1), data.next_ids)
theirs = np.zeros_like(params)
loss, _ = network.loss_gradient(params, batch, None, workspace, theirs)  # None: the sequence begins at zero

np.testing.assert_allclose(loss, loss_of(guesses, targets), rtol=1e-12)
np.testing.assert_allclose(gradient, theirs, atol=1e-13)
print(f"largest deviation from skrnn's gradient: {np.abs(gradient - theirs).max():.1e}")

# %%
# Is it right?
# ------------
#
# Two programs by the same hand can share a mistake. The loss itself is the judge: move one parameter a little up and
# down, and see how the loss changes. :func:`skrnn.inspection.check_gradient` does this for every parameter. It is
# asked at a place where nothing is zero, so that nothing is right by accident.

from skrnn.inspection import check_gradient


def loss_gradient(params):
    states, guesses = forward(params, read)
    return loss_of(guesses, targets), backward(params, read, targets, states, guesses)


somewhere = params + 0.1 * np.random.default_rng(1).standard_normal(params.size)
check = check_gradient(loss_gradient, somewhere, layout=network.layout, max_entries=100, random_state=0)
print(check)
assert check.passed

# %%
# The next page, :ref:`sphx_glr_auto_tutorials_plot_2_what_was_wrong.py`, puts mistakes in and lets this check find
# them.
#
# The update
# ----------
#
# Go a little way against the gradient. With the vector that is one line, and
# :class:`skrnn.core.optimizers.SGD` is that line with momentum. A gradient that is too long is shortened first, because
# the product of many V can explode (:func:`skrnn.core.optimizers.clip_by_global_norm`).

from skrnn.core.optimizers import SGD, Adam, clip_by_global_norm

shortened = gradient.copy()
norm = clip_by_global_norm(shortened, max_norm=1.0)
by_hand = params - 0.1 * shortened

updated = params.copy()
sgd = SGD(momentum=0.0, nesterov=False)
sgd.update(updated, shortened, sgd.init(updated), learning_rate=0.1)
np.testing.assert_array_equal(by_hand, updated)

_, guesses_after = forward(updated, read)
print(f"the gradient's length was {norm:.2f}")
print(f"loss of anna: {loss_of(guesses, targets):.4f} before the step, {loss_of(guesses_after, targets):.4f} after it")

# %%
# Training
# --------
#
# One name says little about names. An epoch goes once through all of them in batches of 64 drawn at random; the loss is
# then a mean over letters. Adam takes the steps (:class:`skrnn.core.optimizers.Adam`), and its rate falls from 0.01 to
# 0 along a cosine (:func:`skrnn.core.schedules.learning_rate_at`). The list of losses is what the notebook collected
# and forgot to return.
#
# This loop is :func:`skrnn.core.training.train` without its patience, its validation and its reports.

from skrnn.core.dataset import Dataset
from skrnn.core.samplers import TruncatedBPTT
from skrnn.core.schedules import learning_rate_at

N_EPOCHS = 4
sequences = pack(names)
training_set = Dataset(sequences, sequences.next_ids, np.ones(len(names)), is_per_step=True)
sampler = TruncatedBPTT(n_steps=100)
optimizer = Adam()
moments = optimizer.init(params)
rng.integers(2**31)  # the estimator draws the seed of its validation split here
history = []
for epoch in range(N_EPOCHS):
    rate = learning_rate_at("cosine", 0.01, epoch, N_EPOCHS, n_plateaus=0)
    epoch_loss = 0.0
    for batch, share in sampler.batches(training_set, network.stack, 64, rng, np.dtype(np.float64)):
        gradient[:] = 0
        batch_loss, _ = network.loss_gradient(params, batch, None, workspace, gradient)
        clip_by_global_norm(gradient, max_norm=1.0)
        optimizer.update(params, gradient, moments, rate)
        epoch_loss += share * batch_loss
    history.append(epoch_loss)
    print(f"epoch {epoch + 1}: {epoch_loss:.4f} nats per letter")

# %%
# Prediction
# ----------
#
# The notebook ends where it becomes fun: at ``def predict``. To write a name, guess a letter, read it, and guess again
# (:meth:`skrnn.core.network.Network.step`). Taking the likeliest letter each time always gives the same name, so draw
# from the probabilities instead. What every step needs of the parameters is prepared once.


def write(prepared, rng, max_letters=12):
    state = network.start(1, np.dtype(np.float64))
    name, code = "", BEGIN
    while len(name) < max_letters:
        log_proba, state = network.step(prepared, np.array([code]), state, workspace)
        code = rng.choice(N_OUTPUTS, p=np.exp(log_proba[0]))
        if code == END:
            break
        name += letters[code]
    return name


writer, prepared = np.random.default_rng(0), network.prepare(params, workspace)
print(", ".join(write(prepared, writer) for _ in range(12)))

# %%
# The same in three lines
# -----------------------

from skrnn import RNNNextTokenModel

model = RNNNextTokenModel(hidden_size=32, cell="tanh", alpha=0, max_iter=N_EPOCHS, random_state=0)
model.fit(names)
print(", ".join(model.generate(n_sequences=12, max_new_tokens=12, random_state=0)))

# %%
# And equal numbers: the losses of all epochs, and every weight.

np.testing.assert_allclose(model.loss_curve_, history, rtol=1e-8)
np.testing.assert_allclose(model.weights_["rnn.0.W_h"], unpack(params)[1], rtol=1e-5, atol=1e-7)
np.testing.assert_allclose(model.weights_["head.W_y"], unpack(params)[2], rtol=1e-5, atol=1e-7)
print("by hand  ", [round(loss, 6) for loss in history])
print("estimator", [round(loss, 6) for loss in model.loss_curve_])

# %%
# :class:`skrnn.inspection.TrainingCurveDisplay` plots the history.

from skrnn.inspection import TrainingCurveDisplay

display = TrainingCurveDisplay.from_estimator(model, marker="o")
display.ax_.set_xticks(range(1, N_EPOCHS + 1))
display.figure_.set_size_inches(5.5, 3.2)

# %%
# What is where
# -------------
#
# Every function of the notebook, and where it lives in skrnn.
#
# .. list-table::
#    :header-rows: 1
#    :widths: 24 38 38
#
#    * - notebook
#      - skrnn
#      - what is different
#    * - ``init_params``
#      - :meth:`Cell.initialize <skrnn.core.cells.cell.Cell.initialize>`,
#        :meth:`Network.initialize <skrnn.core.network.Network.initialize>`
#      - Glorot and orthogonal instead of ``0.1 * randn``; from a generator with a seed
#    * - ``sigmoid``
#      - :func:`skrnn.core.activations.sigmoid_of_scaled`
#      - the right limits where exp overflows; the gates of GRU and LSTM
#    * - ``tanh``
#      - :func:`skrnn.core.activations.tanh_of_scaled`, :func:`skrnn.core.activations.tanh_derivative`
#      - the right limits; the derivative takes the output
#    * - ``softmax``
#      - :func:`skrnn.core.losses.log_softmax`
#      - no overflow; log-probabilities; column by column
#    * - ``forward_propagation``
#      - :meth:`RecurrentLayer.forward <skrnn.core.layers.RecurrentLayer.forward>`,
#        :meth:`ElmanCell.forward <skrnn.core.cells.elman.ElmanCell.forward>`,
#        :class:`LinearHead <skrnn.core.heads.LinearHead>`
#      - all sequences of a batch at once, of any lengths
#    * - ``cross_entropy_loss``
#      - :func:`skrnn.core.losses.softmax_cross_entropy`
#      - asks for the target; loss and gradient together
#    * - ``backward_propagation``
#      - :meth:`Network.loss_gradient <skrnn.core.network.Network.loss_gradient>`,
#        :meth:`ElmanCell.backward <skrnn.core.cells.elman.ElmanCell.backward>`
#      - returns loss and gradient, updates nothing
#    * - ``update_params``
#      - :class:`SGD <skrnn.core.optimizers.SGD>`, :class:`Adam <skrnn.core.optimizers.Adam>`,
#        :func:`clip_by_global_norm <skrnn.core.optimizers.clip_by_global_norm>`
#      - one vector; clipping
#    * - ``train``
#      - :func:`skrnn.core.training.train`, ``fit``
#      - batches, history, patience, validation
#    * - ``tqdm``
#      - ``verbose=1``
#      - nothing to install
#    * - ``predict``
#      - :meth:`predict <skrnn.RNNNextTokenModel.predict>`, :meth:`generate <skrnn.RNNNextTokenModel.generate>`,
#        :meth:`start <skrnn.RNNNextTokenModel.start>`
#      - finished
#
# From here: the :doc:`user guide </user_guide/index>`, and the equations of all cells in
# :doc:`Mathematics </user_guide/mathematics>`.
