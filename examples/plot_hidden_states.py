"""
===============================
Hidden states in two dimensions
===============================

A network that reads a sequence keeps what it has read in its hidden state, here 32 numbers. As it reads on, the state
moves. Where do the paths of different classes part?
"""

# %%
# The sequences are handwritten digits, of which the network sees one row of eight pixels after the other, from the top.

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestCentroid

from skrnn import RNNSequenceClassifier
from skrnn.inspection import hidden_states

digits = load_digits()
X = digits.images.astype(np.float32) / 16
X_train, X_test, y_train, y_test = train_test_split(X, digits.target, stratify=digits.target, random_state=0)
model = RNNSequenceClassifier(
    hidden_size=32, learning_rate="cosine", learning_rate_init=0.01, max_iter=40, random_state=0
)
model.fit(X_train, y_train)
print(f"accuracy {model.score(X_test, y_test):.3f} on {len(X_test)} digits")

# %%
# The paths
# ---------
#
# :func:`~skrnn.inspection.hidden_states` returns the states after every row. Those of four digits are projected onto
# the two directions in which they differ most. Thin lines are single digits of the test, each from its first row
# to its last; thick lines are the means of a class, with a dot for each row, the first one white.

COLORS = {2: "tab:blue", 3: "tab:red", 5: "tab:green", 7: "tab:orange"}
BESIDE = {2: (34, -14), 3: (28, 0), 5: (-8, -28), 7: (16, -27)}  # where a picture stands, points from the last dot
states_train, states_test = (np.array(hidden_states(model, X)) for X in (X_train, X_test))
pca = PCA(2).fit(np.concatenate(states_train[np.isin(y_train, list(COLORS))]))
print(f"{pca.explained_variance_ratio_.sum():.0%} of the variance is in the plane")

fig, ax = plt.subplots(figsize=(5.6, 4.8), layout="constrained")
for digit, color in COLORS.items():
    paths = np.array([pca.transform(states) for states in states_test[y_test == digit]])
    mean = paths.mean(axis=0)
    ax.plot(*paths[:12].T, color=color, lw=0.7, alpha=0.3)
    ax.plot(*mean.T, "o-", color=color, lw=2.5, markersize=5, zorder=3)
    ax.plot(*mean[0], "o", color=color, markerfacecolor="white", markersize=7, zorder=4)
    typical = X_test[y_test == digit][np.linalg.norm(paths - mean, axis=2).sum(axis=1).argmin()]
    picture, box = OffsetImage(typical, cmap="gray_r", zoom=4), {"edgecolor": color, "linewidth": 2.5}
    ax.add_artist(
        AnnotationBbox(picture, mean[-1], BESIDE[digit], boxcoords="offset points", pad=0.1, bboxprops=box, zorder=5)
    )
ax.set(xlabel="first principal component", ylabel="second principal component")
plt.show()

# %%
# All begin with the same stroke, and so in the same place. 5 goes up from there. 2 and 3 go around side by side, and 7,
# hardly more than a thin stroke from its fourth row on, turns inwards.

# %%
# Where do they part?
# -------------------
#
# A plane shows only a part of what 32 numbers hold. How many digits can be told from all of them, after each row? A
# state is assigned to the class whose mean state after that row is nearest.


def share_known(row, classes):
    """Return the share of the test digits of some classes that are told apart after a row."""
    train, test = np.isin(y_train, list(classes)), np.isin(y_test, list(classes))
    centroids = NearestCentroid().fit(states_train[train, row], y_train[train])
    return centroids.score(states_test[test, row], y_test[test])


for row in range(8):
    print(f"row {row + 1}: {share_known(row, range(10)):.2f} of all digits, {share_known(row, [2, 3]):.2f} of 2 and 3")

# %%
# Three of four are known from the upper half; of 2 and 3, nine of ten. For more, the network needs the lower one.

# %%
# The states after the last row are what ``transform`` of the classifier returns: of each sequence, whatever its length,
# a row of numbers for any other estimator.

print(np.allclose(states_test[:, -1], model.transform(X_test)))
