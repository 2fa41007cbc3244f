"""What the wheel does where only its hard dependencies are installed: `nox -s wheel` runs this in an empty folder."""

import pickle
import sys
import warnings
from importlib.util import find_spec

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skrnn
from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger
from skrnn.datasets import load_japanese_vowels, load_names
from skrnn.preprocessing import SequenceScaler

EXTRAS = ("matplotlib", "numba", "onnx", "pandas", "polars", "pyarrow", "rich", "skops", "torch")


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    there = [name for name in EXTRAS if find_spec(name)]
    assert not there, f"Not a bare environment: {there}."
    X, y = load_japanese_vowels(return_X_y=True)
    quick = {"hidden_size": 8, "max_iter": 3, "random_state": 0}
    model = make_pipeline(SequenceScaler(), RNNSequenceClassifier(hidden_size=32, max_iter=60, random_state=0)).fit(
        X, y
    )
    assert model.score(*load_japanese_vowels(subset="test", return_X_y=True)) > 0.8
    search = GridSearchCV(RNNSequenceClassifier(**quick), {"cell": ["tanh", "gru", "lstm"]}, cv=2, n_jobs=2)
    fitted = [
        model,
        search.fit(X[:40], y[:40]).best_estimator_,
        RNNSequenceRegressor(**quick).fit(X, [len(x) for x in X]),
        RNNSequenceTagger(**quick).fit(X, [x[:, 0] > 0 for x in X]),
    ]
    for estimator in fitted:
        again, before = pickle.loads(pickle.dumps(estimator)).predict(X), estimator.predict(X)
        assert all(np.array_equal(a, b) for a, b in zip(again, before, strict=True))
    names = RNNNextTokenModel(**quick).fit(load_names().data[:200])
    assert isinstance(names.generate("Ma", max_new_tokens=5, random_state=0), str)
    assert "site-packages" in skrnn.__file__
    assert not set(EXTRAS) & set(sys.modules)
    print(f"skrnn {skrnn.__version__} works on Python {sys.version.split()[0]} with numpy {np.__version__}.")


if __name__ == "__main__":
    main()
