"""
========================
Calibrated probabilities
========================

Is a first name a woman's or a man's? A network that reads it letter by letter answers with a probability. Are nine of
ten answers right where it says 90 %? Then its probabilities are *calibrated*.
"""

# %%
# Names that both women and men bear are left out. Four to five times as many of the rest are women's. Each letter
# becomes a step with 26 features, one of which is 1.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skrnn import RNNSequenceClassifier
from skrnn.datasets import load_names

women, men = (set(load_names(subset=subset).data) for subset in ("female", "male"))
names = sorted(women ^ men)
y = np.array([name in men for name in names])
ONE_HOT = np.eye(26, dtype=np.float32)
X = [ONE_HOT[[ord(letter) - ord("a") for letter in name]] for name in names]
print(f"{len(names)} names, {y.mean():.0%} of them men's")

# %%
# The first of four models is trained for 30 epochs and overfits. The second stops as soon as the predictions for
# held-out names no longer improve. The others calibrate the first one: its probabilities for held-out names, from
# three-fold cross-validation, are used to fit a correction. ``method="sigmoid"`` fits a logistic curve with two
# parameters to the probabilities, ``method="temperature"`` (scikit-learn 1.8 or later) divides their logits by one
# number. With ``ensemble=False`` the correction is applied to a single network, trained on all training data; by
# default, three networks would be averaged, and the gain of averaging would be mistaken for that of calibration.

SETTINGS = {"hidden_size": 32, "learning_rate": "cosine", "learning_rate_init": 0.01, "max_iter": 30}


def models(seed):
    overfitted = RNNSequenceClassifier(**SETTINGS, random_state=seed)
    return {
        "overfitted": overfitted,
        "early stopping": RNNSequenceClassifier(**SETTINGS, early_stopping=True, n_iter_no_change=5, random_state=seed),
        "sigmoid": CalibratedClassifierCV(overfitted, cv=3, ensemble=False),
        "temperature": CalibratedClassifierCV(overfitted, method="temperature", cv=3, ensemble=False),
    }


# %%
# The calibration error is the mean distance of the curve below from the diagonal: sort the test names by their
# probability, cut them into eight groups of equal size, and compare in each the mean probability with the fraction of
# men's names. Everything is repeated on three random splits.


def calibration_error(y_true, proba, n_groups=8):
    groups = np.array_split(np.argsort(proba), n_groups)
    return np.mean([abs(y_true[group].mean() - proba[group].mean()) for group in groups])


fig, ax = plt.subplots(figsize=(5.6, 4.6), layout="constrained")
results = {}
for seed in range(3):
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=seed)
    for name, model in models(seed).items():
        proba = model.fit(X_train, y_train).predict_proba(X_test)[:, 1]
        values = (np.mean((proba > 0.5) == y_test), log_loss(y_test, proba), calibration_error(y_test, proba))
        results.setdefault(name, []).append(values)
        if seed == 0:
            CalibrationDisplay.from_predictions(y_test, proba, n_bins=8, strategy="quantile", name=name, ax=ax)
ax.set(xlabel="mean predicted probability", ylabel="fraction of men's names")
plt.show()

print(f"{'':16}accuracy  log loss  calibration error (min to max)")
for name, values in results.items():
    accuracy, loss, error = np.mean(values, axis=0)
    errors = [value[2] for value in values]
    print(f"{name:16}{accuracy:8.3f}  {loss:8.3f}  {error:17.3f} ({min(errors):.3f} to {max(errors):.3f})")

# %%
# The accuracies are close together, the probabilities are not. The overfitted network predicts 0.95 where 0.8 would be
# right. The sigmoid improves the log loss but not the calibration error: its curve is too rigid for this network, and
# no name gets a probability below 0.05, though hardly any of the names in the lowest groups are men's. The temperature
# is the right correction here, at the price of four fits. Early stopping gets nearly as far at the price of one.
