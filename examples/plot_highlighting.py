"""
=================
Highlighting code
=================

A label for every character: is it part of a keyword, a name, a number, a string, an operator or a comment? The tagger
learns it from functions of Python's standard library that the tokenizer has labelled, and colours functions that it has
not seen.
"""

# %%
# The characters of a function are its tokens: a string is a sequence of its characters. Their labels come from
# :mod:`tokenize`.

import ast
import io
import keyword
import textwrap
import tokenize

import matplotlib.pyplot as plt
import numpy as np

from skrnn import RNNSequenceTagger
from skrnn.datasets import load_stdlib_text
from skrnn.metrics import span_f1_score

KINDS = {tokenize.NUMBER: "number", tokenize.STRING: "string", tokenize.OP: "operator", tokenize.COMMENT: "comment"}


def label(code):
    """The kind of each character of `code`."""
    lines = code.splitlines(keepends=True)
    begins = np.cumsum([0, *map(len, lines)])
    labels = np.full(len(code), "space", dtype="<U8")
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        first, last = (begins[row - 1] + column for row, column in (token.start, token.end))
        if token.type == tokenize.NAME:
            labels[first:last] = "keyword" if keyword.iskeyword(token.string) else "name"
        elif token.type in KINDS:
            labels[first:last] = KINDS[token.type]
    return labels


functions = []
for name, text in zip(*(load_stdlib_text()[key] for key in ("module_names", "data")), strict=True):
    if name in ("argparse", "ast", "bdb", "cgi", "cmd", "configparser", "csv", "difflib", "inspect", "pathlib"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.col_offset in (0, 4):
                functions.append(textwrap.dedent("\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])))

rng = np.random.default_rng(0)
chosen = [function for function in rng.permutation(functions).tolist() if 100 <= len(function) <= 500]
train, test = chosen[:240], chosen[240:320]
y_train, y_test = [label(code) for code in train], [label(code) for code in test]
print(len(train), "functions with", sum(map(len, train)), "characters to learn from")

# %%
# The network reads each function in both directions: whether a quote opens a string or closes one depends on what was
# before it, and the first letters of a keyword may begin a name.

model = RNNSequenceTagger(
    48,
    loss="log_loss",
    batch_size=8,
    max_iter=12,
    learning_rate="cosine",
    learning_rate_init=0.01,
    dtype="float32",
    random_state=0,
).fit(train, y_train)
predicted = model.predict(test)
print(f"accuracy of characters {model.score(test, y_test):.3f}")

# %%
# Accuracy over characters flatters a model that is right on spaces and in the middle of long words. Are whole tokens
# right? :func:`skrnn.metrics.span_f1_score` compares runs of labels; these need a first character that says so.


def spans(labels):
    """B- where a run begins, I- where it continues, O for spaces."""
    begins = np.append(True, labels[1:] != labels[:-1])
    return [
        "O" if kind == "space" else f"{'B' if is_first else 'I'}-{kind}"
        for kind, is_first in zip(labels, begins, strict=True)
    ]


print(f"F1 of whole tokens     {span_f1_score(list(map(spans, y_test)), list(map(spans, predicted))):.3f}")

# %%
# A function of the test, coloured as predicted; characters that are wrong are underlined in red.

COLOURS = {
    "keyword": "#8250df",
    "name": "#24292f",
    "number": "#0550ae",
    "string": "#0a7c42",
    "operator": "#953800",
    "comment": "#6e7781",
    "space": "#24292f",
}

i = int(np.argmax([len(set(labels)) * 100 - abs(len(labels) - 350) for labels in y_test]))
lines = test[i].splitlines()
fig, ax = plt.subplots(figsize=(8, 0.26 * len(lines) + 0.3))
ax.set(xlim=(0, max(80, *map(len, lines))), ylim=(len(lines), -0.5))
ax.axis("off")
place = 0
for row, line in enumerate(lines):
    for column, character in enumerate(line):
        kind, wanted = predicted[i][place + column], y_test[i][place + column]
        ax.text(column, row, character, color=COLOURS[kind], family="monospace", size=9, va="center", ha="center")
        if kind != wanted:
            ax.plot([column - 0.5, column + 0.5], [row + 0.4] * 2, color="#cf222e", linewidth=1.5)
    place += len(line) + 1
plt.show()
