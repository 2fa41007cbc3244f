"""One long text: nats per character against minutes of training, beside n-grams of the same text.

Measured: the sources of Python's standard library (skrnn.datasets.load_stdlib_text; under Python's own licence), whole
modules held out: a twentieth of all, drawn with a fixed seed. The other modules are one stream of characters, which is
learned by partial_fit, a quarter of a million characters at a time, cut into 64 parts that are read at the same time.
The learning rate falls as half a cosine over the minutes given, so a point of the curve is not the best that could be
had in its time; the last one is. Minutes are those of training alone. A character that training never showed counts for
the network and for the n-grams alike. Arithmetic is in float32.

    python benchmarks/stdlib_text.py --minutes 5
"""

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import sklearn
from ngram import NGram

from skrnn import RNNNextTokenModel, __version__
from skrnn.datasets import load_stdlib_text

N_COLUMNS = 64
CHARACTERS_A_CALL = 250_000
SETTINGS = {"hidden_size": 256, "batch_size": N_COLUMNS, "bptt_steps": 100, "dtype": "float32", "add_end_token": False}
LEARNING_RATE = 5e-3
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
"""Of the minutes, after which the held-out text is scored."""


def read_texts():
    """The stream to learn from, and the modules held out."""
    modules = load_stdlib_text().data
    order = np.random.default_rng(0).permutation(len(modules))
    n_held_out = len(modules) // 20
    return "".join(modules[i] for i in order[n_held_out:]), [modules[i] for i in order[:n_held_out]]


def columns(text):
    """A text in N_COLUMNS parts of equal length."""
    borders = [len(text) * k // N_COLUMNS for k in range(N_COLUMNS + 1)]
    return [text[a:b] for a, b in zip(borders, borders[1:], strict=False)]


def train(model, minutes, stream, held_out):
    """Yield minutes of training, millions of characters read and nats per character, at every share of the minutes."""
    tokens = sorted(set(stream))
    seconds, n_read, waiting = 0.0, 0, list(SHARES)
    while waiting:
        first = n_read % (len(stream) - CHARACTERS_A_CALL)
        chunk = stream[first : first + CHARACTERS_A_CALL]
        progress = min(1.0, seconds / (60 * minutes))
        model.set_params(learning_rate_init=max(1e-5, LEARNING_RATE * (1 + np.cos(np.pi * progress)) / 2))
        start = time.perf_counter()
        model.partial_fit(columns(chunk), vocabulary=tokens)
        seconds += time.perf_counter() - start
        n_read += len(chunk)
        if seconds >= 60 * minutes * waiting[0]:
            while waiting and seconds >= 60 * minutes * waiting[0]:
                waiting.pop(0)
            yield seconds / 60, n_read / 1e6, -model.score(held_out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5, help="of training, for each cell")
    parser.add_argument("--cells", nargs="+", default=["tanh", "gru", "lstm"])
    options = parser.parse_args()
    stream, held_out = read_texts()
    n_held_out = sum(map(len, held_out))
    spelt = ", ".join(f"{key}={value!r}" for key, value in SETTINGS.items())
    lines = [
        "# The standard library as one text",
        "",
        f"`python benchmarks/stdlib_text.py --minutes {options.minutes:g}`: skrnn {__version__}, NumPy "
        f"{np.__version__}, scikit-learn {sklearn.__version__}, Python {platform.python_version()}. {len(stream):,} "
        f"characters to learn from, {n_held_out:,} of {len(held_out)} modules held out. `{spelt}`.",
        "",
        "| model | minutes of training | million characters read | nats per character |",
        "|---|---:|---:|---:|",
    ]
    path = Path(__file__).parent / "results" / "stdlib_text.md"
    path.parent.mkdir(exist_ok=True)
    for order in (3, 4, 5, 6):
        start = time.perf_counter()
        model = NGram(order, has_end=False, knows_unknown=True).fit([stream])
        minutes = (time.perf_counter() - start) / 60
        nats = -model.log_proba(held_out).mean()
        lines.append(f"| interpolated {order}-gram | {minutes:.1f} | {len(stream) / 1e6:.1f} | {nats:.3f} |")
        print(lines[-1], flush=True)
    samples = []
    for cell in options.cells:
        model = RNNNextTokenModel(cell=cell, **SETTINGS, learning_rate="constant", random_state=0)
        for minutes, n_read, nats in train(model, options.minutes, stream, held_out):
            lines.append(f"| {cell} | {minutes:.1f} | {n_read:.2f} | {nats:.3f} |")
            print(lines[-1], flush=True)
        written = model.generate("def ", max_new_tokens=296, temperature=0.7, random_state=0)
        samples += ["", f"What {cell} writes after `def ` at `temperature=0.7`:", "", "```python", written, "```"]
        path.write_text("\n".join(lines + samples) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
