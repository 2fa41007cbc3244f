"""
==================
A text of your own
==================

A model of the next character, trained on one text file: how well does it predict the end of the file, what does it
write, and which characters surprise it?
"""

# %%
# Put the path of your own file here, and a beginning for the model to continue. So that the script runs everywhere, it
# reads a module of Python's standard library. The last tenth of the text is held out.

import sysconfig
from collections import Counter, defaultdict
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skrnn import RNNNextTokenModel
from skrnn.inspection import TokenSurpriseDisplay

path = Path(sysconfig.get_path("stdlib"), "argparse.py")
prompt = "    def "
text = path.read_text(encoding="utf-8")
n_train = int(0.9 * len(text))
train, test = text[:n_train], text[n_train:]
print(f"{len(train)} characters for training, {len(set(train))} distinct; {len(test)} for the test")

# %%
# ``fit`` takes a list of texts, here of one. (A file that does not fit into memory is read in parts, several times
# over: call ``partial_fit([part])`` for each, and pass all characters as ``vocabulary``.)

model = RNNNextTokenModel(96, max_iter=12, dtype="float32", random_state=0).fit([train])

# %%
# How good is it?
# ---------------
#
# The surprise at a character is minus the logarithm of its probability, in *nats*. Its mean over the held-out text is
# minus the score, and *e* to the power of it is the perplexity: a model of perplexity 3 is as uncertain as if it had to
# choose among 3 equally likely characters. The baseline counts what followed the last n - 1 characters, and falls back
# on shorter contexts (Witten and Bell, *The zero-frequency problem*, 1991, method C).


class Ngrams:
    """Counts of runs of n characters."""

    def __init__(self, n):
        self.n = n

    def fit(self, text):
        self.counts = defaultdict(Counter)
        for k in range(self.n):
            for t in range(k, len(text)):
                self.counts[text[t - k : t]][text[t]] += 1
        return self

    def proba(self, context, character):
        proba = 1 / (len(self.counts[""]) + 1)
        for k in range(min(len(context), self.n - 1) + 1):
            followers = self.counts.get(context[len(context) - k :])
            if followers is None:
                break
            total = sum(followers.values())
            proba = (followers[character] + len(followers) * proba) / (total + len(followers))
        return proba

    def score(self, text):
        return np.mean([np.log(self.proba(text[max(0, t - self.n + 1) : t], text[t])) for t in range(len(text))])


print(f"{'':10} nats  perplexity")
for n in (1, 2, 3, 5, 7):
    surprise = -Ngrams(n).fit(train).score(test)
    print(f"{n}-grams   {surprise:5.2f}  {np.exp(surprise):10.2f}")
print(f"network   {-model.score([test]):5.2f}  {model.perplexity([test]):10.2f}")

# %%
# The network is a little ahead of the best counts, those of five characters. Longer runs are too rare in one file for
# their counts to be of use.
#
# What does it write?
# -------------------
#
# The prompt is continued. At a lower ``temperature`` likely characters become more likely.

for temperature in (0.5, 1.0):
    print(f"--- temperature {temperature}")
    print(model.generate(prompt, max_new_tokens=300, temperature=temperature, random_state=0))

# %%
# What surprises it?
# ------------------
#
# The last lines of the file, which are held out.

excerpt = "".join(text.splitlines(keepends=True)[-12:])
display = TokenSurpriseDisplay.from_estimator(model, excerpt)
plt.show()
