"""
=======================
Why was this predicted?
=======================

Which steps of a sequence, and which of its features or letters, made a network decide as it did? Attributions share out
a prediction over its input. Here a network recognises a speaker by one vowel, and another one tells names of women from
those of men.
"""

# %%
# A speaker
# ---------
#
# The data are those of :doc:`plot_japanese_vowels`: nine speakers, utterances of 7 to 29 steps, 12 features of a step.
# This is the network, unrolled over time.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from skrnn import RNNNextTokenModel, RNNSequenceClassifier
from skrnn.datasets import load_japanese_vowels, load_names
from skrnn.inspection import (
    AttributionDisplay,
    ClassProbabilityDisplay,
    HiddenStatesDisplay,
    NetworkDisplay,
    TokenSurpriseDisplay,
    attribute,
)
from skrnn.preprocessing import SequenceScaler

X, y = load_japanese_vowels(return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
model = make_pipeline(SequenceScaler(), RNNSequenceClassifier(random_state=0)).fit(X, y)
print(f"accuracy {model.score(X_test, y_test):.3f}")
NetworkDisplay.from_estimator(model)
plt.show()

# %%
# An utterance of the test set, and what the network would have predicted after each of its steps: it reads from the
# first step on, so its opinion can be followed.

i = 42
print(f"utterance {i}, of speaker {y_test[i]}, predicted: {model.predict(X_test[i : i + 1])[0]}")
ClassProbabilityDisplay.from_estimator(model, X_test[i])
plt.show()

# %%
# What speaks for this speaker, and what against? Integrated gradients follow the prediction from a baseline to the
# utterance. The baseline is zero for every feature, which after scaling is the mean of all utterances.

AttributionDisplay.from_estimator(model, X_test[i])
plt.show()

# %%
# They add up: all contributions together are the log-odds of the predicted speaker, minus those that the baseline has.


def log_odds(sequences, label):
    """Of sequences that are scaled already."""
    log_proba = model[-1].predict_log_proba(sequences)[:, model.classes_ == label][:, 0]
    return log_proba - np.log1p(-np.exp(log_proba))


(contributions,) = attribute(model, [X_test[i]])
scaled = model[:-1].transform([X_test[i]])
predicted = model.predict([X_test[i]])[0]
difference = log_odds(scaled, predicted) - log_odds([np.zeros_like(scaled[0])], predicted)
print(f"sum of the contributions {contributions.sum():.3f}, difference of the log-odds {difference[0]:.3f}")

# %%
# Are they right?
# ---------------
#
# A contribution is a claim: without it, the prediction would have been another. So take numbers of each utterance away,
# by setting them to the baseline: those with the largest contributions, or as many at random. The former should cost
# more. A hundred utterances of the test set, and their probabilities where a tenth of the numbers is taken away:

chosen = np.random.default_rng(0).permutation(len(X_test))[:100]
utterances = [X_test[k] for k in chosen]
labels = model.predict(utterances)
scaled = model[:-1].transform(utterances)


def without(share, scores):
    """Mean probability of the predicted speakers without a share of the numbers: those of the largest scores."""
    changed = [x.copy() for x in scaled]
    for x, score in zip(changed, scores, strict=True):
        x.flat[np.argsort(-score, axis=None)[: round(share * x.size)]] = 0
    proba = model[-1].predict_proba(changed)
    return proba[np.arange(len(labels)), np.searchsorted(model.classes_, labels)].mean()


rng = np.random.default_rng(0)
methods = {
    "at random": [rng.random(x.shape) for x in scaled],
    "gradient times input": attribute(model, utterances, method="gradient_x_input", target=labels),
    "integrated gradients": attribute(model, utterances, target=labels),
    "occlusion": attribute(model, utterances, method="occlusion", target=labels),
}
shares = np.linspace(0, 0.2, 5)
fig, ax = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
for (name, scores), color in zip(methods.items(), ["0.5", "#e69f00", "#d55e00", "#0072b2"], strict=True):
    curve = [without(share, scores) for share in shares]
    print(f"{name:20} {curve[2]:.2f}")
    ax.plot(100 * shares, curve, "o-", label=name, color=color, markersize=4)
ax.set(xlabel="% of the numbers taken away", ylabel="probability of the\npredicted speaker")
ax.set(xticks=100 * shares, ylim=(0, 1.02))
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# A name
# ------
#
# Letters are tokens: a contribution is that of a letter at its place. The classifier learns from names that only women
# bear, or only men.

female, male = (set(load_names(subset=subset).data) for subset in ("female", "male"))
names = sorted(female ^ male)
genders = ["female" if name in female else "male" for name in names]
classifier = RNNSequenceClassifier(48, class_weight="balanced", max_iter=30, learning_rate="cosine", random_state=0)
classifier.fit(names, genders)

for name in ("christina", "christian"):
    display = AttributionDisplay.from_estimator(classifier, name, target="female")
    display.ax_.set_title(f"{name}: {classifier.predict([name])[0]}", size=10)
plt.show()

# %%
# The units of the network while it reads: those that behave alike stand side by side.

HiddenStatesDisplay.from_estimator(classifier, "christina")
plt.show()

# %%
# A model of the next letter has an opinion of every letter: how surprising is it, after those before?

language = RNNNextTokenModel(96, alpha=3, dtype="float32", max_iter=5, random_state=0).fit(names)
TokenSurpriseDisplay.from_estimator(language, "christinxa")
plt.show()
