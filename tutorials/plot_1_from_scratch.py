r"""
=======================================
An RNN from scratch, and in three lines
=======================================

A recurrent network is small enough to be written out by hand. This page does so in plain NumPy: forward pass, loss,
backward pass, update, training and prediction, each beside the part of skrnn that does the same. At the end three lines
with the estimator replace the whole page; its losses in every epoch, and its weights after training, are those of the
network written by hand, to rounding.

The task is to learn how first names are spelt, letter by letter, and then to generate new ones.

The matrices have the names of the teaching notebook that skrnn began with, "RNN from scratch" in NumPy: U, V, W, bh and
by. In skrnn they are called ``W_x``, ``W_h``, ``W_y``, ``b`` and ``b_y``.
"""

# %%
# A loop, unrolled
# ----------------
#
# The network reads one letter at a time. A vector, the state :math:`h`, summarizes the letters so far. Each step
# combines the letter :math:`x_t` with the previous state, and predicts the next letter from the new state:
#
# .. math::
#     h_t &= \tanh(U x_t + V h_{t-1} + b_h) \\
#     p_t &= \operatorname{softmax}(W h_t + b_y)
#
# As a loop, this is one box with an arrow to itself. Unrolled over time it is a row of boxes that share the **same**
# five arrays, so the backward pass has to add up the contributions of all steps.

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
for y, text in enumerate(["input", "state", "target"]):
    ax.text(-1.1, y, text, ha="right", va="center", color="0.3")
ax.set(xlim=(-2.6, 8.8), ylim=(-0.4, 2.4))
ax.set_axis_off()

# %%
# The data
# --------
#
# A letter is encoded as a number, and a number as a column with a 1 in one place. Two numbers are not letters: *begin*
# precedes the first letter of every name, and *end* follows the last one. (Number 27 is reserved for letters that do
# not occur in training. There are none here.)

from skrnn.datasets import load_names

names = load_names(subset="female").data
letters = sorted(set("".join(names)))
END, BEGIN = 26, 28
N_INPUTS, N_OUTPUTS = 29, 27  # what can be an input, what can be a target


def encode(name):
    """Return the inputs of all steps, and the targets."""
    codes = [letters.index(letter) for letter in name]
    return [BEGIN, *codes], [*codes, END]


def one_hot(code, size):
    """Return a column (size, 1) with a one in row `code`."""
    column = np.zeros((size, 1))
    column[code] = 1
    return column


read, targets = encode("anna")
print(len(names), "names, such as", names[100], "and", names[2000])
print("anna: inputs", read, "targets", targets)

# %%
# Five arrays
# -----------
#
# With H = 32 units their shapes, and their names in skrnn, are
#
# - U, (32, 29), from input to state: ``rnn.0.W_x``,
# - V, (32, 32), from state to the next state: ``rnn.0.W_h``,
# - bh, (32, 1), the bias of the state: ``rnn.0.b``,
# - W, (27, 32), from state to output: ``head.W_y``,
# - by, (27, 1), the bias of the output: ``head.b_y``.
#
# skrnn stores them in **one flat vector**, and the arrays are views of it
# (:class:`~skrnn.core.parameters.ParameterLayout`). Clipping, updating and checking a gradient are then one line each.
# A :class:`~skrnn.core.model.network.Network` knows the shapes and draws the initial values: uniform from
# -1 to 1 for U, of which a letter picks one column, uniform within Glorot's limits for W, orthogonal for V, zero for
# the biases.
#
# (The seed is drawn in this indirect way because the estimator with ``random_state=0`` does the same.)

from skrnn.core.model.network import Network

