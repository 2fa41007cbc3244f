"""Whole processes: what an import costs, a cold start, memory, the size on disk, and long sequences.

Each script prints one JSON object; the wall time of the process is measured from outside.
"""

import json
import marshal
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

IMPORT = """
import json, time
import sklearn.base
start = time.perf_counter()
import {module}
print(json.dumps({{"seconds": time.perf_counter() - start}}))
"""

DATA = """
import json, resource, sys
import numpy as np

rng = np.random.default_rng(0)
X = [rng.standard_normal((n, 4), dtype=np.float32) for n in rng.integers(10, 31, size=200)]
y = np.array(["fast", "slow", "still"])[np.arange(200) % 3]
"""

PEAK = 'print(json.dumps({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))'

COLD_START = {
    "skrnn": DATA
    + """
from skrnn import RNNSequenceClassifier

RNNSequenceClassifier(64, cell="gru", max_iter=20, random_state=0).fit(X, y).predict(X)
"""
    + PEAK,
    "torch": DATA
    + """
import torch
from sklearn.base import BaseEstimator, ClassifierMixin


class Classifier(ClassifierMixin, BaseEstimator):
    def __init__(self, hidden_size=64, max_iter=20):
        self.hidden_size = hidden_size
        self.max_iter = max_iter

    def fit(self, X, y):
        self.classes_, targets = np.unique(y, return_inverse=True)
        self.rnn_ = torch.nn.GRU(X[0].shape[1], self.hidden_size, batch_first=True)
        self.head_ = torch.nn.Linear(self.hidden_size, len(self.classes_))
        parameters = [*self.rnn_.parameters(), *self.head_.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=3e-3)
        x, last = self._padded(X)
        targets = torch.from_numpy(targets)
        for _ in range(self.max_iter):
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(self._logits(x, last), targets).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
        return self

    def predict(self, X):
        with torch.inference_mode():
            return self.classes_[self._logits(*self._padded(X)).argmax(dim=1).numpy()]

    def _padded(self, X):
        x = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(x) for x in X], batch_first=True)
        return x, torch.tensor([len(x) - 1 for x in X])

    def _logits(self, x, last):
        return self.head_(self.rnn_(x)[0][torch.arange(len(x)), last])


Classifier().fit(X, y).predict(X)
"""
    + PEAK,
    "nothing": DATA + PEAK,
}

LONG_SEQUENCE = """
import json, resource, time, warnings
import numpy as np
from skrnn import RNNSequenceClassifier

warnings.simplefilter("ignore")
X = np.random.default_rng(0).standard_normal((2, {n_steps}, 4), dtype=np.float32)
model = RNNSequenceClassifier(128, cell="{cell}", batch_size=1, max_iter=1, recompute={recompute})
model.fit(X[:, :100], [0, 1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
model.fit(X, [0, 1])
seconds = (time.perf_counter() - start) / (2 * {n_steps})
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({{"seconds": seconds, "peak": peak}}))
"""


def run(script):
    """What a script says, and the seconds that its process took."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as a user's is
    command = [sys.executable, "-W", "ignore", "-c", script]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"In a process of its own:\n{done.stderr}")
    return {"wall": time.perf_counter() - start} | json.loads(done.stdout)


def installed_bytes(folder):
    """Size of a package: its files, and the bytecode that an installer adds."""
    total = 0
    for path in Path(folder).rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            total += path.stat().st_size
            if path.suffix == ".py":
                total += 16 + len(marshal.dumps(compile(path.read_bytes(), path, "exec")))
    return total


@contextmanager
def spinning(n):
    """Keep n cores busy meanwhile, by processes."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    time.sleep(0.5)
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def peak_megabytes(found):
    """Peak memory that a script printed; the unit of ru_maxrss is the kilobyte, on macOS the byte."""
    return found["peak"] / (2**20 if sys.platform == "darwin" else 2**10)
