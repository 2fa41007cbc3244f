"""Do the cells remember? Two tasks of long time lags, at 50 and 100 steps, for every cell.

Measured: accuracy on 2,000 fresh sequences, and the training sequences, epochs and minutes that it took. A task counts
as solved from 99 % on. Chance is 25 % for temporal order and 12.5 % for delayed copy.

    python benchmarks/long_memory.py

- Temporal order: Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997, experiment 6,
  task 6a. A sequence starts with E and ends with B; in between are random symbols a, b, c, d, except for an X or a Y at
  two places, the first one to two tenths of the way, the second five to six. The class is the order: XX, XY, YX or YY.
  At 100 steps lengths and places are the paper's (100 to 110, 10 to 20, 50 to 60), at 50 half of them.
- Delayed copy: one of eight tokens, then `delay` random distractors of four kinds, then a bell that asks for the token.

Sequences to learn from have all lengths from 10 up to the given number of steps (for delayed copy: delays); those to be
judged on have the full length. The short ones are what makes it quick: learned alone, a delay of 100 gives gradients
that have all but vanished at the first weights, and the loss stays at chance for 100,000 sequences and more. As in the
paper, no sequence is seen twice: each epoch is a `partial_fit` on 4,000 new ones, until its mean loss is below 0.01
nats, or for 50 epochs. Symbols are one-hot, in float32.
"""

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import sklearn

from skrnn import RNNSequenceClassifier, __version__

CELLS = ("gru", "lstm", "tanh", "relu")
SETTINGS = {"hidden_size": 64, "learning_rate_init": 2e-3, "batch_size": 50}
MAX_EPOCHS = 50
SHORTEST = 10  # steps, or delay, of a sequence to learn from
SOLVED_LOSS = 0.01  # nats
N_EPOCH, N_TEST = 4000, 2000  # sequences


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


def draw(task, n, shortest, longest, rng):
    """Draw n sequences, one-hot (n_steps_i, n_symbols) in float32, and the class of each."""
    one_hot = np.eye(8 if task is temporal_order else 13, dtype=np.float32)
    pairs = [task(n_steps, rng) for n_steps in rng.integers(shortest, longest, size=n, endpoint=True)]
    return [one_hot[symbols] for symbols, _ in pairs], np.array([label for _, label in pairs])


TASKS = {"temporal order": (temporal_order, 4), "delayed copy": (delayed_copy, 8)}


def train(task, n_classes, n_steps, cell, seed, **settings):
    """The classifier after its last epoch, and the minutes that it took."""
    rng = np.random.default_rng(seed)
    model = RNNSequenceClassifier(cell=cell, random_state=seed, **SETTINGS | settings)
    start = time.perf_counter()
    for _ in range(MAX_EPOCHS):
        model.partial_fit(*draw(task, N_EPOCH, SHORTEST, n_steps, rng), classes=np.arange(n_classes))
        if model.loss_ < SOLVED_LOSS:
            break
    return model, (time.perf_counter() - start) / 60


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    lines = [
        "# Long memory",
        "",
        f"`python benchmarks/long_memory.py`: skrnn {__version__}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, Python {platform.python_version()}. Settings for all cells: "
        + ", ".join(f"`{key}={value}`" for key, value in SETTINGS.items())
        + f", the rest by default; {N_EPOCH} fresh sequences of {SHORTEST} steps to the full length an epoch, "
        f"{MAX_EPOCHS} epochs at most; accuracy on {N_TEST} others of the full length.",
        "",
        "| task | steps | cell | accuracy | epochs | minutes | solved |",
        "|---|---:|---|---:|---:|---:|---|",
    ]
    for name, (task, n_classes) in TASKS.items():
        for n_steps in (50, 100):
            for cell in CELLS:
                model, minutes = train(task, n_classes, n_steps, cell, seed)
                accuracy = model.score(*draw(task, N_TEST, n_steps, n_steps, np.random.default_rng(10**6 + seed)))
                solved = "yes" if accuracy >= 0.99 else "no"
                lines.append(
                    f"| {name} | {n_steps} | {cell} | {accuracy:.4f} | {model.n_iter_} | {minutes:.1f} | {solved} |"
                )
                print(lines[-1], flush=True)
    path = Path(__file__).parent / "results" / "long_memory.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