H = 32
network = Network.build_for_tokens("tanh", N_INPUTS, H, N_OUTPUTS)
rng = np.random.default_rng(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
params = network.initialize(rng)


def unpack(vector):
    """Return U, V, W, bh, by as views of a vector of parameters, biases as columns."""
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
    """Return the states and probabilities of all steps; ``states[t]`` is the state *before* step t."""
    U, V, W, bh, by = unpack(params)
    states, probas = [np.zeros((H, 1))], []
    for code in read:
        h = np.tanh(U @ one_hot(code, N_INPUTS) + V @ states[-1] + bh)
        states.append(h)
        probas.append(softmax(W @ h + by))
    return states, probas


states, probas = forward(params, read)
for code, p in zip(targets, probas, strict=True):
    print(f"probability of {[*letters, 'end'][code]:>3}: {p[code, 0]:.4f}")

# %%
# An untrained network gives all letters nearly the same probability, 1/27 = 0.037.
#
# In skrnn a layer multiplies all inputs by U at once, for all steps and all names of a batch
# (:meth:`skrnn.core.model.layer.RecurrentLayer.forward`), and only what depends on the previous step is left to the
# loop (:meth:`skrnn.core.kernels.numpy.elman.ElmanKernel.forward`). The numbers are the same:

from skrnn.core.data.sequences import NextTokenSequences
from skrnn.core.workspace import Workspace


def pack(names):
    """Return names as skrnn's engine stores them: one array of numbers; the target of a step is the next number."""
    numbers = [[BEGIN, *encode(name)[1]] for name in names]
    n_numbers = np.array([len(of_name) for of_name in numbers])
    return NextTokenSequences(np.concatenate(numbers).astype(np.uint8), n_numbers - 1, np.cumsum(n_numbers) - n_numbers)


workspace = Workspace(np.float64)
ours = [np.log(p[code, 0]) for code, p in zip(targets, probas, strict=True)]
theirs = network.predict(params, pack(["anna"]), workspace)[np.arange(len(targets)), targets]
np.testing.assert_allclose(ours, theirs, rtol=1e-12)

# %%
# The loss
# --------
#
# The loss of a step is the *surprise* :math:`-\log p`, where p is the probability of the target, and the loss of a name
# is the sum over its steps. With the natural logarithm its unit is the *nat* (1 nat = 1.44 bits). The other
# probabilities matter only through the softmax.


def loss_of(probas, targets):
    return -sum(np.log(p[code, 0]) for p, code in zip(probas, targets, strict=True))


print(f"loss of anna: {loss_of(probas, targets):.4f} nats; with equal probabilities: {5 * np.log(27):.4f}")

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
# Three things are easy to get wrong here. A state is used **twice**: for its own prediction, and for the next state.
# All five gradients are **sums** over the steps. And V is multiplied with the state **before** the step, which is zero
# at the first one.


def backward(params, read, targets, states, probas, report=None):
    """Return the gradient of the loss, in one vector."""
    _, V, W, _, _ = unpack(params)
    gradient = np.zeros_like(params)
    d_U, d_V, d_W, d_bh, d_by = unpack(gradient)  # views: adding to them fills the vector
    d_h_next = np.zeros((H, 1))
    for t in reversed(range(len(read))):
        x, h, h_prev = one_hot(read[t], N_INPUTS), states[t + 1], states[t]
        d_z = probas[t] - one_hot(targets[t], N_OUTPUTS)
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
gradient = backward(params, read, targets, states, probas, report=show)

# %%
# Note the last row: the state before the first letter is zero, so the first step adds nothing to the gradient of V.
#
# In skrnn all of this is :meth:`skrnn.core.model.network.Network.loss_gradient`, the function that training is built
# on. It calls the output layer first (:func:`skrnn.core.model.losses.classes.softmax_cross_entropy`: the loss, and
# :math:`p - y` in place of the logits), then the cell's kernel
# (:meth:`skrnn.core.kernels.numpy.elman.ElmanKernel.backward`, whose lines carry the numbers of the equations), and
# **adds** the gradient to the vector that is passed in.

data = pack(["anna"])
batch = network.batcher.batch(data, np.arange(1), data.next_ids)
theirs = np.zeros_like(params)
loss, _ = network.loss_gradient(params, batch, None, workspace, theirs)  # None: the sequence begins at zero

np.testing.assert_allclose(loss, loss_of(probas, targets), rtol=1e-12)
np.testing.assert_allclose(gradient, theirs, atol=1e-13)
print(f"largest deviation from skrnn's gradient: {np.abs(gradient - theirs).max():.1e}")

# %%
# Is it right?
# ------------
#
# Two implementations may share a mistake, so the gradient is compared with the loss itself: change one parameter by a
# small amount in both directions, and see how the loss changes. :func:`skrnn.inspection.check_gradient` does this for
# every parameter. The parameters are chosen so that none is zero, and no array is right by accident.

from skrnn.inspection import check_gradient


def loss_gradient(params):
    states, probas = forward(params, read)
    return loss_of(probas, targets), backward(params, read, targets, states, probas)


somewhere = params + 0.1 * np.random.default_rng(1).standard_normal(params.size)
check = check_gradient(loss_gradient, somewhere, layout=network.layout, max_entries=100, random_state=0)
print(check)
assert check.passed

# %%
# The next page, :ref:`sphx_glr_auto_tutorials_plot_2_what_was_wrong.py`, finds the mistakes of the notebook with this
# check.
#
# The update
# ----------
#
# Gradient descent takes a small step against the gradient. With one vector this is one line, and
# :class:`skrnn.core.training.optimizers.SGD` is that line with momentum. A gradient whose norm is too large is clipped
# first, because the product of many V can explode (:func:`skrnn.core.training.optimizers.clip_by_global_norm`).

from skrnn.core.training.optimizers import SGD, Adam, clip_by_global_norm

clipped = gradient.copy()
norm = clip_by_global_norm(clipped, max_norm=1.0)
by_hand = params - 0.1 * clipped

updated = params.copy()
sgd = SGD(momentum=0.0, nesterov=False)
sgd.update(updated, clipped, sgd.init(updated), learning_rate=0.1)
np.testing.assert_array_equal(by_hand, updated)

_, probas_after = forward(updated, read)
print(f"norm of the gradient: {norm:.2f}")
print(f"loss of anna: {loss_of(probas, targets):.4f} before the step, {loss_of(probas_after, targets):.4f} after it")

# %%
# Training
# --------
#
# An epoch is one pass over all names in random batches of 64; the loss is then a mean over letters. Adam
# (:class:`skrnn.core.training.optimizers.Adam`) makes the updates. The learning rate rises to 0.01 during the first
# epoch, since Adam's first moments are those of a few batches, and then falls to 0 along a cosine
# (:func:`skrnn.core.training.schedules.learning_rate_at`).
#
# This loop is :func:`skrnn.core.training.loop.train` without early stopping, validation and progress messages.

from skrnn.core.data.dataset import Dataset
from skrnn.core.data.samplers import TruncatedBPTT
from skrnn.core.training.schedules import learning_rate_at

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
    epoch_loss, warmth = 0.0, 0.0 if epoch == 0 else 1.0
    for batch, share in sampler.batches(training_set, network.batcher, 64, rng, np.dtype(np.float64)):
        gradient[:] = 0
        batch_loss, _ = network.loss_gradient(params, batch, None, workspace, gradient)
        clip_by_global_norm(gradient, max_norm=1.0)
        warmth = min(1.0, warmth + share)
        optimizer.update(params, gradient, moments, rate * warmth)
        epoch_loss += share * batch_loss
    history.append(epoch_loss)
    print(f"epoch {epoch + 1}: {epoch_loss:.4f} nats per letter")

# %%
# Prediction
# ----------
#
# To generate a name, predict the next letter, use it as the next input, and repeat
# (:meth:`skrnn.core.model.network.Network.step`). Taking the likeliest letter each time always gives the same
# name, so the letter is sampled from the predicted distribution instead. (``pack`` computes once what every step needs
# of the parameters.)


def sample(packed, rng, max_letters=12):
    state = network.start(1, np.dtype(np.float64))
    name, code = "", BEGIN
    while len(name) < max_letters:
        log_proba, state = network.step(packed, np.array([code]), state, workspace)
        code = rng.choice(N_OUTPUTS, p=np.exp(log_proba[0]))
        if code == END:
            break
        name += letters[code]
    return name


sampling_rng, packed = np.random.default_rng(0), network.pack(params, workspace)
print(", ".join(sample(packed, sampling_rng) for _ in range(12)))

# %%
# The same in three lines
# -----------------------

from skrnn import RNNNextTokenModel

model = RNNNextTokenModel(hidden_size=32, cell="tanh", embedding_size=None, alpha=0, max_iter=N_EPOCHS, random_state=0)
model.fit(names)
print(", ".join(model.generate(n_sequences=12, max_new_tokens=12, random_state=0)))

# %%
# The losses of all epochs agree to a relative difference of 1e-8, and the weights to 1e-5. (The names differ, because
# the two draw different random numbers.)

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
# Where to find it in skrnn
# -------------------------
#
# The functions of the notebook, their counterparts, and what differs:
#
# - ``init_params``: :meth:`Cell.initialize <skrnn.core.cells.cell.Cell.initialize>`,
#   :meth:`Network.initialize <skrnn.core.model.network.Network.initialize>`. Glorot and orthogonal instead of
#   ``0.1 * randn``; from a generator with a seed.
# - ``sigmoid``: :func:`skrnn.core.kernels.numpy.activations.sigmoid_of_scaled`. Correct limits where exp overflows;
#   used in the gates of GRU and LSTM.
# - ``tanh``: :func:`skrnn.core.kernels.numpy.activations.tanh_of_scaled`,
#   :func:`skrnn.core.kernels.numpy.activations.tanh_derivative`. Correct limits; the argument of the derivative is the
#   output.
# - ``softmax``: :func:`skrnn.core.model.losses.classes.log_softmax`. No overflow; log-probabilities; one column per
#   sequence.
# - ``forward_propagation``: :meth:`RecurrentLayer.forward <skrnn.core.model.layer.RecurrentLayer.forward>`,
#   :meth:`ElmanKernel.forward <skrnn.core.kernels.numpy.elman.ElmanKernel.forward>`,
#   :class:`LinearHead <skrnn.core.model.head.LinearHead>`. All sequences of a batch at once, of any lengths.
# - ``cross_entropy_loss``: :func:`skrnn.core.model.losses.classes.softmax_cross_entropy`. Uses the target; loss and
#   gradient together.
# - ``backward_propagation``: :meth:`Network.loss_gradient <skrnn.core.model.network.Network.loss_gradient>`,
#   :meth:`ElmanKernel.backward <skrnn.core.kernels.numpy.elman.ElmanKernel.backward>`. Returns loss and gradient;
#   updates nothing.
# - ``update_params``: :class:`SGD <skrnn.core.training.optimizers.SGD>`,
#   :class:`Adam <skrnn.core.training.optimizers.Adam>`,
#   :func:`clip_by_global_norm <skrnn.core.training.optimizers.clip_by_global_norm>`. One vector; clipping.
# - ``train``: :func:`skrnn.core.training.loop.train`, ``fit``. Batches, history, early stopping, validation.
# - ``tqdm``: ``verbose=1``. No other package.
# - ``predict``: :meth:`predict <skrnn.RNNNextTokenModel.predict>`,
#   :meth:`generate <skrnn.RNNNextTokenModel.generate>`, :meth:`start <skrnn.RNNNextTokenModel.start>`. The notebook has
#   only the line ``def predict``.
#
# Further reading: the :doc:`user guide </user_guide/index>`, and the equations of all cells in
# :doc:`Mathematics </user_guide/mathematics>`.
