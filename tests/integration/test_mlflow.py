"""MLflow saves models in files of skops, and reads columns of sequences by their signature."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from integration.libraries import need
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import skrnn
from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger
from skrnn.preprocessing import SequenceScaler

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
mlflow = need("mlflow")
from mlflow.models import infer_signature  # noqa: E402

flavour = need("mlflow.sklearn")
pd = need("pandas")

pytestmark = pytest.mark.filterwarnings("ignore", "error:.*feature names")  # of MLflow and what it imports

rng = np.random.default_rng(0)
FEATURES = [rng.normal(size=(n, 2)).tolist() for n in (2, 3, 4, 2, 3, 1, 2, 2)]
NUMBERS = [[step[0] for step in x] for x in FEATURES]
TOKENS = [["a", "b"], ["b"], ["c", "a", "a"], ["b", "b"]] * 2
Y = ["no", "yes"] * 4
SETTINGS = {"hidden_size": 3, "max_iter": 2, "random_state": 0}
CASES = {
    "features": (
        make_pipeline(SequenceScaler(), RNNSequenceClassifier(**SETTINGS)),
        FEATURES,
        Y,
        "Array(Array(double))",
    ),
    "numbers": (RNNSequenceRegressor(**SETTINGS), NUMBERS, np.arange(8.0), "Array(double)"),
    "tokens": (RNNSequenceClassifier(**SETTINGS), TOKENS, Y, "Array(string)"),
    "tags": (RNNSequenceTagger(**SETTINGS), TOKENS, TOKENS, "Array(string)"),
    "token model": (RNNNextTokenModel(**SETTINGS), TOKENS, None, "Array(string)"),
}


@pytest.fixture
def local_store(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    yield
    mlflow.set_tracking_uri(before)


def as_lists(predicted):
    return [np.asarray(value).tolist() for value in predicted]


@pytest.mark.parametrize(("model", "sequences", "y", "kind"), CASES.values(), ids=CASES)
def test_what_is_saved_predicts_the_same(model, sequences, y, kind, tmp_path):
    frame = pd.DataFrame({"sequence": sequences})
    predicted = model.fit(frame, y).predict(frame)
    assert model.n_features_in_ == 1

    signature = infer_signature(frame, None if isinstance(model, RNNSequenceTagger) else predicted)
    assert f"['sequence': {kind} (required)]" in str(signature)
    flavour.save_model(
        model,
        tmp_path / "model",
        signature=signature,
        pip_requirements=["skrnn"],
        skops_trusted_types=list(skrnn.TRUSTED_TYPES),
    )

    loaded = flavour.load_model(str(tmp_path / "model"))
    assert as_lists(loaded.predict(frame)) == as_lists(predicted)
    served = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert as_lists(served.predict(frame)) == as_lists(predicted)
    assert as_lists(served.predict(frame[:1])) == as_lists(predicted[:1])
    with pytest.raises(mlflow.exceptions.MlflowException, match="schema"):
        served.predict(pd.DataFrame({"sequence": [1.0, 2.0]}))


def test_the_recipe_of_the_user_guide(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (Path(skrnn.__file__).parents[1] / "docs" / "user_guide" / "scikit_learn.md").read_text()
    (code,) = re.findall(r"```python\n(import mlflow\n.*?)```", page, re.DOTALL)
    X, model = list(map(np.array, FEATURES)), clone(CASES["features"][0])
    names = {"X": X, "y": Y, "model": model, "skrnn": skrnn}

    exec(code, names)

    assert_array_equal(names["served"].predict(names["frame"]), model.predict(X))
    assert_array_equal(flavour.load_model("model").predict_proba(X), model.predict_proba(X))


@pytest.mark.usefixtures("local_store")
def test_a_run_logs_a_model():
    frame = pd.DataFrame({"sequence": FEATURES})
    model = CASES["features"][0].fit(frame, Y)
    with mlflow.start_run():
        mlflow.log_metric("loss", model[-1].loss_)
        logged = flavour.log_model(
            model,
            name="model",
            signature=infer_signature(frame, model.predict(frame)),
            pip_requirements=["skrnn"],
            skops_trusted_types=list(skrnn.TRUSTED_TYPES),
        )

    served = mlflow.pyfunc.load_model(logged.model_uri)

    assert_array_equal(served.predict(frame), model.predict(frame))
