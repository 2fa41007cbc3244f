"""Is one checkout slower than another, or does it take more memory?

Each checkout works in a process of its own, and they are timed in turn, in many short rounds, so that a change of the
machine's speed hits both alike. A ratio is the head's median time divided by the base's: above 1 the head is slower.

    python benchmarks/paired.py BASE_DIR HEAD_DIR
    python benchmarks/paired.py BASE_DIR HEAD_DIR --rounds 15 --only tokens --cpu
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path
from statistics import geometric_mean, median

CELLS = ["tanh", "gru", "lstm"]
DATA = ["equal", "ragged", "tokens"]
WORK = ["train", "predict"]
POINTS = [f"{work} {cell} {data}" for work in WORK for cell in CELLS for data in DATA] + ["train gru vocabulary"]


def prepare(point):
    """A function that does the work of a point, with nothing else to do."""
    import numpy as np  # from the checkout's environment, after its threads were set

    from skrnn import RNNNextTokenModel, RNNSequenceClassifier

    warnings.simplefilter("ignore")
    work, cell, data = point.split()
    rng = np.random.default_rng(0)
    if data == "vocabulary":
        X = [rng.integers(0, 3000, 60) for _ in range(32)]
        model = RNNNextTokenModel(64, cell=cell, batch_size=32, dtype="float32", random_state=0)
        model.partial_fit(X)
        return lambda: model.partial_fit(X)
    if data == "tokens":
        X = ["".join(map(chr, rng.integers(97, 123, n))) for n in rng.integers(3, 40, 256)]
        model = RNNNextTokenModel(64, cell=cell, batch_size=64, random_state=0)
        model.partial_fit(X)
        return (lambda: model.partial_fit(X)) if work == "train" else (lambda: model.score_samples(X))
    lengths = [40] * 256 if data == "equal" else rng.integers(5, 75, 256)
    X = [rng.standard_normal((n, 10), dtype=np.float32) for n in lengths]
    y = np.arange(len(X)) % 5
    model = RNNSequenceClassifier(64, cell=cell, batch_size=64, random_state=0)
    model.partial_fit(X, y, classes=np.arange(5))
    return (lambda: model.partial_fit(X, y)) if work == "train" else (lambda: model.predict_proba(X))


def serve():
    """Answer the points that come in with the seconds that each took, and with the peak memory of this process."""
    prepared = {}
    for line in sys.stdin:
        point = line.strip()
        if point not in prepared:
            prepared[point] = prepare(point)
            prepared[point]()
        start = time.perf_counter(), time.process_time()
        prepared[point]()
        wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak}), flush=True)


class Checkout:
    """A process that works with the package of one folder."""

    def __init__(self, folder):
        environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        environment["PYTHONPATH"] = str(Path(folder).resolve())
        command = [sys.executable, str(Path(__file__).resolve()), "--serve"]
        self._process = subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/"
        )

    def run(self, point):
        self._process.stdin.write(point + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def compare(folders, point, n_rounds, n_times, clock):
    """Median seconds of each folder, the median ratio of a round, and the ratio of peak memory."""
    checkouts = [Checkout(folder) for folder in folders]
    seconds = [[], []]
    for number in range(n_rounds):
        order = (0, 1) if number % 2 == 0 else (1, 0)
        for k in order:
            seconds[k].append(min(checkouts[k].run(point)[clock] for _ in range(n_times)))
    peaks = [checkout.run(point)["peak"] for checkout in checkouts]
    for checkout in checkouts:
        checkout.close()
    in_rounds = median(head / base for base, head in zip(*seconds, strict=True))
    return median(seconds[0]), median(seconds[1]), in_rounds, peaks[1] / peaks[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", help="BASE_DIR HEAD_DIR")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--times", type=int, default=3, help="a round counts the quickest of so many")
    parser.add_argument("--cpu", action="store_true", help="count processor time: for a busy machine")
    parser.add_argument("--only", default="", help="points whose names hold this")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve()
    found = []
    for point in POINTS:
        if options.only in point:
            clock = "cpu" if options.cpu else "wall"
            found.append(compare(options.folders, point, options.rounds, options.times, clock))
            base, head, ratio, memory = found[-1]
            print(
                f"{point:22} {base * 1e3:8.2f} ms {head * 1e3:8.2f} ms  time {ratio:5.3f}  memory {memory:5.3f}",
                flush=True,
            )
    print(f"geometric mean: time {geometric_mean(f[2] for f in found):5.3f}, worst {max(f[2] for f in found):5.3f}")
    print(f"geometric mean: memory {geometric_mean(f[3] for f in found):5.3f}, worst {max(f[3] for f in found):5.3f}")


if __name__ == "__main__":
    main()
