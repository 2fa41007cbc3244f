"""
=================================
How sure should a network be?
=================================

Is a first name a woman's or a man's? A network that reads it letter by letter answers with a probability. If it says
90 %, is it right in nine cases of ten?
"""

# %%
# Names that both bear are left out. There are four to five times as many women's names. A letter becomes a step of 26
# features.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import train_test_split

from skrnn import RNNSequenceClassifier
from skrnn.datasets import load_names

women, men = (set(load_names(subset=subset).data) for subset in ("female", "male"))
names = sorted(women ^ men)
is_mans = np.array([name in men for name in names])
ONE_HOT = np.eye(26, dtype=np.float32)
X = [ONE_HOT[[ord(letter) - ord("a") for letter in name]] for name in names]
X_train, X_test, y_train, y_test = train_test_split(X, is_mans, test_size=0.4, stratify=is_mans, random_state=0)
print(f"{len(names)} names, {is_mans.mean():.0%} of them men's; {len(X_train)} to learn from")

# %%
# Three models. The first is trained until it knows its names by heart. The second is the same, calibrated: in three
# folds, a logistic curve is fitted to what it says of names that it has not seen. The third stops as soon as names held
# out are predicted no better.

settings = {"hidden_size": 32, "learning_rate": "cosine", "learning_rate_init": 0.01, "random_state": 0}
by_heart = RNNSequenceClassifier(max_iter=30, **settings)
models = {
    "by heart": by_heart,
    "by heart, calibrated": CalibratedClassifierCV(by_heart, cv=3),
    "stopped early": RNNSequenceClassifier(max_iter=30, early_stopping=True, n_iter_no_change=5, **settings),
}
fig, ax = plt.subplots(figsize=(5.6, 4.6), layout="constrained")
print(f"{'':22}accuracy  log loss  Brier score")
for name, model in models.items():
    proba = model.fit(X_train, y_train).predict_proba(X_test)[:, 1]
    accuracy, loss, brier = np.mean((proba > 0.5) == y_test), log_loss(y_test, proba), brier_score_loss(y_test, proba)
    print(f"{name:22}{accuracy:8.3f}  {loss:8.3f}  {brier:11.3f}")
    CalibrationDisplay.from_predictions(y_test, proba, n_bins=8, strategy="quantile", name=name, ax=ax)
ax.set(xlabel="what the network says", ylabel="how often it is a man's name")
plt.show()

# %%
# The accuracies are close together. The probabilities are not: whoever learned by heart says 0.95 where 0.8 would be
# right, and pays for it in log loss. Calibration repairs that at the price of three fits; stopping early costs nothing.
