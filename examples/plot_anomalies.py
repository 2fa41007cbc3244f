r"""
=========================
Finding anomalies in logs
=========================

A log is a list of sequences of events. A model trained on normal sessions assigns each event a probability. An event
with a low probability has a high *surprise*, :math:`-\log p`, and the surprises show which session is anomalous and
where.

As a log that every reader has, we take the sources of Python's standard library: a logical line of code is a session
and its tokens are the events, such as ``if``, NAME, ``==``, NUMBER, ``:``. The data are real and regular, and anomalies
with a known position can be made by breaking a line.
"""

# %%
# The log
# -------
#
# Names, numbers and strings are replaced by their type, so that about 90 types of events remain.
#
# Two precautions keep the evaluation fair. Modules are split, not lines: lines of one module resemble each other. And
# each distinct session counts once, in training and in the test: short lines such as ``NAME = NAME`` are repeated
# thousands of times, and a test on repeated sessions measures how well they were memorized.

import keyword
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import RocCurveDisplay, roc_auc_score
from sklearn.model_selection import train_test_split

from skrnn import END, RNNNextTokenModel
from skrnn.datasets import load_stdlib_text


def type_of(token):
    """Return the event: keywords and operators stand for themselves."""
    if token.isidentifier() and not keyword.iskeyword(token) and token not in ("NEWLINE", "INDENT", "DEDENT"):
        return "NAME"
    if token[0].isdigit():
        return "NUMBER"
    return "STRING" if token[-1] in "'\"" else token


def distinct_sessions(modules):
    """Return the distinct logical lines of some modules, as tuples of events."""
    sessions, line = {}, []
    for module in modules:
        for event in map(type_of, module):
            if event == "NEWLINE":
                if 4 <= len(line) <= 40:
                    sessions[tuple(line)] = None
                line = []
            elif event not in ("INDENT", "DEDENT"):
                line.append(event)
    return list(sessions)


modules = load_stdlib_text(kind="tokens", max_size=400_000).data
train_modules, other_modules = train_test_split(modules, test_size=0.4, random_state=0)
validation_modules, test_modules = train_test_split(other_modules, test_size=0.5, random_state=0)
train, validation, test = map(distinct_sessions, (train_modules, validation_modules, test_modules))
seen = set(train)
print(f"{len(train)} sessions for training, such as\n  {' '.join(train[2])}")
print(f"{len(test)} for the test, {np.mean([session in seen for session in test]):.0%} of which also occur in training")

# %%
# Two types of anomalies
# ----------------------
#
# One half of the test sessions stays normal. The sessions of the other half are broken in two ways: two neighbouring
# events are swapped, or a closing bracket is replaced by one of the wrong type. A wrong bracket can only be recognized
# by a model that remembers which bracket was opened. (A few broken lines are valid code by chance. They limit every
# score alike.)

WRONG = {")": "]", "]": ")"}
rng = np.random.default_rng(0)


def swap(session):
    """Swap two neighbouring events; return the broken session and the position."""
    t = rng.choice([t for t in range(len(session) - 1) if session[t] != session[t + 1]])
    return (*session[:t], session[t + 1], session[t], *session[t + 2 :]), t


def close_wrongly(session):
    """Replace one closing bracket; return the broken session and the position."""
    t = rng.choice([t for t, event in enumerate(session) if event in WRONG])
    return (*session[:t], WRONG[session[t]], *session[t + 1 :]), t


normal, to_break = train_test_split(test, test_size=0.5, random_state=0)
swapped = [swap(session) for session in to_break if len(set(session)) > 1]
wrong_brackets = [close_wrongly(session) for session in to_break if set(WRONG) & set(session)]
groups = {
    "normal": normal,
    "swapped": [session for session, _ in swapped],
    "brackets": [session for session, _ in wrong_brackets],
}
print(*(f"{len(sessions)} {name}" for name, sessions in groups.items()), sep=", ")

# %%
# Scores and baselines
# --------------------
#
# The surprises of a session can be summarized by their maximum, mean or sum. Three baselines need no network: whether
# the session occurs in training at all, and how often its rarest pair or triple of consecutive events does. Three
# networks are trained, with different seeds.

networks = [RNNNextTokenModel(max_iter=12, dtype="float32", random_state=seed).fit(train) for seed in range(3)]
surprises = [
    {name: [-log_proba for log_proba in network.token_log_proba(sessions)] for name, sessions in groups.items()}
    for network in networks
]


def ngrams(session, n):
    padded = [None] * (n - 1) + [*session, None]
    return list(zip(*(padded[k:] for k in range(n)), strict=False))


