"""Write files that every later version reads: PYTHONPATH=tests python -m files.write

One of each estimator in the present format, beside what it predicts. A file that is there is never written again: a
format that changes gets files of its own.
"""

import pickle
import warnings
from pathlib import Path

import numpy as np

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger
from skrnn._files import FORMAT

FOLDER = Path(__file__).parent
SEQUENCES = [np.array([[0.0, 1.0], [1.0, 0.5]]), np.array([[2.0, -1.0]]), np.linspace(-1, 1, 10).reshape(5, 2)]
WORDS = ["mama", "papa", "ma"]
ESTIMATORS = {
    "classifier": RNNSequenceClassifier(4, max_iter=3, early_stopping=True, random_state=0),
    "token_model": RNNNextTokenModel(4, max_iter=3, embedding_size=None, bptt_steps=3, random_state=0),
    "regressor": RNNSequenceRegressor(4, loss="gaussian", max_iter=3, cell="lstm", random_state=0),
    "tagger": RNNSequenceTagger(4, max_iter=3, random_state=0),
    "classifier_of_tokens": RNNSequenceClassifier(4, max_iter=3, embedding_size=2, random_state=0),
    "classifier_of_categories": RNNSequenceClassifier(4, max_iter=3, categorical_features=[1], random_state=0),
    "classifier_of_several_labels": RNNSequenceClassifier(4, max_iter=3, random_state=0),
}
DATA = {
    "token_model": (WORDS * 4,),
    "regressor": (SEQUENCES * 4, [1.0, 2.0, 4.0] * 4),
    "tagger": (SEQUENCES * 4, [["up", "down"], ["down"], ["up"] * 5] * 4),
    "classifier_of_tokens": (WORDS * 4, ["up", "down", "up"] * 4),
    "classifier_of_several_labels": (SEQUENCES * 4, np.array([[0, 1], [1, 1], [0, 0]] * 4)),
}
"""Of `fit`, where it is not that of the classifier."""


def data(name):
    """What an estimator is fitted on."""
    return DATA.get(name, (SEQUENCES * 4, ["up", "down", "up"] * 4))


def fit(name):
    """Fit an estimator on a few sequences."""
    return ESTIMATORS[name].fit(*data(name))


def predicted(model, name):
    """Return what a model predicts of sequences that never change, in one array."""
    X = data(name)[0][:3]
    if name == "regressor":
        return np.stack(model.predict(X, return_std=True))
    values = model.predict_proba(X)
    return np.concatenate(list(values)) if values.dtype == object else values


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name in ESTIMATORS:
        model, path = fit(name), FOLDER / f"format_{FORMAT}_{name}.pickle"
        if not path.exists():
            path.write_bytes(pickle.dumps(model, protocol=2))
            np.save(path.with_suffix(".npy"), predicted(model, name))
