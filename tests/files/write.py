"""Write files that every later version reads: PYTHONPATH=tests python -m files.write

One of each estimator in the present format, beside what it predicts. A file that is there is never written again: a
format that changes gets files of its own.
"""

import pickle
import warnings
from pathlib import Path

import numpy as np

from skrnn import RNNNextTokenModel, RNNSequenceClassifier
from skrnn._files import FORMAT

FOLDER = Path(__file__).parent
SEQUENCES = [np.array([[0.0, 1.0], [1.0, 0.5]]), np.array([[2.0, -1.0]]), np.linspace(-1, 1, 10).reshape(5, 2)]
WORDS = ["mama", "papa", "ma"]
ESTIMATORS = {
    "classifier": RNNSequenceClassifier(4, max_iter=3, early_stopping=True, random_state=0),
    "token_model": RNNNextTokenModel(4, max_iter=3, embedding_size=None, bptt_steps=3, random_state=0),
}


def fit(name):
    """Fit an estimator on a few sequences."""
    if name == "token_model":
        return ESTIMATORS[name].fit(WORDS * 4)
    return ESTIMATORS[name].fit(SEQUENCES * 4, ["up", "down", "up"] * 4)


def proba(model):
    """Return what a model predicts of sequences that never change."""
    return model.predict_proba(WORDS if hasattr(model, "generate") else SEQUENCES)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name in ESTIMATORS:
        model, path = fit(name), FOLDER / f"format_{FORMAT}_{name}.pickle"
        if not path.exists():
            path.write_bytes(pickle.dumps(model, protocol=2))
            np.save(path.with_suffix(".npy"), proba(model))
