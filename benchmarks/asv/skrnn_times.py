"""What `nox -s benchmarks` times: fits and predictions of a fraction of a second, by cell and by what computes."""

import os
import subprocess
import sys
import warnings

import numpy as np

from skrnn import RNNNextTokenModel, RNNSequenceClassifier
from skrnn.datasets import load_names

CELLS = ["tanh", "gru", "lstm"]
KERNELS = ["numpy", "numba"]


class Timed:
    """Set up once for each pair of parameters, with the kernels compiled before anything is timed."""

    params = (CELLS, KERNELS)
    param_names = ("cell", "kernels")
    number, repeat, rounds, warmup_time, min_run_count = 1, (3, 10, 3.0), 1, 0, 3

    def setup(self, cell, kernels):
        os.environ["SKRNN_KERNELS"] = kernels
        warnings.simplefilter("ignore")
        self.prepare(cell)


class Classifier(Timed):
    def prepare(self, cell):
        rng = np.random.default_rng(0)
        lengths = rng.integers(20, 80, 256)
        self.X, self.y = [rng.normal(size=(n, 12)).astype("f") for n in lengths], np.arange(256) % 8
        self.model = RNNSequenceClassifier(
            64, cell=cell, batch_size=64, max_iter=5, tol=0, n_iter_no_change=np.inf, random_state=0
        ).fit(self.X, self.y)

    def time_fit(self, cell, kernels):
        self.model.fit(self.X, self.y)

    def time_predict(self, cell, kernels):
        self.model.predict_proba(self.X)

    def peakmem_fit(self, cell, kernels):
        self.model.fit(self.X, self.y)


class TokenModel(Timed):
    def prepare(self, cell):
        self.names = load_names().data[:500]
        self.model = RNNNextTokenModel(64, cell=cell, max_iter=2, n_iter_no_change=np.inf, random_state=0)
        self.model.fit(self.names)

    def time_fit(self, cell, kernels):
        self.model.fit(self.names)

    def time_score(self, cell, kernels):
        self.model.score_samples(self.names)

    def time_generate(self, cell, kernels):
        self.model.generate("Ma", max_new_tokens=200, random_state=0)


class Import:
    number, repeat, rounds, warmup_time = 1, 5, 1, 0

    def time_import(self):
        subprocess.run([sys.executable, "-c", "import skrnn"], check=True)
