"""
==================================
Which module is a function from?
==================================

Tokens as input of a classifier: functions of Python's standard library, by what is written in them. Counts of words are
the baseline; a start at a model that has read all functions without their labels is tried, too.
"""

# %%
# A function is a list of its tokens; literals and comments are left out. Six modules are to be told apart.

import ast
import io
import tokenize

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skrnn import RNNNextTokenModel, RNNSequenceClassifier
from skrnn.datasets import load_stdlib_text

MODULES = ("argparse", "datetime", "inspect", "mailbox", "pathlib", "typing")
X, y = [], []
for name, text in zip(*(load_stdlib_text()[key] for key in ("module_names", "data")), strict=True):
    if name not in MODULES:
        continue
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    rows = np.array([token.start[0] for token in tokens])
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            first, last = np.searchsorted(rows, [node.lineno, node.end_lineno + 1])
            kept = [t.string for t in tokens[first:last] if t.type in (tokenize.NAME, tokenize.OP)]
            if 10 <= len(kept) <= 120:
                X.append(kept)
                y.append(name)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
print(len(X_train), "functions to learn from, such as", *X_train[0][:12], "...")

# %%
# Three ways to learn from few labels
# -----------------------------------
#
# Counts of words with logistic regression; the network; and the network that begins at the layers of a token model,
# which has read all functions to learn from, but no label (``init_from``).

language = RNNNextTokenModel(
    48, embedding_size=48, min_frequency=2, max_iter=15, batch_size=16, dtype="float32", random_state=0
).fit(X_train)


def network(X, y, init_from=None):
    model = RNNSequenceClassifier(
        48,
        pooling="mean",
        batch_size=16,
        max_iter=15,
        learning_rate="cosine",
        learning_rate_init=0.01,
        embedding_size="auto" if init_from else 48,
        min_frequency=None if init_from else 2,
        dtype="float32",
        random_state=0,
    )
    return model.fit(X, y, init_from=init_from)


WAYS = {
    "counts of words": lambda X, y: make_pipeline(
        CountVectorizer(analyzer=list), LogisticRegression(max_iter=1000)
    ).fit(X, y),
    "network": network,
    "network, begun at a token model": lambda X, y: network(X, y, language),
}
sizes = [30, 60, 120, 240, len(X_train)]
order = np.random.default_rng(0).permutation(len(X_train))
accuracy = {way: [] for way in WAYS}
for size in sizes:
    some = order[:size]
    for way, fit in WAYS.items():
        model = fit([X_train[i] for i in some], [y_train[i] for i in some])
        accuracy[way].append(model.score(X_test, y_test))
for way, values in accuracy.items():
    print(f"{way:32s}", *(f"{value:.2f}" for value in values))

# %%
fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for way, values in accuracy.items():
    ax.plot(sizes, values, marker="o", label=way)
ax.set(xscale="log", xlabel="functions with a label", ylabel="accuracy", xticks=sizes, xticklabels=sizes, ylim=(0, 1))
ax.minorticks_off()
ax.legend()
plt.show()

# %%
# Words alone say which module a function is from, and counting them is hard to beat where their order does not matter.
# Beginning at a token model gains nothing here: it knows what comes next in a function, and modules differ in their
# words. It is worth a try where the order says more, and texts without a label are plenty.
