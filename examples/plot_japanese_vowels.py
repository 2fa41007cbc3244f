"""
========================================
Who is speaking? Nine voices, two vowels
========================================

Nine men say the Japanese vowels /ae/ one after the other. Each utterance is a sequence of 7 to 29 steps with 12 LPC
cepstrum coefficients, which describe the spectrum of a short part of the sound. The task is to recognize the speaker,
with 270 utterances for training and 370 for the test (Kudo, Toyama and Shimbo, 1999).
"""

# %%
# The data are a list with one array of shape (n_steps, 12) for each utterance.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNSequenceClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.inspection import TrainingCurveDisplay
from skrnn.preprocessing import SequenceScaler, SequenceSummarizer

X_train, y_train = load_japanese_vowels(subset="train", return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)

# %%
# A network of gated recurrent units (GRU) reads each utterance step by step, and the speaker is predicted from its
# last state.

model = make_pipeline(SequenceScaler(), RNNSequenceClassifier(cell="gru", random_state=0))
model.fit(X_train, y_train)
y_pred = model.predict(X_test)

print(f"\nGRU: accuracy {np.mean(y_pred == y_test):.3f} on {len(y_test)} utterances\n")
print(classification_report(y_test, y_pred, digits=3))

# %%
# How much did the order of the steps contribute? Six summary statistics for each coefficient (mean, standard deviation,
# minimum, maximum, first and last value) and the length contain hardly anything of it. Logistic regression on them is
# the baseline.

baseline = make_pipeline(SequenceSummarizer(), StandardScaler(), LogisticRegression(max_iter=1000))
baseline.fit(X_train, y_train)

print(f"Logistic regression on summary statistics: accuracy {baseline.score(X_test, y_test):.3f}")

# %%
# The baseline is as good because all utterances are the same two vowels: the speaker shows in the average spectrum, and
# the order of the steps adds little. :ref:`sphx_glr_auto_examples_plot_baselines.py` has data where it matters.

# %%
# The learning curve and the confusion matrix.

figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.8), layout="constrained")
TrainingCurveDisplay.from_estimator(model[-1], ax=left)
left.set(yscale="log", title="Learning curve")
display = ConfusionMatrixDisplay.from_predictions(y_test, y_pred, ax=right, cmap="Blues", colorbar=False)
for count in display.text_.flat:
    count.set_visible(count.get_text() != "0")
right.set(xlabel="predicted speaker", ylabel="true speaker")
right.set_title(f"{len(y_test)} test utterances, accuracy {np.mean(y_pred == y_test):.3f}")
plt.show()
