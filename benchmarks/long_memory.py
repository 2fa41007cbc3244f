"""Do the cells remember? Two tasks of long time lags, learned directly at 100, 300 and 1,000 steps.

Measured: accuracy on 1,000 fresh sequences, and the updates and minutes that it took. A task counts as solved from 99 %
on. Chance is 25 % for temporal order and 12.5 % for delayed copy.

    python benchmarks/long_memory.py
    python benchmarks/long_memory.py --estimator token-model

- Temporal order: Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997, experiment 6,
  task 6a. A sequence starts with E and ends with B; in between are random symbols a, b, c, d, except for an X or a Y at
  two places, the first one to two tenths of the way, the second five to six. The class is the order: XX, XY, YX or YY.
  At 100 steps lengths and places are the paper's (100 to 110, 10 to 20, 50 to 60), at others in proportion.
- Delayed copy: one of eight tokens, then `delay` random distractors of four kinds, then a bell that asks for the token.

All sequences of the classifier have the full length from the first update on, and as in the paper none is seen twice:
each epoch is a `partial_fit` on 25 batches of 32 new ones, until its mean loss is below 0.02 nats, or for 1,100
updates. Gates begin at keeping a state over up to the number of steps (`initial_timescale`); "auto", a tenth of that,
and None, one half, stand beside it up to 300 steps. Those are cut off after one and two minutes: where gradients
vanish, numbers that are too small to be normalised are slow to compute with.

For the token model the class is the token that comes after the last symbol: for temporal order one of four of their
own, for delayed copy the very token that is recalled. All symbols are to be predicted as well, random as most of them
are, so a hundredth of the steps or less is about the class. It is judged by `predict` after the last symbol. The
longest length to learn from grows from 10 by half, whenever 500 fresh sequences of it give 95 %; training ends when 500
of the full length give 99.5 %, or after 100 epochs. Without that growth, with lengths from 10 up, GRU solved all four
in 3 to 10 epochs, but LSTM only temporal order at 50 steps; on the other three it was at chance after 24 to 36 epochs,
at rates of 0.002 and 0.005.
"""

import argparse
import platform
import time
from itertools import product
from pathlib import Path

import numpy as np
import sklearn

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, __version__

STARTS = [("gru", "n_steps"), ("lstm", "n_steps"), ("gru", "auto"), ("gru", None)]
SETTINGS = {"hidden_size": 64, "learning_rate_init": 2e-3, "batch_size": 32, "dtype": "float32", "input_type": "tokens"}
TOKEN_CELLS = ("gru", "lstm")
TOKEN_SETTINGS = {"hidden_size": 64, "learning_rate_init": 5e-3, "batch_size": 50, "dtype": "float32"}
N_BATCHES, MAX_UPDATES = 25, 1100
MAX_MINUTES = {"n_steps": 6, "auto": 2, None: 1}
MAX_TOKEN_EPOCHS = 100
SHORTEST = 10  # steps, or delay, of a sequence that the token model learns from
SOLVED_LOSS = 0.02  # nats
LEARNED_ACCURACY, SOLVED_ACCURACY = 0.95, 0.995
N_EPOCH, N_TEST, N_CHECK = 4000, 1000, 500  # sequences


def temporal_order(n_steps, rng):
    """Symbols of a sequence, as indices into a b c d X Y E B, and its class."""
    label = rng.integers(4)
    tenth = n_steps // 10
    symbols = rng.integers(4, size=rng.integers(n_steps, n_steps + tenth + 1))
    symbols[rng.integers(tenth, 2 * tenth + 1)] = 4 + label // 2
    symbols[rng.integers(5 * tenth, 6 * tenth + 1)] = 4 + label % 2
    symbols[0], symbols[-1] = 6, 7
    return symbols, label


def delayed_copy(delay, rng):
    """Symbols of a sequence, as indices into 8 tokens, 4 distractors and the bell, and the token to recall."""
    label = rng.integers(8)
    return np.concatenate([[label], rng.integers(8, 12, size=delay), [12]]), label


def draw_tokens(task, n, shortest, longest, rng):
    """Draw n sequences of tokens, and the token that comes after each."""
    first_answer = 8 if task is temporal_order else 0
    pairs = [task(n_steps, rng) for n_steps in rng.integers(shortest, longest, size=n, endpoint=True)]
    return [symbols for symbols, _ in pairs], np.array([first_answer + label for _, label in pairs])


N_TOKENS = {temporal_order: 12, delayed_copy: 13}
TASKS = {"temporal order": (temporal_order, 4), "delayed copy": (delayed_copy, 8)}


