"""
==============
Beside PyTorch
==============

The same classifier twice: as an estimator of skrnn, and written out in PyTorch. Both begin with the same weights, and
get the same sequences in the same order. Do they learn the same?
"""

# %%
# Which of nine men says /ae/? 270 utterances of 7 to 26 steps for training, 370 for the test. They are shuffled once,
# since they are sorted by speaker, and stay in this order.

import time

import matplotlib.pyplot as plt
import numpy as np

from skrnn import RNNSequenceClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.export import to_torch_state_dict
from skrnn.preprocessing import SequenceScaler

try:
    import torch
except ImportError as error:
    raise ImportError("This example needs PyTorch. Install it with pip install torch.") from error
from torch.nn.utils.rnn import pack_sequence

X, y = load_japanese_vowels(return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
scaler = SequenceScaler().fit(X)
X, X_test = ([x.astype(np.float32) for x in scaler.transform(some)] for some in (X, X_test))
order = np.random.default_rng(0).permutation(len(X))
X, y, classes = [X[i] for i in order], y[order], np.unique(y)

# %%
# With skrnn
# ----------
#
# Most settings are the defaults. ``partial_fit`` is an epoch, so that each can be timed.

HIDDEN_SIZE, LEARNING_RATE, BATCH_SIZE, N_EPOCHS = 64, 0.003, 54, 40
model = RNNSequenceClassifier(
    HIDDEN_SIZE, learning_rate_init=LEARNING_RATE, batch_size=BATCH_SIZE, shuffle=False, alpha=0, random_state=0
)
seconds = {"skrnn": []}
for _ in range(N_EPOCHS):
    begin = time.perf_counter()
    model.partial_fit(X, y, classes=classes)
    seconds["skrnn"].append(time.perf_counter() - begin)

# %%
# The weights that it began with depend on ``random_state``, not on the learning rate. One so low that nothing moves
# leaves them as they were.

initial = RNNSequenceClassifier(HIDDEN_SIZE, learning_rate_init=1e-12, random_state=0)
initial.partial_fit(X, y, classes=classes)

# %%
# With PyTorch
# ------------
#
# A module, the packing of sequences of different lengths, and the loop. Batches are packed once, before the clock
# starts, and one thread computes, as in skrnn.
#
# :func:`~skrnn.export.to_torch_state_dict` returns the weights of the layers with PyTorch's names; those of the head
# are in ``weights_``. Biases are the one difference: PyTorch adds ``bias_hh`` to ``bias_ih``. Both get the same
# gradient, so that their sum learns twice as fast. skrnn has two only where they do different things, in the candidate
# of the GRU. One of two modules is trained as it is; in the other, a hook keeps the biases that are too many at zero.

torch.set_num_threads(1)
y_index = np.searchsorted(classes, y)


class Classifier(torch.nn.Module):
    def __init__(self, n_features, n_classes):
        super().__init__()
        self.rnn = torch.nn.GRU(n_features, HIDDEN_SIZE)
        self.head = torch.nn.Linear(HIDDEN_SIZE, n_classes)

    def forward(self, packed):
        _, state = self.rnn(packed)
        return self.head(state[-1])


def pack(sequences):
    return pack_sequence([torch.from_numpy(x) for x in sequences], enforce_sorted=False)


def train(module, name):
    """Train for N_EPOCHS, record the seconds of each, and return the mean loss of each."""
    optimizer, loss_function = torch.optim.Adam(module.parameters(), lr=LEARNING_RATE), torch.nn.CrossEntropyLoss()
    batches = [
        (pack(X[first : first + BATCH_SIZE]), torch.from_numpy(y_index[first : first + BATCH_SIZE]))
        for first in range(0, len(X), BATCH_SIZE)
    ]
    curve, seconds[name] = [], []
    for _ in range(N_EPOCHS):
        begin, losses = time.perf_counter(), []
        for packed, target in batches:
            optimizer.zero_grad()
            loss = loss_function(module(packed), target)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        curve.append(np.mean(losses))
        seconds[name].append(time.perf_counter() - begin)
    return curve


def make_module():
    module, weights = Classifier(X[0].shape[1], len(classes)), initial.weights_
    arrays = {f"rnn.{name}": array for name, array in to_torch_state_dict(initial).items()}
    arrays |= {"head.weight": weights["head.W_y"], "head.bias": weights["head.b_y"]}
    module.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return module


modules = {"PyTorch, one bias": make_module(), "PyTorch, two biases": make_module()}
only_candidate = torch.arange(3 * HIDDEN_SIZE) >= 2 * HIDDEN_SIZE  # after the reset and the update gate
modules["PyTorch, one bias"].rnn.bias_hh_l0.register_hook(lambda gradient: gradient * only_candidate)
curves = {"skrnn": model.loss_curve_} | {name: train(module, name) for name, module in modules.items()}

# %%
# The same
# --------

fig, (upper, lower) = plt.subplots(2, sharex=True, figsize=(5.6, 5), layout="constrained", height_ratios=[3, 2])
epochs = range(1, N_EPOCHS + 1)
upper.plot(epochs, curves["PyTorch, one bias"], color="tab:orange", lw=8, alpha=0.5, label="PyTorch, one bias")
upper.plot(epochs, curves["skrnn"], color="tab:blue", lw=2, label="skrnn")
upper.set(yscale="log", ylabel="training loss")
for name, color in (("PyTorch, two biases", "0.5"), ("PyTorch, one bias", "tab:orange")):
    lower.plot(epochs, np.abs(np.divide(curves[name], curves["skrnn"]) - 1), color=color, lw=2, label=name)
lower.set(yscale="log", xlabel="epoch", ylabel="relative difference\nto skrnn", ylim=(1e-10, 10))
upper.legend()
lower.legend(loc="center right", bbox_to_anchor=(1, 0.56))
plt.show()

predictions = {"skrnn": model.predict(X_test)}
with torch.no_grad():
    predictions |= {name: classes[module(pack(X_test)).argmax(1).numpy()] for name, module in modules.items()}
for name, y_pred in predictions.items():
    same = np.mean(y_pred == predictions["skrnn"])
    milliseconds = 1000 * np.median(seconds[name])
    print(f"{name:20} accuracy {np.mean(y_pred == y_test):.3f}, {same:.1%} as skrnn, {milliseconds:.1f} ms an epoch")

# %%
# Equal to rounding (of numbers with seven digits), for forty epochs. The second bias makes a few per cent of the
# loss, and hardly any of the accuracy.
#
# In skrnn these are three lines, in PyTorch some forty, and every one of them can be changed: that is what PyTorch is
# for. With layers and batches as small as these, skrnn takes less time on a CPU; the larger they are, the less so.
# :doc:`/user_guide/performance` has times for many sizes, and :doc:`/user_guide/limits` says when to use something
# else, a GPU for example.
