"""
============
Rare classes
============

Of a list of names one in twenty is a man's. A classifier that finds none of them is right in 95 % of all cases, so
accuracy says nothing here. What helps: a score that looks at the rare class, and either class weights or another
threshold.
"""

# %%
# The names are those that only women or only men bear; of the men's a sample is taken, so that they are rare. Half of
# the list is the test. All numbers below are means over three such splits.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
)
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split

from skrnn import RNNSequenceClassifier
from skrnn.datasets import load_names

women, men = (set(load_names(subset=subset).data) for subset in ("female", "male"))
rare = np.random.default_rng(0).permutation(sorted(men - women))[:210].tolist()
names = sorted(women - men) + rare
y = np.isin(names, rare)
print(f"{len(names)} names, {y.mean():.1%} of them men's")

# %%
# Three ways
# ----------
#
# - The network as it is: a name is a man's where the probability exceeds 0.5, which hardly ever happens.
# - ``class_weight="balanced"``: both classes have the same total weight in the loss, as if each man's name occurred
#   nineteen times.
# - ``TunedThresholdClassifierCV``: the network as it is, with the threshold that had the best F1 in a cross-validation
#   on the training part.

SETTINGS = {
    "hidden_size": 32,
    "learning_rate": "cosine",
    "learning_rate_init": 0.01,
    "max_iter": 15,
    "dtype": "float32",
    "random_state": 0,
}
WAYS = {
    "threshold 0.5": RNNSequenceClassifier(**SETTINGS),
    "balanced weights": RNNSequenceClassifier(class_weight="balanced", **SETTINGS),
    "tuned threshold": TunedThresholdClassifierCV(
        RNNSequenceClassifier(**SETTINGS), scoring="f1", cv=5, random_state=0
    ),
}

# %%
# Precision is the share of men's names among those that were called so, recall the share of men's names that were
# found, F1 their harmonic mean. The average precision needs no threshold: it asks only whether men's names have higher
# probabilities than women's.

scores, curves, dots = {}, {}, {}
for split in range(3):
    X_train, X_test, y_train, y_test = train_test_split(names, y, test_size=0.5, stratify=y, random_state=split)
    for way, model in WAYS.items():
        model.fit(X_train, y_train)
        predicted, proba = model.predict(X_test), model.predict_proba(X_test)[:, 1]
        values = (
            accuracy_score(y_test, predicted),
            precision_score(y_test, predicted),
            recall_score(y_test, predicted),
            f1_score(y_test, predicted),
            average_precision_score(y_test, proba),
            proba.mean(),
        )
        scores.setdefault(way, []).append(values)
        if split == 0:
            curves[way] = precision_recall_curve(y_test, proba)
            dots[way] = (values[2], values[1])

print(f"{'':17} accuracy  precision  recall   F1  average precision  mean probability")
for way, values in scores.items():
    accuracy, precision, recall, f1, average, mean = np.mean(values, axis=0)
    print(f"{way:17} {accuracy:8.3f} {precision:10.2f} {recall:7.2f} {f1:6.2f} {average:13.2f} {mean:18.3f}")

# %%
# Every threshold is a point on the curve of precision and recall; the dots are those of the three ways, on the first
# split.

fig, ax = plt.subplots(figsize=(5.6, 4.6), layout="constrained")
for way, color in (("threshold 0.5", "tab:blue"), ("balanced weights", "tab:orange")):
    precision, recall, _ = curves[way]
    ax.plot(recall, precision, drawstyle="steps-post", color=color, alpha=0.6)
for way, color, marker in (
    ("threshold 0.5", "tab:blue", "s"),
    ("tuned threshold", "tab:blue", "o"),
    ("balanced weights", "tab:orange", "o"),
):
    ax.plot(*dots[way], marker, color=color, markersize=9, label=way, zorder=3)
ax.axhline(y.mean(), color="0.5", linestyle="--", linewidth=1, label="chance")
ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
plt.show()

# %%
# The best accuracy belongs to the network that finds the fewest of the men's names. The curves are close together:
# weights hardly change which names have the higher probabilities, but make them too high, 0.13 on average where 0.05
# would be right. The tuned threshold has the same F1, within chance, and leaves the probabilities as they are; its
# price is five more fits. Where the costs of the two kinds of errors are known, tune it by these (``scoring``).