def train(task, n_classes, n_steps, cell, timescale, seed):
    """The classifier after its last epoch, the minutes that it took, and the number of updates."""
    rng = np.random.default_rng(seed)
    model = RNNSequenceClassifier(
        cell=cell, random_state=seed, vocabulary=range(N_TOKENS[task]), initial_timescale=timescale, **SETTINGS
    )
    start, n_updates = time.perf_counter(), 0
    while n_updates < MAX_UPDATES:
        X, y = zip(*(task(n_steps, rng) for _ in range(N_BATCHES * SETTINGS["batch_size"])), strict=True)
        model.partial_fit(X, y, classes=np.arange(n_classes))
        n_updates += N_BATCHES
        minutes = (time.perf_counter() - start) / 60
        if model.loss_ < SOLVED_LOSS or minutes > MAX_MINUTES["n_steps" if timescale == n_steps else timescale]:
            break
    return model, minutes, n_updates


def train_tokens(task, n_steps, cell, seed):
    """The token model after its last epoch, and the minutes that it took."""
    rng = np.random.default_rng(seed)
    model = RNNNextTokenModel(
        cell=cell,
        random_state=seed,
        add_end_token=False,
        learning_rate="constant",
        bptt_steps=2 * n_steps,  # sequences whole
        vocabulary=np.arange(N_TOKENS[task]),
        **TOKEN_SETTINGS,
    )
    longest = SHORTEST
    start = time.perf_counter()
    for _ in range(MAX_TOKEN_EPOCHS):
        X, answers = draw_tokens(task, N_EPOCH, SHORTEST, longest, rng)
        model.partial_fit([np.append(x, a) for x, a in zip(X, answers, strict=True)])
        accuracy = accuracy_of_tokens(model, *draw_tokens(task, N_CHECK, longest, longest, rng))
        if longest == n_steps and accuracy >= SOLVED_ACCURACY:
            break
        if accuracy >= LEARNED_ACCURACY:
            longest = min(n_steps, longest + longest // 2)
    return model, (time.perf_counter() - start) / 60


def accuracy_of_tokens(model, X, answers):
    return np.mean(model.predict(X) == answers)


def rows_of_classifier(seed):
    """Task, steps, cell, start, accuracy, updates, minutes."""
    for name, (task, n_classes) in TASKS.items():
        for n_steps, (cell, start) in product((100, 300, 1000), STARTS):
            if n_steps == 1000 and start != "n_steps":
                continue
            timescale = n_steps if start == "n_steps" else start
            model, minutes, n_updates = train(task, n_classes, n_steps, cell, timescale, seed)
            rng = np.random.default_rng(10**6 + seed)
            X, y = zip(*(task(n_steps, rng) for _ in range(N_TEST)), strict=True)
            yield name, n_steps, cell, start, model.score(X, y), n_updates, minutes


def rows_of_token_model(seed):
    """Task, steps, cell, accuracy, epochs, minutes."""
    for name, (task, _) in TASKS.items():
        for n_steps, cell in product((50, 100), TOKEN_CELLS):
            model, minutes = train_tokens(task, n_steps, cell, seed)
            test = draw_tokens(task, N_TEST, n_steps, n_steps, np.random.default_rng(10**6 + seed))
            yield name, n_steps, cell, accuracy_of_tokens(model, *test), model.n_iter_, minutes


OF_CLASSIFIER = ["task", "steps", "cell", "`initial_timescale`", "accuracy", "updates", "minutes"]
OF_TOKEN_MODEL = ["task", "steps", "cell", "accuracy", "epochs", "minutes"]
ESTIMATORS = {
    "classifier": (rows_of_classifier, OF_CLASSIFIER, SETTINGS, "long_memory.md"),
    "token-model": (rows_of_token_model, OF_TOKEN_MODEL, TOKEN_SETTINGS, "long_memory_tokens.md"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--estimator", choices=ESTIMATORS, default="classifier")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows, names, settings, file_name = ESTIMATORS[options.estimator]
    lines = [
        f"# Long memory: {options.estimator.replace('-', ' ')}",
        "",
        f"`python benchmarks/long_memory.py --estimator {options.estimator}`: skrnn {__version__}, NumPy "
        f"{np.__version__}, scikit-learn {sklearn.__version__}, Python {platform.python_version()}. Settings: "
        + ", ".join(f"`{key}={value!r}`" for key, value in settings.items())
        + f", the rest by default; accuracy on {N_TEST} others of the full length.",
        "",
        "| " + " | ".join(names) + " |",
        "|---" * len(names) + "|",
    ]
    path = Path(__file__).parent / "results" / file_name
    path.parent.mkdir(exist_ok=True)
    for row in rows(options.seed):
        lines.append("| " + " | ".join(f"{x:.3f}" if isinstance(x, float) else str(x) for x in row) + " |")
        print(lines[-1], flush=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