def rarity(n):
    """Return, for each session, minus the training frequency of its rarest n consecutive events."""
    counts = Counter(ngram for session in train for ngram in ngrams(session, n))
    return lambda session: -min(counts[ngram] for ngram in ngrams(session, n))


def scored(function, of=groups):
    return {name: np.array([function(item) for item in items]) for name, items in of.items()}


SCORES = {  # one set of values for a baseline, one for each network
    "not seen in training": [scored(lambda session: session not in seen)],
    "rarest pair": [scored(rarity(2))],
    "rarest triple": [scored(rarity(3))],
    "sum of surprises": [scored(np.sum, of=values) for values in surprises],
    "mean surprise": [scored(np.mean, of=values) for values in surprises],
    "maximum surprise": [scored(np.max, of=values) for values in surprises],
}


def print_areas(which):
    """Print the area under the ROC curve, in parentheses the minimum and maximum over the networks."""
    print(f"{'ROC AUC':22}{'swapped':24}brackets")
    for name, scores in SCORES.items():
        cells = ""
        for kind in ("swapped", "brackets"):
            areas = []
            for score in scores:
                values = np.r_[score[kind], score["normal"][which]]
                areas.append(roc_auc_score(np.arange(len(values)) < len(score[kind]), values))
            spread = f" ({min(areas):.3f} to {max(areas):.3f})" if len(areas) > 1 else ""
            cells += f"{np.mean(areas):.3f}{spread}".ljust(24)
        print(f"{name:22}{cells}".rstrip())


print_areas(np.ones(len(normal), dtype=bool))

# %%
# Against normal sessions that occur nowhere in training, which is what a detector meets in practice as soon as the
# software changes:

print_areas(np.array([session not in seen for session in normal]))

# %%
# Swapped events make pairs that never occur, and counting pairs is the best score there: no network is needed. A wrong
# bracket makes ordinary pairs, and here the maximum surprise of the network is far ahead. Where one event is anomalous
# the maximum is the score to take; the sum grows with the length of the session. "Not seen in training" is a strong
# baseline wherever normal sessions repeat themselves, and worth nothing where they do not.

fig, axes = plt.subplots(1, 2, figsize=(9.5, 4.4), layout="constrained", sharey=True)
for ax, kind in zip(axes, ("swapped", "brackets"), strict=True):
    for name, (score, *_) in SCORES.items():
        values = np.r_[score[kind], score["normal"]]
        RocCurveDisplay.from_predictions(np.arange(len(values)) < len(score[kind]), values, name=name, ax=ax)
    ax.set(xlabel="false positive rate", ylabel="true positive rate", title=kind)
    ax.legend(loc="lower right", fontsize=8)
plt.show()

# %%
# Where is the anomaly?
# ---------------------
#
# A session of n events has n + 1 surprises: the last one is that of ``END``, which is surprising where a session stops
# too early. So append ``END`` to the session before indexing it with the position of the maximum.

positions = [t for _, t in wrong_brackets]
of_brackets = surprises[0]["brackets"]
hits = np.mean([s.argmax() == t for s, t in zip(of_brackets, positions, strict=True)])
chance = np.mean([1 / len(s) for s in of_brackets])
print(f"The maximum surprise is at the wrong bracket in {hits:.0%} of the sessions; by chance in {chance:.0%}.")

chosen = next(i for i, s in enumerate(of_brackets) if 10 <= len(s) <= 16 and s.argmax() == positions[i])
events = ["END" if event is END else event for event in (*groups["brackets"][chosen], END)]
# sphinx_gallery_thumbnail_number = 2
fig, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
colors = ["tab:orange" if t == positions[chosen] else "0.7" for t in range(len(events))]
ax.bar(range(len(events)), of_brackets[chosen], color=colors)
ax.set_xticks(range(len(events)), events, rotation=60, ha="right")
ax.set(ylabel="surprise (nats)", title="Orange: the wrong bracket")
plt.show()

# %%
# A threshold
# -----------
#
# Decide on a rate of false alarms, here 5 %, and take that quantile of the scores of normal sessions. They must come
# from modules of their own: sessions of the training modules have lower scores, and with the test sessions the rate
# would be met by construction.

threshold = np.quantile([-log_proba.min() for log_proba in networks[0].token_log_proba(validation)], 0.95)
for name, values in SCORES["maximum surprise"][0].items():
    print(f"{name:9}{np.mean(values > threshold):4.0%} above the threshold")

# %%
# Of the normal test sessions somewhat more or less than 5 % are above the threshold: other modules have other habits.
