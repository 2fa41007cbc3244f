"""
====================
Generating new names
====================

A model of the next letter, trained on 5163 first names. It assigns a probability to every sequence of letters, which
separates names from other words, and new names can be sampled from it.
"""

# %%
# The names are included in skrnn. A tenth is held out.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from skrnn import END, RNNNextTokenModel
from skrnn.datasets import load_names

names = load_names().data
train, test = train_test_split(names, test_size=0.1, random_state=0)
print(len(train), "names for training, such as", ", ".join(train[:5]))

model = RNNNextTokenModel(hidden_size=96, alpha=3, dtype="float32", random_state=0).fit(train)

# %%
# How good is it?
# ---------------
#
# A model of perplexity 8 is as uncertain about the next letter as if it had to choose among 8 equally likely ones.
# It is measured on the held-out names. Two baselines: all 27 outcomes (26 letters and the end) are equally likely; and
# the frequencies of pairs of letters in the training names.


class Bigram:
    """Count pairs of letters and add one to each count; beginning and end are written as dots."""

    def fit(self, names):
        self.counts = {}
        for name in names:
            for pair in zip("." + name, name + ".", strict=True):
                self.counts[pair] = self.counts.get(pair, 0) + 1
        self.totals = {}
        for (first, _), count in self.counts.items():
            self.totals[first] = self.totals.get(first, 0) + count
        return self

    def perplexity(self, names):
        pairs = [pair for name in names for pair in zip("." + name, name + ".", strict=True)]
        proba = [(self.counts.get(pair, 0) + 1) / (self.totals[pair[0]] + 27) for pair in pairs]
        return np.exp(-np.mean(np.log(proba)))


print("equally likely   27.0")
print(f"pairs of letters {Bigram().fit(train).perplexity(test):4.1f}")
print(f"the network      {model.perplexity(test):4.1f}")

# %%
# Which of these is a name?
# -------------------------
#
# ``score_samples`` gives the log-likelihood of each word. It decreases with the length, so divide it by the number of
# letters (plus one for the end).

words = ["maria", "jennifer", "zoltan", "keyboard", "qwerty", "aaaaaa", "xqzjk"]
per_letter = [score / (len(word) + 1) for word, score in zip(words, model.score_samples(words), strict=True)]
for score, word in sorted(zip(per_letter, words, strict=True), reverse=True):
    print(f"{score:6.2f}  {word}")

# %%
# New names
# ---------
#
# Sampled from the predicted distribution. Samples that occur in the data are left out.

known = set(names)
for temperature in (0.5, 1.0, 1.5):
    samples = model.generate(n_sequences=40, max_new_tokens=12, temperature=temperature, random_state=1)
    new = [name for name in dict.fromkeys(samples) if name not in known]
    print(f"temperature {temperature}: {len(new):2} of 40 are new: {', '.join(new[:8])}")

# %%
# A temperature below 1 concentrates the samples on the likely names; above 1 they become more diverse and less
# plausible. Prompts are continued, and a beam search looks for the likeliest continuations:

print(model.generate(["chr", "mar", "el"], n_sequences=3, max_new_tokens=10, num_beams=8))

# %%
# What it predicts
# ----------------
#
# One row for each step of *christina*: the probability of each letter being the next one.

name = "christina"
proba = model.predict_proba([name[:t] for t in range(len(name) + 1)])[:, :27]
fig, ax = plt.subplots(figsize=(8.5, 3.6), layout="constrained")
image = ax.imshow(proba, cmap="Blues", aspect="auto", vmin=0, vmax=1)
columns = ["end" if token is END else token for token in model.column_tokens_[:27]]
ax.set(xticks=range(27), xticklabels=columns, yticks=range(len(name) + 1), xlabel="next letter")
ax.set_yticklabels([f"after {name[:t] or 'nothing'}" for t in range(len(name) + 1)])
for t, letter in enumerate([*name, "end"]):
    ax.plot(columns.index(letter), t, "o", color="tab:orange", markersize=4)
fig.colorbar(image, label="probability")
ax.set_title("Orange: the letter that follows", size=10)
plt.show()
