"""
=========================
Grid search in a pipeline
=========================

Lists of sequences can be used in scikit-learn's searches as tables can. In a pipeline the scaler is fitted on the
training part of each fold, and the network on the scaled sequences.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from skrnn import RNNSequenceClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.preprocessing import SequenceScaler

X_train, y_train = load_japanese_vowels(subset="train", return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
X_train, X_test = ([x.astype(np.float32) for x in X] for X in (X_train, X_test))

# %%
# Which cell, how many units, one direction or both? Eight candidates are fitted on three folds of the 270 training
# utterances (nine speakers, 12 features per step). ``learning_rate="cosine"`` with few epochs suits a search: every
# candidate is trained for the same number of epochs and its learning rate ends at zero.

model = make_pipeline(
    SequenceScaler(),
    RNNSequenceClassifier(learning_rate="cosine", learning_rate_init=0.01, max_iter=20, random_state=0),
)
grid = {
    "rnnsequenceclassifier__cell": ["tanh", "gru"],
    "rnnsequenceclassifier__hidden_size": [16, 64],
    "rnnsequenceclassifier__bidirectional": [False, True],
}
folds = StratifiedKFold(3, shuffle=True, random_state=0)
search = GridSearchCV(model, grid, scoring="neg_log_loss", cv=folds).fit(X_train, y_train)

# %%
# The candidates, the best first.

results = search.cv_results_
ranking = np.argsort(results["rank_test_score"])


def label(i):
    cell, hidden_size, bidirectional = (results[f"param_{name}"][i] for name in grid)
    return f"{cell}, {hidden_size} units, {'both directions' if bidirectional else 'one direction'}"


print(f"{'':31}log loss   std  seconds per fit")
for i in ranking:
    loss, std, seconds = -results["mean_test_score"][i], results["std_test_score"][i], results["mean_fit_time"][i]
    print(f"{label(i):31}{loss:8.3f} {std:5.3f} {seconds:16.2f}")

# %%
# One dot for each fold, a line for the mean. The folds are the same for all candidates. A difference that is smaller
# than the scatter of the dots does not mean much.

losses = -np.array([results[f"split{k}_test_score"] for k in range(folds.n_splits)])  # (n_folds, n_candidates)
fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for place, i in enumerate(ranking):
    ax.plot(losses[:, i], [place] * len(losses), "o", color="tab:blue", alpha=0.6)
    ax.plot(losses[:, i].mean(), place, "|", color="tab:orange", markersize=18, markeredgewidth=2.5)
ax.set_yticks(range(len(ranking)), [label(i) for i in ranking])
ax.invert_yaxis()
ax.set(xlabel="log loss of each fold (nats); lower is better", xlim=(0, None))
ax.grid(axis="x", alpha=0.3)
plt.show()

# %%
# The search refits the best candidate on all training utterances. The test utterances are used only now.

print(f"test accuracy {search.best_estimator_.score(X_test, y_test):.3f}")
