"""Draw the pictures of the README and the landing page into ``docs/_static``.

``python docs/pictures.py`` fits three small models for ``overview.png`` and reads ``benchmarks/results/speed.json`` for
``speed.svg``.
"""

import json
from pathlib import Path
from statistics import median

import matplotlib.pyplot as plt
import numpy as np

from skrnn import END, RNNNextTokenModel, RNNSequenceClassifier
from skrnn.datasets import load_japanese_vowels, load_names
from skrnn.preprocessing import SequenceScaler

ROOT = Path(__file__).parent.parent
BLUE, ORANGE, GREY = "#3b7ea1", "#f2994a", "0.72"


def classification(axes):
    """Four utterances of unequal lengths, and the probabilities of the nine speakers."""
    X, y = load_japanese_vowels(return_X_y=True)
    X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
    scaler = SequenceScaler().fit(X)
    model = RNNSequenceClassifier(random_state=0).fit([x.astype(np.float32) for x in scaler.transform(X)], y)
    chosen = [next(i for i, label in enumerate(y_test) if label == speaker) for speaker in (1, 3, 5, 8)]
    sequences = scaler.transform([X_test[i] for i in chosen])
    probas = model.predict_proba([x.astype(np.float32) for x in sequences])
    for (left, right), x, proba, i in zip(axes, sequences, probas, chosen, strict=True):
        left.imshow(x.T, cmap="RdBu_r", vmin=-2.5, vmax=2.5, aspect="auto", extent=(0, len(x), 0, 12))
        left.set(xlim=(0, 29.5), xticks=[], yticks=[])
        left.spines[:].set_visible(False)
        right.bar(range(1, 10), proba, color=[ORANGE if k + 1 == y_test[i] else GREY for k in range(9)], width=0.85)
        right.set(ylim=(0, 1.05), xticks=[], yticks=[])
        right.spines[["top", "right", "left"]].set_visible(False)
    axes[-1][0].set_xlabel("steps; lengths differ")
    axes[-1][1].set_xlabel("speakers 1 to 9")
    axes[-1][1].set_xticks([1, 9])
    axes[0][1].set_title("probabilities", size=9)
    axes[0][0].set_title("sequences", size=9)


def anomaly(ax):
    """The surprise of each event of an anomalous session."""
    rng = np.random.default_rng(0)
    normal = []
    for _ in range(300):
        work = [["read"], ["read", "write", "save"], ["search", "read"], ["search", "read", "delete", "confirm"]]
        middle = [event for k in rng.integers(4, size=rng.integers(1, 4)) for event in work[k]]
        normal.append(["login", *middle, "logout"])
    session = ["login", "search", "read", "delete", "read", "write", "save", "logout"]
    model = RNNNextTokenModel(hidden_size=32, learning_rate_init=0.02, max_iter=30, random_state=0).fit(normal)
    surprises = -model.token_log_proba([session])[0]
    labels = ["END" if event is END else event for event in (*session, END)]
    places = np.arange(len(labels))
    ax.barh(places, surprises, color=[ORANGE if k == surprises.argmax() else GREY for k in places], height=0.7)
    ax.set_yticks(places, labels)
    ax.invert_yaxis()
    ax.set_xlabel("surprise (nats)")
    ax.spines[["top", "right"]].set_visible(False)


def generation(ax):
    """A generated name, and the probabilities that each of its letters was sampled from."""
    names = load_names(subset="female").data
    model = RNNNextTokenModel(max_iter=6, dtype="float32", random_state=0).fit(names)
    samples = model.generate(n_sequences=60, max_new_tokens=9, temperature=0.8, random_state=0)
    name = next(sample for sample in samples if sample not in set(names) and 6 <= len(sample) <= 7)
    probas = model.predict_proba([name[:t] for t in range(len(name) + 1)])
    tokens = ["end" if token is END else token for token in model.column_tokens_]
    for t, (proba, chosen) in enumerate(zip(probas, [*name, "end"], strict=True)):
        top = np.argsort(proba)[::-1][:5]
        k = tokens.index(chosen)
        top = top if k in top else np.r_[top[:4], k]
        for rank, column in enumerate(top):
            style = {"color": "0.55"}
            if column == k:
                style = {
                    "weight": "bold",
                    "bbox": {"boxstyle": "round,pad=0.22", "facecolor": "#fde0c5", "edgecolor": "none"},
                }
            ax.text(t, rank, tokens[column], ha="center", va="center", size=7 + 8 * proba[column] ** 0.5, **style)
    ax.set(
        xlim=(-0.6, len(name) + 0.6), ylim=(4.6, -0.6), yticks=range(5), yticklabels=["1st", "2nd", "3rd", "4th", "5th"]
    )
    ax.set_xticks(range(len(name) + 1), range(1, len(name) + 2))
    ax.set(xlabel="step", ylabel="rank of the next letter")
    ax.spines[["top", "right"]].set_visible(False)
    return name


