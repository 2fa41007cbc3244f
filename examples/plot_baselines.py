"""
===================================
Is a network worth it? Four methods
===================================

A recurrent network beside three strong and simple methods on three data sets from sensors:

- **vowels**: nine speakers say the same two vowels. 12 LPC cepstrum coefficients per step, a compact description of the
  sound's spectrum, 7 to 29 steps (JapaneseVowels).
- **digits**: scanned handwritten digits, read row by row: eight steps of eight grey values, ten classes.
- **motions**: a watch records four kinds of motion: six channels of acceleration and rotation, 100 steps
  (BasicMotions).

The other methods are logistic regression on summary statistics, which knows hardly anything about the order of the
steps; the nearest neighbour by dynamic time warping (DTW), which compares aligned sequences; and ROCKET, a linear model
on the features of random convolutions, from aeon.
"""

# %%
# The data
# --------
#
# JapaneseVowels and BasicMotions have published splits. Of the digits a quarter is held out. (Without aeon, which also
# brings the motions, the script runs with what is left.)

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn import RNNSequenceClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.preprocessing import SequenceScaler, SequenceSummarizer
from skrnn.sequences import from_channels_first

try:
    from aeon.classification.convolution_based import RocketClassifier
    from aeon.datasets import load_basic_motions
except ImportError:
    RocketClassifier = None

images, labels = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    list(images.reshape(-1, 8, 8)), labels, test_size=0.25, stratify=labels, random_state=0
)
data_sets = {
    "vowels": (*load_japanese_vowels(return_X_y=True), *load_japanese_vowels(subset="test", return_X_y=True)),
    "digits": (X_train, y_train, X_test, y_test),
}
if RocketClassifier:
    (X_train, y_train), (X_test, y_test) = (load_basic_motions(split=split) for split in ("train", "test"))
    data_sets["motions"] = (list(from_channels_first(X_train)), y_train, list(from_channels_first(X_test)), y_test)
for name, (X_train, _, X_test, _) in data_sets.items():
    print(f"{name}: {len(X_train)} sequences for training, {len(X_test)} for the test")

# %%
# The methods
# -----------
#
# The statistics are mean, standard deviation, minimum, maximum, first and last value of each feature, and the length.
#
# DTW aligns two sequences so that the sum of the squared distances between their aligned steps is minimal (Sakoe and
# Chiba, *Dynamic programming algorithm optimization for spoken word recognition*, 1978). This class computes it between
# one sequence and all training sequences at once: those are padded, and the result of each is read where it ends.


class NearestNeighborDTW:
    """Predict the label of the nearest training sequence."""

    def fit(self, X, y):
        self.lengths = np.array([len(x) for x in X])
        self.padded = np.zeros((len(X), self.lengths.max(), X[0].shape[1]))
        for row, x in zip(self.padded, X, strict=True):
            row[: len(x)] = x
        self.y = np.asarray(y)
        return self

    def distances(self, x):
        """Return the DTW distance (n,) from x to every training sequence."""
        n, n_steps, _ = self.padded.shape
        cost = np.full((n_steps + 1, n), np.inf)  # of the best alignment so far, per step of the others
        cost[0] = 0
        for x_t in x:
            local = ((self.padded - x_t) ** 2).sum(axis=2).T  # (n_steps, n)
            before, cost = cost, np.full_like(cost, np.inf)
            for j in range(n_steps):
                best = np.minimum(np.minimum(before[j], before[j + 1]), cost[j])
                np.add(local[j], best, out=cost[j + 1])
        return cost[self.lengths, np.arange(n)]

    def score(self, X, y):
        return np.mean([self.y[self.distances(x).argmin()] == label for x, label in zip(X, y, strict=True)])


# %%
# A constructor for each method. The network and ROCKET are random, so each is fitted with three seeds. All have their
# default settings; nothing was tuned.

methods = {
    "GRU": lambda seed: RNNSequenceClassifier(random_state=seed),
    "statistics": lambda seed: make_pipeline(SequenceSummarizer(), StandardScaler(), LogisticRegression(max_iter=1000)),
    "1-NN DTW": lambda seed: NearestNeighborDTW(),
}
if RocketClassifier:
    # aeon expects sequences of one length, with the channels first.
    methods["ROCKET"] = lambda seed: make_pipeline(
        FunctionTransformer(lambda X: np.transpose(X, (0, 2, 1))), RocketClassifier(random_state=seed)
    )

# %%
# Results
# -------
#
# All methods get the same features, scaled by the training sequences. The network is fitted in float32. ROCKET is left
# out on the vowels, whose lengths differ.

accuracy = {}
print(f"{'':9}{'':12}accuracy  (min to max)    seconds per fit")
for data_name, (X_train, y_train, X_test, y_test) in data_sets.items():
    scaler = SequenceScaler().fit(X_train)
    S_train, S_test = ([x.astype(np.float32) for x in scaler.transform(X)] for X in (X_train, X_test))
    for name, method in methods.items():
        if name == "ROCKET" and data_name == "vowels":
            continue
        seeds = range(3) if name in ("GRU", "ROCKET") else range(1)
        start = time.perf_counter()
        scores = np.array([method(seed).fit(S_train, y_train).score(S_test, y_test) for seed in seeds])
        seconds = (time.perf_counter() - start) / len(seeds)
        accuracy[data_name, name] = scores
        spread = f"({scores.min():.3f} to {scores.max():.3f})" if len(seeds) > 1 else ""
        print(f"{data_name:9}{name:12}{scores.mean():8.3f}  {spread:16}{seconds:8.1f}")

# %%
# On the vowels six statistics per coefficient are enough: the speaker shows in the average spectrum, and logistic
# regression is best. On the digits the order of the rows is what makes a digit, and the statistics fall behind by eight
# points; the nearest neighbour and ROCKET come within two points of the network. On the motions the network and ROCKET
# make no error; with 40 test sequences a score of .975 is one error.
#
# So begin with the statistics, and use a network if they are not good enough.

fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for k, name in enumerate(methods):
    places = np.arange(len(data_sets)) + 0.8 * (k - (len(methods) - 1) / 2) / len(methods)
    scores = [accuracy.get((data_name, name), np.array([np.nan])) for data_name in data_sets]
    means = np.array([s.mean() for s in scores])
    errors = [means - [s.min() for s in scores], [s.max() for s in scores] - means]
    bars = ax.bar(places, means, 0.75 / len(methods), yerr=errors, capsize=3, label=name)
    ax.bar_label(bars, ["" if np.isnan(m) else f"{m:.3f}" for m in means], padding=4, size=8)
ax.set(xticks=range(len(data_sets)), xticklabels=list(data_sets), ylabel="test accuracy", ylim=(0, 1.12))
ax.set_yticks(np.linspace(0, 1, 6))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(ncols=len(methods), loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)
ax.set_xlabel("Lines show the minimum and maximum of three seeds.", size=9)
plt.show()
