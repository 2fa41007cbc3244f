"""
==========
Few labels
==========

Is a first name a woman's or a man's? Names are plenty, but suppose that only a few of them have a label. A token model
first reads all names without any label, and the classifier begins at its layers. How many labels does that save?
"""

# %%
# Names that both women and men bear are left out of the labelled ones. Half of the test names are women's, half men's,
# so chance is 0.5.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrnn import RNNNextTokenModel, RNNSequenceClassifier
from skrnn.datasets import load_names

N_TEST = 250  # of women, and of men
women, men = (set(load_names(subset=subset).data) for subset in ("female", "male"))
rng = np.random.default_rng(0)
women, men = rng.permutation(sorted(women - men)), rng.permutation(sorted(men - women))
X_test = [*women[:N_TEST].tolist(), *men[:N_TEST].tolist()]
y_test = np.repeat(["woman", "man"], N_TEST)
women, men = women[N_TEST:], men[N_TEST:]

# %%
# A model of names
# ----------------
#
# It learns which letter comes next, in all names but those of the test.

without_labels = sorted(set(load_names().data) - set(X_test))
language = RNNNextTokenModel(48, alpha=1, max_iter=8, dtype="float32", random_state=0).fit(without_labels)
print(f"{len(without_labels)} names read, such as {', '.join(without_labels[:4])}")
print("and of its own:", ", ".join(language.generate(n_sequences=5, max_new_tokens=10, random_state=0)))

# %%
# Four ways to learn from a few
# -----------------------------
#
# Counts of letters, which know nothing of their order, and counts of runs of one to three letters, both with logistic
# regression; the network from random weights; and the same network with ``init_from``, which takes over the vectors of
# the letters and the layer. Only the output layer then begins at random.


def network(X, y, init_from=None):
    model = RNNSequenceClassifier(
        48,
        embedding_size="auto" if init_from else 48,
        batch_size=16,
        max_iter=20,
        learning_rate="cosine",
        learning_rate_init=0.01,
        dtype="float32",
        random_state=0,
    )
    return model.fit(X, y, init_from=init_from)


def counts(longest):
    letters = CountVectorizer(analyzer="char_wb", ngram_range=(1, longest))  # with a blank before and after the name
    return lambda X, y: make_pipeline(letters, LogisticRegression(max_iter=1000)).fit(X, y)


WAYS = {
    "begun at the token model": lambda X, y: network(X, y, language),
    "network from scratch": network,
    "runs of letters": counts(3),
    "letters": counts(1),
}

# %%
# With so few labels it matters which names have them. Every number of labels is drawn four times.

SIZES, N_DRAWS = (20, 40, 80, 160, 320), 4
accuracy = {way: np.zeros((len(SIZES), N_DRAWS)) for way in WAYS}
for i, size in enumerate(SIZES):
    y = np.repeat(["woman", "man"], size // 2)
    for draw in range(N_DRAWS):
        rng = np.random.default_rng(draw)
        X = [name for names in (women, men) for name in rng.choice(names, size // 2, replace=False).tolist()]
        for way, fit in WAYS.items():
            accuracy[way][i, draw] = fit(X, y).score(X_test, y_test)

print(f"{'labels':24}", *(f"{size:5}" for size in SIZES))
for way, values in accuracy.items():
    print(f"{way:24}", *(f"{mean:5.2f}" for mean in values.mean(axis=1)))

# %%
# Lines are means, bands the standard deviations over the draws.

COLORS = dict(zip(WAYS, ("tab:orange", "tab:blue", "tab:green", "0.5"), strict=True))
fig, ax = plt.subplots(figsize=(5.6, 4.2), layout="constrained")
for way, values in accuracy.items():
    mean, std = values.mean(axis=1), values.std(axis=1)
    ax.plot(SIZES, mean, "o-", color=COLORS[way], label=way)
    if way != "letters":
        ax.fill_between(SIZES, mean - std, mean + std, color=COLORS[way], alpha=0.15, linewidth=0)
ax.set(xscale="log", xlabel="names with a label", ylabel="accuracy", ylim=(0.5, 0.87))
ax.set_xticks(SIZES, SIZES)
ax.minorticks_off()
ax.spines[["top", "right"]].set_visible(False)
ax.legend(loc="upper left", frameon=False)
plt.show()

# %%
# At 40 and 80 labels the token model is worth most: it saves a third to a half of them. With 160 little is left of
# that, and counts of runs of letters, which take no time, are as good. Letters alone fall behind: their order tells,
# above all at the end of a name. Where words alone decide,
# :ref:`there is nothing to gain <sphx_glr_auto_examples_plot_functions.py>`.
