"""
===================
Odd events in a log
===================

A log is a list of sequences of events. A model that was trained on normal ones is surprised by what is odd, and says
where.

A log that everyone has is Python's own standard library, with a logical line as a session and its tokens as events:
``if``, NAME, ``==``, NUMBER, ``:``. It is real, it is regular, and it is easy to break.
"""

# %%
# The log
# -------
#
# Names, numbers and strings are replaced by their kind, so that some 90 kinds of events remain.

import keyword

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import RocCurveDisplay, roc_auc_score

from skrnn import RNNNextTokenModel
from skrnn.datasets import load_stdlib_text


def kind_of(token):
    """An event: keywords and operators are themselves."""
    if token.isidentifier() and not keyword.iskeyword(token) and token not in ("NEWLINE", "INDENT", "DEDENT"):
        return "NAME"
    if token[0].isdigit():
        return "NUMBER"
    return "STRING" if token[-1] in "'\"" else token


def sessions_of(module):
    """The logical lines of a module, as lists of events."""
    lines = [[]]
    for token in map(kind_of, module):
        if token == "NEWLINE":
            lines.append([])
        elif token not in ("INDENT", "DEDENT"):
            lines[-1].append(token)
    return [line for line in lines if 4 <= len(line) <= 40]


rng = np.random.default_rng(0)
modules = load_stdlib_text(kind="tokens", max_size=200_000).data
sessions = [session for module in modules for session in sessions_of(module)]
order = rng.permutation(len(sessions))
train, test = ([sessions[i] for i in part] for part in (order[2000:10000], order[:2000]))
print(len(train), "sessions to learn from, such as\n", *train[0])

model = RNNNextTokenModel(hidden_size=48, max_iter=6, dtype="float32", random_state=0).fit(train)

# %%
# Two kinds of odd
# ----------------
#
# Half of the 2000 sessions that were held out are broken. Either two neighbouring events change places, or a closing
# bracket is of the wrong kind. The first shows at once. The second looks right to whoever has forgotten how it was
# opened.

WRONG = {")": "]", "]": ")"}


def swap(session):
    """Two neighbouring events change places: the broken session, and where."""
    t = rng.choice([t for t in range(len(session) - 1) if session[t] != session[t + 1]])
    return [*session[:t], session[t + 1], session[t], *session[t + 2 :]], t


def close_wrongly(session):
    """One closing bracket is of the wrong kind: the broken session, and where."""
    t = rng.choice([t for t, event in enumerate(session) if event in WRONG])
    return [*session[:t], WRONG[session[t]], *session[t + 1 :]], t


normal = test[1000:]
with_brackets = [session for session in test[:1000] if set(WRONG) & set(session)]
odd = {"swapped": [swap(session) for session in test[:1000]], "brackets": [close_wrongly(s) for s in with_brackets]}

# %%
# Three scores and a baseline
# ---------------------------
#
# The largest surprise, the mean, the sum; and how often the rarest *pair* of events was seen, which needs no network.

pairs = {}
for session in train:
    for pair in zip([None, *session], [*session, None], strict=True):
        pairs[pair] = pairs.get(pair, 0) + 1


def rarest_pair(session):
    return -min(pairs.get(pair, 0) for pair in zip([None, *session], [*session, None], strict=True))


def surprises_of(sessions):
    return [-log_proba for log_proba in model.token_log_proba(sessions)]


SCORES = {
    "largest surprise": lambda sessions: [s.max() for s in surprises_of(sessions)],
    "mean surprise": lambda sessions: [s.mean() for s in surprises_of(sessions)],
    "sum of surprises": lambda sessions: [s.sum() for s in surprises_of(sessions)],
    "rarest pair": lambda sessions: [rarest_pair(session) for session in sessions],
}
fig, axes = plt.subplots(1, 2, figsize=(9.5, 4.4), layout="constrained", sharey=True)
print(f"{'ROC AUC':18}{'swapped':>9}{'brackets':>9}")
for name, score in SCORES.items():
    areas = []
    for ax, (kind, broken) in zip(axes, odd.items(), strict=True):
        is_odd = np.r_[np.ones(len(broken)), np.zeros(len(normal))]
        values = score([session for session, _ in broken] + normal)
        areas.append(roc_auc_score(is_odd, values))
        RocCurveDisplay.from_predictions(is_odd, values, name=name, ax=ax)
        ax.set(xlabel="false alarms", ylabel="odd sessions found" if ax is axes[0] else None, title=kind)
        ax.legend(loc="lower right", fontsize=8)
    print(f"{name:18}{areas[0]:9.3f}{areas[1]:9.3f}")
plt.show()

# %%
# Swapped events make pairs that never come, and counting pairs is enough: no network needed. A wrong bracket makes
# ordinary pairs. Only a memory of what was opened tells, and counting pairs misses many. Where a single event is odd,
# the largest surprise is the score to take; the sum is misled by length.
#
# Where is it?
# ------------

surprises = surprises_of([session for session, _ in odd["brackets"]])
places = [t for _, t in odd["brackets"]]
hits = np.mean([s.argmax() == t for s, t in zip(surprises, places, strict=True)])
chance = np.mean([1 / len(s) for s in surprises])
print(f"the largest surprise is at the wrong bracket: {hits:.0%}, by chance {chance:.0%}")

example = next(i for i, s in enumerate(surprises) if 10 <= len(s) <= 16 and s.argmax() == places[i])
session = [*odd["brackets"][example][0], "end"]
fig, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
colors = ["tab:orange" if t == places[example] else "0.7" for t in range(len(session))]
ax.bar(range(len(session)), surprises[example], color=colors)
ax.set_xticks(range(len(session)), session, rotation=60, ha="right")
ax.set(ylabel="surprise (nats)", title="Orange: the wrong bracket")
plt.show()

# %%
# A threshold
# -----------
#
# Decide how many false alarms you can bear, and take that quantile of normal sessions that the model has not learned
# from.

threshold = np.quantile(SCORES["largest surprise"](normal[:500]), 0.95)
for kind, values in [(kind, SCORES["largest surprise"]([s for s, _ in broken])) for kind, broken in odd.items()]:
    print(f"{kind}: {np.mean(np.array(values) > threshold):.0%} found")
print(f"false alarms: {np.mean(np.array(SCORES['largest surprise'](normal[500:])) > threshold):.0%}")
