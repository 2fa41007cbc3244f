"""The same task with five libraries: lines of code, size of the installation, time to import, GridSearchCV.

``python benchmarks/comparison.py`` installs each library into an environment of its own in a temporary folder, from
wherever pip finds it, and writes ``benchmarks/results/comparison.md``. It takes some minutes and some gigabytes.

The task is to classify the utterances of JapaneseVowels, of unequal lengths, and to print the test accuracy: the
programs in ``benchmarks/comparison``. Lines are those that are not blank, imports included. The size is that of
everything that pip installed beyond pip itself. The time to import is the CPU time of a fresh process, the median of
seven, less that of an empty one, with all files in the cache.
"""

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
PROGRAMS = Path(__file__).parent / "comparison"
LIBRARIES = {  # what pip installs, and what a program imports
    "skrnn": ([str(ROOT)], "import skrnn"),
    "torch": (["torch==2.13.0", "numpy"], "import torch"),
    "skorch": (["skorch", "torch==2.13.0"], "import skorch"),
    "aeon": (["aeon"], "from aeon.classification.convolution_based import RocketClassifier"),
    "hmmlearn": (["hmmlearn"], "import hmmlearn.hmm"),
}
RAGGED = {  # how sequences of unequal lengths are passed; the programs do it
    "skrnn": "a list of arrays",
    "torch": "packed or padded",
    "skorch": "padded, with lengths",
    "aeon": "padded for most classifiers",
    "hmmlearn": "concatenated, with lengths",
}
IN_A_SEARCH = {"a list": "yes", "padded": "padded only", "no": "no"}


def size(folder):
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def seconds_of(python, code):
    """Median CPU time of fresh processes that run some code; the wall-clock time would depend on the machine's load."""
    times = []
    for _ in range(8):
        before = os.times()
        subprocess.run([python, "-c", code], check=True)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return median(times[1:])  # the first one fills the cache


def measure(name, folder):
    """Return the row of a library: version, lines, size, time to import, accuracy, search."""
    requirements, statement = LIBRARIES[name]
    environment = {**os.environ, "JAPANESE_VOWELS": str(ROOT / "skrnn/datasets/data/japanese_vowels.npz")}
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin/python"
    site = next(folder.glob("lib/python*/site-packages"))
    empty = size(site)
    subprocess.run([python, "-m", "pip", "install", "-q", *requirements], check=True)
    megabytes = (size(site) - empty) / 1e6
    version = subprocess.run(
        [python, "-c", f"import importlib.metadata as m; print(m.version('{name}'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()

    def run(*args):
        return subprocess.run(
            [python, *args], cwd=PROGRAMS, env=environment, capture_output=True, text=True, check=True
        )

    program = PROGRAMS / f"with_{name}.py"
    n_lines = sum(bool(line.strip()) for line in program.read_text(encoding="utf-8").splitlines())
    accuracy = float(run(program.name).stdout)
    in_a_search = "no"
    if name != "torch":  # without scikit-learn, and a module is no estimator
        search = run("grid_search.py", name)
        print(search.stderr, end="", file=sys.stderr)
        in_a_search = IN_A_SEARCH[search.stdout.strip()]
    import_seconds = seconds_of(python, statement) - seconds_of(python, "")
    cells = [
        f"{name} {version}", n_lines, f"{megabytes:.0f} MB", f"{import_seconds:.1f} s", RAGGED[name], in_a_search,
        f"{accuracy:.3f}",
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in LIBRARIES:
            rows.append(measure(name, Path(folder) / name))
            print(rows[-1], flush=True)
    text = f"""# The same task with five libraries

`python benchmarks/comparison.py`: Python {platform.python_version()}, {platform.system()} {platform.machine()}.
Classifying the utterances of JapaneseVowels, whose lengths differ, with a GRU of 64 units (skrnn, torch, skorch),
ROCKET (aeon) or one hidden Markov model per class (hmmlearn); the programs are in `benchmarks/comparison`. Nothing was
tuned. Installed: all packages that pip adds. Import: CPU time.

| library | lines of code | installed | import | unequal lengths | in GridSearchCV | accuracy |
|---|---:|---:|---:|---|---|---:|
""" + "\n".join(rows)
    (Path(__file__).parent / "results/comparison.md").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
