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
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import RocCurveDisplay, roc_auc_score
from sklearn.model_selection import train_test_split

from skrnn import END, RNNNextTokenModel, RNNSequenceAnomalyDetector
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
# A detector
# ----------
#
# The detector trains a model of the next event, here on four fifths of the sessions. The rest, which the model has not
# seen, sets a threshold that 5 % of normal sessions miss. One anomalous event makes a session anomalous, so the score
# is that of the most surprising event, the maximum.

model = RNNNextTokenModel(max_iter=12, dtype="float32")
detector = RNNSequenceAnomalyDetector(model, aggregation="max", random_state=0).fit(train)
print(f"threshold: a log-probability of {detector.offset_:.2f}")
for name, sessions in groups.items():
    print(f"{name:9}{np.mean(detector.predict(sessions) == -1):4.0%} below the threshold")

# %%
# The test sessions are of other modules, which may have other habits. Where that is to be expected, set the threshold
# on sessions of such modules. The model is not trained again:

frozen = FrozenEstimator(detector.estimator_)
calibrated = RNNSequenceAnomalyDetector(frozen, aggregation="max").fit(validation)
print(f"threshold: {calibrated.offset_:.2f}")
for name, sessions in groups.items():
    print(f"{name:9}{np.mean(calibrated.predict(sessions) == -1):4.0%} below the threshold")

# %%
# Where is the anomaly?
# ---------------------
#
# ``locate`` returns the most surprising event of each session, and what was expected in its place. A session of n
# events has n + 1 surprises: the last one is that of ``END``, which is surprising where a session stops too early.

positions = [t for _, t in wrong_brackets]
located = detector.locate(groups["brackets"])
hits = np.mean([event.position == t for event, t in zip(located, positions, strict=True)])
chance = np.mean([1 / (len(session) + 1) for session in groups["brackets"]])
print(f"The most surprising event is the wrong bracket in {hits:.0%} of the sessions; by chance in {chance:.0%}.")

chosen = next(
    i
    for i, session in enumerate(groups["brackets"])
    if 10 <= len(session) <= 15 and located[i].position == positions[i]
)
print(f"observed {located[chosen].observed}, expected {located[chosen].expected}")
events = ["END" if event is END else event for event in (*groups["brackets"][chosen], END)]
fig, ax = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
colors = ["tab:orange" if t == positions[chosen] else "0.7" for t in range(len(events))]
ax.bar(range(len(events)), -detector.estimator_.token_log_proba([groups["brackets"][chosen]])[0], color=colors)
ax.set_xticks(range(len(events)), events, rotation=60, ha="right")
ax.axhline(-calibrated.offset_, color="0.3", ls="--", lw=1)
ax.text(-0.4, -calibrated.offset_ + 0.15, "threshold")
ax.set(ylabel="surprise (nats)", title="Orange: the wrong bracket")
plt.show()

# %%
# While they run
# --------------
#
# An alarm should not wait for the end of a session. A stream of the token model takes the next event of each of many
# sessions, told apart by keys, and returns their surprises. Where the maximum is the score, a session is abnormal as
# soon as one event is below the threshold. Here three sessions with a wrong bracket begin at a time.

arriving = [(i // 3, [*session, END]) for i, session in enumerate(groups["brackets"])]
stream, alarms, most = detector.estimator_.start(), {}, 0
for now in range(max(begin + len(events) for begin, events in arriving)):
    step = {i: events[now - begin] for i, (begin, events) in enumerate(arriving) if 0 <= now - begin < len(events)}
    most = max(most, len(step))
    for i, surprise in stream.update(step).items():
        if -surprise < calibrated.offset_:
            alarms.setdefault(i, now - arriving[i][0])

n_abnormal = np.count_nonzero(calibrated.predict(groups["brackets"]) == -1)
delays = np.array([position - positions[i] for i, position in alarms.items()])
print(f"Up to {most} sessions at a time; {len(alarms)} alarms, where predict finds {n_abnormal} sessions abnormal.")
sooner, at, later = (np.mean(np.sign(delays) == sign) for sign in (-1, 0, 1))
print(f"{at:.0%} of the alarms come at the wrong bracket, {sooner:.0%} sooner, {later:.0%} later.")

# %%
# Scores and baselines
# --------------------
#
# The surprises of a session can be summarized by their maximum, mean or sum, or by the worst rank of an event among all
# that could have come. Three baselines need no network: whether the session occurs in training at all, and how often
# its rarest pair or triple of consecutive events does. (Means of five seeds are in
# :doc:`/user_guide/performance`.)


def ngrams(session, n):
    padded = [None] * (n - 1) + [*session, None]
    return list(zip(*(padded[k:] for k in range(n)), strict=False))


def rarity(n):
    """Return, for each session, the training frequency of its rarest n consecutive events."""
    counts = Counter(ngram for session in train for ngram in ngrams(session, n))
    return lambda sessions: [min(counts[ngram] for ngram in ngrams(session, n)) for session in sessions]


def scores_of(score):
    """Return the surprise of each session, by group."""
    return {name: -np.array(score(sessions), dtype=float) for name, sessions in groups.items()}


SCORES = {
    "not seen in training": scores_of(lambda sessions: [session in seen for session in sessions]),
    "rarest pair": scores_of(rarity(2)),
    "rarest triple": scores_of(rarity(3)),
}
for aggregation in ("sum", "mean", "rank", "max"):
    scoring = RNNSequenceAnomalyDetector(frozen, aggregation=aggregation).fit(validation)
    SCORES[f'aggregation="{aggregation}"'] = scores_of(scoring.score_samples)


def with_labels(score, kind, which=slice(None)):
    """Return which sessions are abnormal, and the surprises: of one kind, and of some normal sessions."""
    values = np.r_[score[kind], score["normal"][which]]
    return np.arange(len(values)) < len(score[kind]), values


def print_areas(which):
    """Print the area under the ROC curve."""
    print(f"{'ROC AUC':22}swapped  brackets")
    for name, score in SCORES.items():
        swapped, brackets = (roc_auc_score(*with_labels(score, kind, which)) for kind in ("swapped", "brackets"))
        print(f"{name:22}{swapped:7.3f}  {brackets:8.3f}")


print_areas(slice(None))

# %%
# Against normal sessions that occur nowhere in training, which is what a detector meets in practice as soon as the
# software changes:

print_areas(np.array([session not in seen for session in normal]))

# %%
# Swapped events make pairs that never occur, and counting pairs is the best score there: no network is needed. A wrong
# bracket makes ordinary pairs, and here the maximum surprise of the network is far ahead. Where one event is anomalous
# the maximum is the score to take; the sum grows with the length of the session. "Not seen in training" is a strong
# baseline wherever normal sessions repeat themselves, and worth nothing where they do not.

fig, axes = plt.subplots(1, 2, figsize=(6.4, 4.6), layout="constrained", sharey=True)
for ax, kind in zip(axes, ("swapped", "brackets"), strict=True):
    for name, score in SCORES.items():
        RocCurveDisplay.from_predictions(*with_labels(score, kind), name=name, ax=ax)
    ax.get_legend().remove()
    ax.set(xlabel="false positive rate", ylabel="", title=kind)
axes[0].set_ylabel("true positive rate")
fig.legend(ax.lines, SCORES, loc="outside lower center", ncols=2)
plt.show()
