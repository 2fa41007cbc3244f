"""How much memory does training take, beyond what is trained on?

Measured: the peak resident memory of a process that makes the data and trains a tiny network on them, minus that of one
that makes the data only. So the data themselves, Python and the libraries do not count; the ids of the tokens, one byte
each here, do. What is trained on changes nothing: it is a million random letters out of four, many times over.

    python benchmarks/memory.py
"""

import argparse
import platform
import resource
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNNextTokenModel, __version__

TINY = {"hidden_size": 4, "cell": "tanh", "max_iter": 1, "dtype": "float32", "random_state": 0}
FEW_UPDATES = {"batch_size": 300, "bptt_steps": 100}


def letters():
    """A text of a million letters, one byte each."""
    return np.random.default_rng(0).integers(97, 101, size=10**6, dtype=np.uint8).tobytes().decode("ascii")


def one_text():
    return [letters() * 50]


def long_texts():
    text = letters()
    return [text[first : first + 50_000] for first in range(0, 950_001, 950)]


def short_texts():
    text = letters() * 2
    return [text[k : k + 1 + k % 50] for k in range(10**6)]


def fit(X, **params):
    return RNNNextTokenModel(**TINY | FEW_UPDATES | params).fit(X)


def fit_and_validate(X):
    fit(X, early_stopping=True, validation_fraction=0.01)


def score(X):
    fit([X[0][:1000]]).score_samples(X)


CASES = {
    "text": ("one text of 50 million letters", "`fit`, one epoch", one_text, fit),
    "validated": ("one text of 50 million letters", "`fit`, one epoch, early stopping", one_text, fit_and_validate),
    "scored": ("a thousand texts of 50,000 letters", "`score_samples`", long_texts, score),
    "short": ("a million texts of 1 to 50 letters", "`fit`, one epoch", short_texts, fit),
}


def peak(case, part):
    """Peak resident memory, MB, of a process that runs part of a case."""
    command = [sys.executable, __file__, "--child", case, part]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def run(case, part):
    """Be that process."""
    *_, make, train = CASES[case]
    X = make()
    if part == "all":
        train(X)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes, or KiB
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--child", nargs=2, metavar=("CASE", "PART"), help="of which to print the peak, and no more")
    options = parser.parse_args()
    if options.child:
        run(*options.child)
        return
    lines = [
        "# Memory",
        "",
        f"`python benchmarks/memory.py`: skrnn {__version__}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, Python {platform.python_version()}. Peaks of the resident memory of a process, MB: "
        "with the data alone, and what the work needs beyond that.",
        "",
        "| data | work | data alone | beyond |",
        "|---|---|---:|---:|",
    ]
    for case, (data, work, *_) in CASES.items():
        alone, everything = peak(case, "data"), peak(case, "all")
        lines.append(f"| {data} | {work} | {alone:.0f} | {everything - alone:.0f} |")
        print(lines[-1], flush=True)
    path = Path(__file__).parent / "results" / "memory.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)  # of a single epoch
    main()
