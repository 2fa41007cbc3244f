"""Which sequences are abnormal? Detectors beside counts, n-grams, summary statistics and linear forecasts, five seeds.

Measured: area under the ROC curve and average precision, where abnormal sequences are the ones to find, mean over five
seeds of the networks and forests; and the share of normal test sequences that `predict` calls abnormal, 5 % by
intention. All train on normal sequences only. No sequence of the test part, normal or abnormal, is in the training
part, and none is there twice.

- code: logical lines of the standard library's modules as sessions of some 90 kinds of tokens; a third of the modules
  is for the test. Two neighbouring tokens are swapped, or a closing bracket is of the wrong kind.
- sessions: a user opens, reads, writes, saves and closes five kinds of documents, one within the other: what is opened
  last is closed first, and what was written is saved before (`make_session`). A document of another kind is closed, or
  it is not saved, or two neighbouring events are swapped.
- speakers: JapaneseVowels (Kudo, Toyama and Shimbo 1999, CC BY 4.0), the 30 training utterances of one speaker as
  normal ones, and the test utterances of all nine; the mean over the nine speakers.
- sensors: JapaneseVowels, all 270 training utterances; in half of the 370 test utterances one of the 12 coefficients
  keeps its value for a third of the steps, as a sensor that is stuck.

    python benchmarks/anomalies.py
"""

import keyword
import platform
import warnings
from pathlib import Path

import numpy as np
import sklearn
from ngram import NGram
from sklearn.covariance import LedoitWolf
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn import RNNNextTokenModel, RNNSequenceAnomalyDetector, RNNSequenceRegressor, __version__
from skrnn.datasets import load_japanese_vowels, load_stdlib_text
from skrnn.preprocessing import SequenceScaler

SEEDS = range(5)
TOKENS = RNNNextTokenModel(max_iter=12, dtype="float32")
NUMBERS = RNNSequenceRegressor(loss="gaussian", early_stopping=True)


# Data: what trains, normal and abnormal test sequences


def kind_of(token):
    """Keywords and operators stand for themselves."""
    if token.isidentifier() and not keyword.iskeyword(token):
        return "NAME"
    return "NUMBER" if token[0].isdigit() else "STRING" if token[-1] in "'\"" else token


def lines_of(modules):
    """Distinct logical lines of 4 to 40 tokens."""
    lines, line = {}, []
    for token in (token for module in modules for token in module):
        if token == "NEWLINE":
            if 4 <= len(line) <= 40:
                lines[tuple(line)] = None
            line = []
        elif token not in ("INDENT", "DEDENT"):
            line.append(kind_of(token))
    return list(lines)


def swap(session, rng):
    """Swap two neighbouring events that differ."""
    t = rng.choice([t for t in range(len(session) - 1) if session[t] != session[t + 1]])
    return (*session[:t], session[t + 1], session[t], *session[t + 2 :])


def replace_one(session, others, rng):
    """Replace one of the events that are in `others` by another one there."""
    t = rng.choice([t for t, event in enumerate(session) if event in others])
    others = [event for event in others if event != session[t]]
    return (*session[:t], others[rng.integers(len(others))], *session[t + 1 :])


def code(spoil, is_spoilable):
    modules = load_stdlib_text(kind="tokens", max_size=400_000).data
    train, test = map(lines_of, train_test_split(modules, test_size=1 / 3, random_state=0))
    return split_and_spoil(train, test, spoil, is_spoilable)


def make_session(rng):
    events = ["login"]

    def work(depth):
        document = "ABCDE"[rng.integers(5)]
        events.append(f"open {document}")
        is_changed = False
        for _ in range(rng.integers(1, 4)):
            if depth < 3 and rng.random() < 0.3:
                work(depth + 1)
            action = ("read", "write")[rng.integers(2)]
            is_changed |= action == "write"
            events.append(action)
        events.extend(["save"] * is_changed + [f"close {document}"])

    for _ in range(rng.integers(1, 4)):
        work(1)
    return (*events, "logout")


