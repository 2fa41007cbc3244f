"""
=======================
Digits, read row by row
=======================

A handwritten digit is scanned from top to bottom. The network reads one row of pixels at a time, as it would read the
measurements of a sensor. Trained on incomplete digits, too, it answers before the digit ends.
"""

# %%
# The digits of scikit-learn have 8 x 8 pixels: each is a sequence of eight steps with eight features. A quarter of the
# 1797 digits is held out.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn import RNNSequenceClassifier
from skrnn.preprocessing import SequenceSummarizer

digits = load_digits()
X = digits.images.astype(np.float32) / 16  # (n_sequences, n_steps, n_features)
X_train, X_test, y_train, y_test = train_test_split(
    X, digits.target, test_size=0.25, stratify=digits.target, random_state=0
)
model = RNNSequenceClassifier(random_state=0).fit(X_train, y_train)
y_pred = model.predict(X_test)
print(f"GRU, row by row:                            accuracy {np.mean(y_pred == y_test):.3f}")

# %%
# Six summary statistics of each column hardly depend on the order of the rows, and are not enough to tell the digits
# apart. (Where all sequences have the same length, all pixels can also be used as 64 separate features.)


def flatten(X):
    return X.reshape(len(X), -1)


summarize = SequenceSummarizer(["mean", "std", "min", "max", "first", "last"])
for name, features in [("summary statistics", summarize), ("64 separate pixels", FunctionTransformer(flatten))]:
    baseline = make_pipeline(features, StandardScaler(), LogisticRegression(max_iter=1000)).fit(X_train, y_train)
    print(f"Logistic regression on {name}:  accuracy {baseline.score(X_test, y_test):.3f}")

# %%
# Sequences may have different lengths. A second network is trained on the first rows of the digits, too: each digit
# once as a whole and three times cut off after a random row. It gives the probabilities of the ten classes after every
# row.

rng = np.random.default_rng(0)
n_rows = np.c_[rng.integers(1, 8, size=(len(X_train), 3)), np.full(len(X_train), 8)]
beginnings = [x[:n] for x, ns in zip(X_train, n_rows, strict=True) for n in ns]
early = RNNSequenceClassifier(max_iter=30, learning_rate="cosine", learning_rate_init=0.005, random_state=0)
early.fit(beginnings, np.repeat(y_train, 4))
print("\nTrained on the first rows, too:", end="")
print("".join(f"  {n} rows {early.score(X_test[:, :n], y_test):.2f}" for n in (2, 4, 6, 8)))

# %%
# The first test digit of six classes, above, and what the second network answers after each row, below; the true class
# is orange. Not all of them are classified correctly.

try:
    import matplotlib.pyplot as plt
except ImportError:
    print("\nFor the picture, install matplotlib: pip install 'skrnn[plot]'")
else:
    chosen = [np.flatnonzero(y_test == digit)[0] for digit in (0, 2, 3, 5, 7, 9)]
    fig, axes = plt.subplots(2, len(chosen), figsize=(11, 4), layout="constrained", height_ratios=(1, 1.1))
    for i, (image_ax, proba_ax) in zip(chosen, axes.T, strict=True):
        (proba,) = early.predict_proba_steps(X_test[i : i + 1])  # (8, 10), after each row
        image_ax.imshow(X_test[i], cmap="gray_r")
        image_ax.set(xticks=[], yticks=[], title=f"a {y_test[i]}")
        image = proba_ax.imshow(proba, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        proba_ax.set(xticks=range(10), yticks=range(8), yticklabels=range(1, 9), xlabel="class")
        proba_ax.get_xticklabels()[y_test[i]].set(color="tab:orange", weight="bold")
    axes[0, 0].set_ylabel("rows, from top\nto bottom")
    axes[1, 0].set_ylabel("rows read")
    fig.colorbar(image, ax=axes[1], label="probability")
    fig.savefig("digits.png", dpi=120)
    print("\nThe picture is in digits.png.")
