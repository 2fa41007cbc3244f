"""
===============
Early decisions
===============

How much of a sequence has to be read until its class is known? A network that reads step by step has an answer after
each of them. Whether it is a good one depends on what the network was trained on.
"""

# %%
# The data
# --------
#
# Two data sets with published splits. JapaneseVowels: who of nine men says /ae/? 270 utterances of 7 to 26 steps for
# training, 370 for the test. BasicMotions: does a smart watch walk, run, rest or play badminton? 40 recordings of 100
# steps for training, 40 for the test. (Without aeon, which brings the motions, the script runs with what is left.)

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from skrnn import EarlyClassifier, RNNSequenceClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.preprocessing import SequenceScaler
from skrnn.sequences import from_channels_first

data_sets = {
    "vowels": (*load_japanese_vowels(return_X_y=True), *load_japanese_vowels(subset="test", return_X_y=True)),
}
try:
    from aeon.datasets import load_basic_motions
except ImportError:
    pass
else:
    (X_train, y_train), (X_test, y_test) = (load_basic_motions(split=split) for split in ("train", "test"))
    data_sets["motions"] = (list(from_channels_first(X_train)), y_train, list(from_channels_first(X_test)), y_test)

# %%
# Whole sequences, or beginnings, too
# -----------------------------------
#
# One network is trained on whole sequences. It is never asked for an answer midway, and has no reason to have one. The
# other gets each sequence three times: as a whole, and twice cut off after a random step.


def with_beginnings(X, y, n=2, seed=0):
    """Return sequences, n beginnings of each, and the labels of all."""
    rng = np.random.default_rng(seed)
    cut = [x[: rng.integers(1, len(x) + 1)] for _ in range(n) for x in X]
    return [*X, *cut], np.tile(y, n + 1)


SETTINGS = {"hidden_size": 32, "learning_rate": "cosine", "learning_rate_init": 0.01, "max_iter": 60}
networks = {}
for name, (X_train, y_train, _, _) in data_sets.items():
    for kind, data in (("whole sequences", (X_train, y_train)), ("beginnings, too", with_beginnings(X_train, y_train))):
        model = make_pipeline(SequenceScaler(), RNNSequenceClassifier(random_state=0, **SETTINGS))
        networks[name, kind] = model.fit(*data)

# %%
# ``predict_proba_steps`` gives the probabilities after every step at once, and so the accuracy after any share of the
# steps.

SHARES = np.linspace(0.05, 1, 20)


def accuracy_after(model, X, y, share):
    """Return the accuracy when a share of the steps has been read, at least one of each sequence."""
    proba = model[-1].predict_proba_steps(model[:-1].transform(X))
    read = [max(1, round(share * len(steps))) for steps in proba]
    last = np.array([steps[n - 1] for steps, n in zip(proba, read, strict=True)])
    return np.mean(model.classes_[last.argmax(axis=1)] == y)


curves = {
    (name, kind): [accuracy_after(model, *data_sets[name][2:], share) for share in SHARES]
    for (name, kind), model in networks.items()
}
for (name, kind), curve in curves.items():
    print(
        f"{name:8} {kind:16}", *(f"{share:.0%}: {curve[i]:.2f}" for i, share in enumerate(SHARES) if i in (1, 4, 9, 19))
    )

# %%
# A threshold
# -----------
#
# :class:`~skrnn.EarlyClassifier` reads each sequence until a probability is high enough, so an easy one is decided
# sooner than a hard one. Lines: all sequences are read up to the same share. Dots: each is read until a probability
# reaches a threshold, one dot for each from 0.5 to 0.995.

THRESHOLDS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995]
fig, axes = plt.subplots(1, len(data_sets), figsize=(5 * len(data_sets), 4.2), layout="constrained", squeeze=False)
for ax, (name, (_, _, X_test, y_test)) in zip(axes[0], data_sets.items(), strict=True):
    lengths = np.array(list(map(len, X_test)))
    for kind, color in (("whole sequences", "tab:gray"), ("beginnings, too", "tab:blue")):
        ax.plot(100 * SHARES, curves[name, kind], color=color, label=f"trained on {kind}")
        early = [EarlyClassifier(networks[name, kind], probability_threshold=threshold) for threshold in THRESHOLDS]
        shares = [100 * np.mean(model.decision_steps(X_test) / lengths) for model in early]
        ax.plot(shares, [model.score(X_test, y_test) for model in early], "o", color=color, markersize=5)
    ax.set(title=name, xlabel="steps read (%)", ylabel="accuracy", xlim=(0, 101))
    ax.legend(loc="lower right")
plt.show()

# %%
# Of the vowels, the network that knows beginnings has most of its accuracy after two steps. The one that knows whole
# utterances needs nearly all of their steps: midway it is wrong, and often sure of it. For the motions either network
# needs some 25 steps. Reading on only where the network is not sure is better than reading the same share of all.

# %%
# Which threshold?
# ----------------
#
# A search finds it on sequences that the network has not seen; frozen, it is not fitted again for each threshold.
# (That needs more sequences than the 40 motions.) Early classifiers are compared by the harmonic mean of accuracy and
# of the share of steps that were not read (Schäfer and Leser, *TEASER: early and accurate time series classification*,
# 2020). It gives both the same weight, and so prefers a low threshold; ``earliness_weight`` changes that.

X_train, y_train, X_test, y_test = data_sets["vowels"]
X_fit, X_tune, y_fit, y_tune = train_test_split(X_train, y_train, test_size=0.3, stratify=y_train, random_state=0)
model = make_pipeline(SequenceScaler(), RNNSequenceClassifier(random_state=0, **SETTINGS))
early = EarlyClassifier(FrozenEstimator(model.fit(*with_beginnings(X_fit, y_fit))))
for weight in (0.5, 0.2, 0.05):
    scoring = partial(EarlyClassifier.early_score, earliness_weight=weight)
    search = GridSearchCV(early, {"probability_threshold": THRESHOLDS}, scoring=scoring, cv=3).fit(X_tune, y_tune)
    threshold, steps = search.best_params_["probability_threshold"], search.best_estimator_.decision_steps(X_test)
    accuracy = search.best_estimator_.score(X_test, y_test)
    print(f"weight {weight:.2f}: threshold {threshold:.3f}, {steps.mean():4.1f} steps read, accuracy {accuracy:.3f}")