def spoil_session(session, rng):
    kind = rng.choice(["close", "save", "swap"] if "save" in session else ["close", "swap"])
    if kind == "close":
        return replace_one(session, [f"close {document}" for document in "ABCDE"], rng)
    if kind == "save":
        t = rng.choice([t for t, event in enumerate(session) if event == "save"])
        return (*session[:t], *session[t + 1 :])
    return swap(session, rng)


def sessions():
    rng = np.random.default_rng(0)
    distinct = list(dict.fromkeys(make_session(rng) for _ in range(4000)))
    return split_and_spoil(*train_test_split(distinct, train_size=2000, random_state=0), spoil_session, lambda _: True)


def split_and_spoil(train, test, spoil, is_spoilable):
    """Half of the test sessions stay normal, the others are spoiled; what is in another part is left out."""
    rng, seen = np.random.default_rng(0), set(train)
    test = [session for session in dict.fromkeys(test) if session not in seen]
    normal, others = train_test_split(test, test_size=0.5, random_state=0)
    abnormal = dict.fromkeys(spoil(session, rng) for session in others if is_spoilable(session))
    return train, normal, [session for session in abnormal if session not in seen | set(test)]


def vowels():
    """Scaled utterances and speakers, of the training and the test part."""
    (X, y), (X_test, y_test) = (load_japanese_vowels(subset=subset, return_X_y=True) for subset in ("train", "test"))
    scaler = SequenceScaler().fit(X)
    return scaler.transform(X), np.array(y), scaler.transform(X_test), np.array(y_test)


def speaker(number):
    X, y, X_test, y_test = vowels()
    parts = (X, y == number), (X_test, y_test == number), (X_test, y_test != number)
    return [[X[i] for i in np.flatnonzero(chosen)] for X, chosen in parts]


def sensors():
    X, _, X_test, _ = vowels()
    rng = np.random.default_rng(0)
    normal, abnormal = train_test_split(X_test, test_size=0.5, random_state=0)
    return X, normal, [stuck(x, rng) for x in abnormal]


def stuck(x, rng):
    n, x = len(x) // 3, x.copy()
    t, k = rng.integers(1, len(x) - n), rng.integers(x.shape[1])
    x[t : t + n, k] = x[t - 1, k]
    return x


# Scores: functions of a seed and the training part, which return functions of sequences; high is normal


def network(model):
    """One detector, and what the other aggregations make of the model that it trained."""

    def make(seed, train):
        detector = RNNSequenceAnomalyDetector(model, aggregation="max", random_state=seed).fit(train)
        yield "detector, max", detector.score_samples, detector.predict
        others = ["mean", "sum"] + ["rank"] * (model is TOKENS)
        for aggregation in others:
            frozen = FrozenEstimator(detector.estimator_)
            other = RNNSequenceAnomalyDetector(frozen, aggregation=aggregation).fit(train[:100])
            yield f"detector, {aggregation}", other.score_samples, None

    return make


def not_seen(seed, train):
    seen = set(train)
    yield "not seen in training", lambda X: np.array([float(x in seen) for x in X]), None


def n_grams(order):
    def make(seed, train):
        model = NGram(order, knows_unknown=True).fit([np.array(x) for x in train])

        def scored(reduce):
            def score(X):
                ends = np.cumsum([len(x) + 1 for x in X])
                return np.array([reduce(part) for part in np.split(model.log_proba(X), ends[:-1])])

            return score

        name = "Markov chain" if order == 2 else f"{order}-gram"
        yield f"{name}, minimum", scored(np.min), None
        yield f"{name}, mean", scored(np.mean), None

    return make


def forest(name, *steps):
    def make(seed, train):
        model = make_pipeline(*steps, IsolationForest(random_state=seed)).fit(train)
        yield f"isolation forest on {name}", model.score_samples, None

    return make


def summarize(sequences):
    """Mean, standard deviation, minimum, maximum, first and last value of each feature: (n_sequences, 6 n_features)."""
    return np.array([np.concatenate([x.mean(0), x.std(0), x.min(0), x.max(0), x[0], x[-1]]) for x in sequences])


def distance(seed, train):
    """Minus the Mahalanobis distance of summary statistics, of which there are more than utterances."""
    model = make_pipeline(FunctionTransformer(summarize), StandardScaler(), LedoitWolf()).fit(train)
    yield "Mahalanobis distance of summaries", lambda X: -model[-1].mahalanobis(model[:-1].transform(X)), None