def overview():
    fig = plt.figure(figsize=(13, 4.3), layout="constrained")
    left, middle, right = fig.subfigures(1, 3, wspace=0.04, width_ratios=(1.05, 0.95, 1.05))
    classification(left.subplots(4, 2, width_ratios=(1.5, 1)))
    left.suptitle("Classify sequences of any length", weight="bold")
    anomaly(middle.subplots())
    middle.suptitle("Find the anomalous event in a session", weight="bold")
    name = generation(right.subplots())
    right.suptitle(f"Generate new sequences: “{name}”", weight="bold")
    fig.savefig(ROOT / "docs/_static/overview.png", dpi=110, facecolor="white")


def speed():
    """Training steps per second relative to PyTorch's, without a pin of BLAS: one dot for each size of network."""
    sections = json.loads((ROOT / "benchmarks/results/speed.json").read_text(encoding="utf-8"))["sections"]

    def ratios(section, cell, kernels):
        measured = sections[section]["rows"]
        for row in measured.get("without the pin", measured["as it is"]):
            times = {name: median(seconds) for name, seconds in row["seconds"].items() if seconds}
            others = [t for name, t in times.items() if name.startswith("torch_")]
            if row["cell"] == cell.lower() and row["point"][3] > 1 and others:  # batches of more than one sequence
                yield min(others) / times[kernels]

    rows = [
        (f"{lengths} lengths, {cell}", section, cell)
        for section, lengths in (("training", "equal"), ("ragged", "unequal"))
        for cell in ("tanh", "GRU", "LSTM")
        if section in sections
    ]
    fig, ax = plt.subplots(figsize=(7.2, 0.6 + 0.44 * len(rows)), layout="constrained")
    colors = {"skrnn": (ORANGE, "NumPy's kernels", 0.13), "skrnn_fast": (BLUE, "compiled kernels", -0.13)}
    for kernels, (color, name, shift) in colors.items():
        for place, (label, section, cell) in enumerate(rows):
            values = list(ratios(section, cell, kernels))
            ax.plot([min(values), max(values)], [place + shift] * 2, color=color, linewidth=2, alpha=0.35)
            dots = {} if place else {"label": name}
            ax.plot(values, [place + shift] * len(values), "o", color=color, alpha=0.85, markersize=5, **dots)
            print(f"{label:24} {name:16} {min(values):.2f} to {max(values):.2f}")
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=8)
    ax.axvline(1, color="0.3", linewidth=1)
    ax.text(1.03, -0.55, "as fast as PyTorch", size=8, color="0.3")
    ax.set_xscale("log")
    ax.set_xticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
    ax.set_xticks([], minor=True)
    ax.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    ax.set(xlabel="training speed relative to PyTorch on the same two CPU cores", ylim=(len(rows) - 0.5, -0.8))
    ax.spines[["top", "right"]].set_visible(False)
    fig.savefig(ROOT / "docs/_static/speed.svg", facecolor="white", metadata={"Date": None})


CHOICES = (
    (
        "What do you want to know?",
        (
            ("the class of a sequence", "RNNSequenceClassifier"),
            ("the same, as early as possible", "EarlyClassifier"),
            ("a number, or a forecast", "RNNSequenceRegressor"),
            ("a label for each step", "RNNSequenceTagger"),
            ("what comes next; new sequences", "RNNNextTokenModel"),
            ("what is unusual", "RNNSequenceAnomalyDetector"),
        ),
    ),
    (
        "How does the past matter?",
        (
            ("I do not know", 'cell="gru"'),
            ("some 30 steps, and time is short", 'cell="tanh"'),
            ("hundreds of steps, things to count", 'cell="lstm"'),
        ),
    ),
    (
        "Where in the sequence is the answer?",
        (
            ("known at its end", 'pooling="last"'),
            ("all along it", 'pooling="mean"'),
            ("at one moment, anywhere", 'pooling="max"'),
        ),
    ),
)


def choose():
    """Which estimator, which cell, which pooling: what one wants to know on the left, what to write on the right."""
    n_rows = sum(len(answers) + 1.3 for _, answers in CHOICES)
    fig, ax = plt.subplots(figsize=(5.2, 0.3 * n_rows), layout="constrained")
    y = 0.0
    for question, answers in CHOICES:
        ax.text(0, y, question, weight="bold", size=10, va="center")
        for answer, name in answers:
            y += 1
            ax.text(0.03, y, answer, size=9, va="center", color="0.25")
            box = {"boxstyle": "round,pad=0.35", "facecolor": "#e8f1fa", "edgecolor": BLUE, "linewidth": 0.8}
            ax.text(0.6, y, name, size=8.5, va="center", family="monospace", bbox=box)
            ax.plot([0.53, 0.578], [y, y], color=BLUE, linewidth=0.8, alpha=0.6)
        y += 1.3
    ax.set(xlim=(0, 1.12), ylim=(y - 0.8, -0.6))
    ax.axis("off")
    fig.savefig(ROOT / "docs/_static/choose.svg", facecolor="white", metadata={"Date": None})


if __name__ == "__main__":
    plt.rcParams["svg.hashsalt"] = "skrnn"
    choose()
    speed()
    overview()
