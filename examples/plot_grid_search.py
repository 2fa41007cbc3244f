"""
=========================
Grid search in a pipeline
=========================

Lists of sequences go through scikit-learn's searches as tables do: the scaler learns from the training part of each
fold, the network from what it gives.
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
# Which cell, how large? Three folds of 270 utterances, eight candidates, 24 fits. ``learning_rate="cosine"`` with few
# epochs suits a search: every candidate gets the same number, and comes to an end.

model = make_pipeline(
    SequenceScaler(),
    RNNSequenceClassifier(learning_rate="cosine", learning_rate_init=0.01, max_iter=20, random_state=0),
)
search = GridSearchCV(
    model,
    {
        "rnnsequenceclassifier__cell": ["tanh", "gru"],
        "rnnsequenceclassifier__hidden_size": [16, 64],
        "rnnsequenceclassifier__bidirectional": [False, True],
    },
    scoring="neg_log_loss",
    cv=StratifiedKFold(3, shuffle=True, random_state=0),
)
search.fit(X_train, y_train)

# %%
# Results, the best first. With three folds a difference below the spread says nothing.

results = search.cv_results_
print("log loss  spread  seconds")
for i in np.argsort(results["rank_test_score"]):
    settings = ", ".join(f"{name.partition('__')[2]}={value}" for name, value in results["params"][i].items())
    loss, spread, seconds = -results["mean_test_score"][i], results["std_test_score"][i], results["mean_fit_time"][i]
    print(f"{loss:8.3f}  {spread:6.3f}  {seconds:7.2f}  {settings}")

# %%
# The best candidate was fitted again on all training utterances. The test part was not looked at until now.

print(f"test accuracy {search.best_estimator_.score(X_test, y_test):.3f}")

# %%
# What the cell and its size are worth. The lines lead from 16 to 64 units.

fig, ax = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
for cell in ("tanh", "gru"):
    for both in (False, True):
        wanted = {"rnnsequenceclassifier__cell": cell, "rnnsequenceclassifier__bidirectional": both}
        chosen = [i for i, params in enumerate(results["params"]) if wanted.items() <= params.items()]
        ax.errorbar(
            results["mean_fit_time"][chosen],
            -results["mean_test_score"][chosen],
            results["std_test_score"][chosen],
            marker="o",
            capsize=3,
            label=f"{cell}, {'both directions' if both else 'one direction'}",
        )
ax.set(xlabel="seconds a fit", ylabel="log loss (nats)", ylim=(0, None))
ax.grid(alpha=0.3)
ax.legend()
plt.show()