def linear_forecast(seed, train):
    """The next step from the last two by linear regression; the residuals have a normal distribution."""

    def rows(x):
        return np.column_stack([x[1:-1], x[:-2]]), x[2:]

    inputs, targets = map(np.concatenate, zip(*map(rows, train), strict=True))
    model = Ridge(1.0).fit(inputs, targets)
    residuals = LedoitWolf(assume_centered=True).fit(targets - model.predict(inputs))

    def surprises(x):
        before, after = rows(x)
        return residuals.mahalanobis(after - model.predict(before))

    yield "linear forecast, maximum", lambda X: -np.array([surprises(x).max() for x in X]), None
    yield "linear forecast, mean", lambda X: -np.array([surprises(x).mean() for x in X]), None


def pairs(session):
    return list(zip(session, session[1:], strict=False))


OF_TOKENS = [
    not_seen,
    forest("counts", CountVectorizer(analyzer=list)),
    forest("counts of pairs", CountVectorizer(analyzer=pairs)),
    n_grams(2),
    n_grams(3),
    network(TOKENS),
]
OF_NUMBERS = [
    forest("summaries", FunctionTransformer(summarize)),
    distance,
    linear_forecast,
    network(NUMBERS),
]
BRACKETS = ")", "]"
DATA = {
    "code, tokens swapped": ([lambda: code(swap, lambda line: len(set(line)) > 1)], OF_TOKENS),
    "code, wrong bracket": (
        [lambda: code(lambda line, rng: replace_one(line, BRACKETS, rng), lambda line: {*BRACKETS} & {*line})],
        OF_TOKENS,
    ),
    "sessions": ([sessions], OF_TOKENS),
    "speakers": ([lambda number=number: speaker(number) for number in range(1, 10)], OF_NUMBERS),
    "sensors": ([sensors], OF_NUMBERS),
}


def measure(tasks, makers):
    """Rows (n_tasks * n_seeds, 3) of each score: AUC, average precision, share of false alarms."""
    found = {}
    for load in tasks:
        train, normal, abnormal = load()
        is_abnormal = np.repeat([0, 1], [len(normal), len(abnormal)])
        for seed in SEEDS:
            for make in makers:
                for name, score, predict in make(seed, train):
                    surprise = -score([*normal, *abnormal])
                    alarms = np.mean(predict(normal) < 0) if predict else np.nan
                    areas = roc_auc_score(is_abnormal, surprise), average_precision_score(is_abnormal, surprise)
                    found.setdefault(name, []).append((*areas, alarms))
    return f"{len(train)} / {len(normal)} / {len(abnormal)}", {name: np.array(rows) for name, rows in found.items()}


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    table = []
    for data, (tasks, makers) in DATA.items():
        sizes, found = measure(tasks, makers)
        for name, rows in found.items():
            by_seed = rows.reshape(len(tasks), len(SEEDS), 3).mean(axis=0)
            auc, precision, alarms = by_seed.T
            shown = f"{alarms.mean():.1%}" if np.isfinite(alarms).all() else ""
            spread = f"{auc.min():.3f} to {auc.max():.3f}" if np.ptp(auc) > 0 else ""
            figures = f"{auc.mean():.3f} | {spread} | {precision.mean():.3f} | {shown}"
            table.append(f"| {data} | {sizes} | {name} | {figures} |")
            print(table[-1], flush=True)
    lines = [
        "# Anomalies",
        "",
        f"`python benchmarks/anomalies.py`: skrnn {__version__}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, Python {platform.python_version()}. "
        f"Tokens: `{' '.join(repr(TOKENS).split())}`; numbers: `{' '.join(repr(NUMBERS).split())}`. Mean of five "
        "seeds, minimum and maximum behind it. Sequences are those for training, normal and abnormal ones of the test "
        "(of the last speaker). False alarms: normal test sequences that `predict` calls abnormal, 5 % by intention.",
        "",
        "| data | sequences | score | ROC AUC | | average precision | false alarms |",
        "|---|---|---|---:|---:|---:|---:|",
        *table,
    ]
    path = Path(__file__).parent / "results" / "anomalies.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
