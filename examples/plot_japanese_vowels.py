"""
========================================
Who is speaking? Nine voices, two vowels
========================================

Nine men speak the Japanese vowels /ae/ in a row. Each utterance is a sequence of 7 to 29 steps of 12 LPC cepstrum
coefficients, and the task is to tell the speaker: 270 utterances to learn from, 370 to be judged on.
"""

# %%
# The data are a list of arrays, one for each utterance, of shape (n_steps, 12).

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn import RNNSequenceClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.preprocessing import SequenceScaler

X_train, y_train = load_japanese_vowels(subset="train", return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)

# %%
# A gated recurrent unit reads each utterance step by step, and its last state tells the speaker.

model = make_pipeline(SequenceScaler(), RNNSequenceClassifier(cell="gru", verbose=1, random_state=0))
model.fit(X_train, y_train)
y_pred = model.predict(X_test)

print(f"\nGRU: accuracy {np.mean(y_pred == y_test):.3f} on {len(y_test)} utterances\n")
print(classification_report(y_test, y_pred, digits=3))

# %%
# It is good practice to ask what the order of the steps was worth. Six summary statistics for each coefficient forget
# nearly all of it.


def summarize(sequences):
    """Mean, standard deviation, least, greatest, first and last value of each feature: (n_sequences, 6 n_features)."""
    return np.array([np.concatenate([x.mean(0), x.std(0), x.min(0), x.max(0), x[0], x[-1]]) for x in sequences])


baseline = make_pipeline(FunctionTransformer(summarize), StandardScaler(), LogisticRegression(max_iter=1000))
baseline.fit(X_train, y_train)

print(f"Logistic regression on summary statistics: accuracy {baseline.score(X_test, y_test):.3f}")
print(
    "It is so good because all utterances are one vowel pair spoken by nine people: the speaker shows in the mean\n"
    "spectrum, and the order of the steps adds little."
)

# %%
# The learning curve, and which speakers are mistaken for which.

try:
    import matplotlib.pyplot as plt
except ImportError:
    print("\nFor the plot, install matplotlib: pip install 'skrnn[plot]'")
else:
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.8), layout="constrained")
    loss_curve = model[-1].loss_curve_
    left.semilogy(range(1, len(loss_curve) + 1), loss_curve)
    left.set(xlabel="epoch", ylabel="training loss (nats)", title="Learning curve")
    left.grid(alpha=0.3)
    display = ConfusionMatrixDisplay.from_predictions(y_test, y_pred, ax=right, cmap="Blues", colorbar=False)
    for count in display.text_.flat:
        count.set_visible(count.get_text() != "0")
    right.set(xlabel="predicted speaker", ylabel="true speaker")
    right.set_title(f"{len(y_test)} test utterances, accuracy {np.mean(y_pred == y_test):.3f}")
    figure.savefig("japanese_vowels.png", dpi=120)
    print("\nThe plot is in japanese_vowels.png.")
