"""What scikit-learn shows of an estimator in a notebook: links, a text for each parameter, and nothing that costs."""

import inspect
import re
import tracemalloc
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.ensemble import BaggingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skrnn
import skrnn.preprocessing
from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger
from skrnn._documentation import DOCUMENTATION_URL
from skrnn.core.model.network import Network
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PUBLIC = [getattr(module, name) for module in (skrnn, skrnn.preprocessing) for name in module.__all__]
ESTIMATORS = [cls for cls in PUBLIC if isinstance(cls, type) and issubclass(cls, BaseEstimator)]
REQUIRED = {
    "EarlyClassifier": {"estimator": RNNSequenceClassifier()},
    "StepTransformer": {"transformer": StandardScaler()},
}


def make(cls):
    return cls(**REQUIRED.get(cls.__name__, {}))


each_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda cls: cls.__name__)

HAS_TEXTS = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8)
HAS_ATTRIBUTES = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)
has_texts = pytest.mark.skipif(not HAS_TEXTS, reason="scikit-learn shows no texts before 1.8")

rng = np.random.default_rng(0)
X = [rng.normal(size=(n, 2)) for n in (3, 2, 4, 1)]
WORDS = ["ab", "b", "ba", "aab"]
LABELS = [["a"] * len(x) for x in X]
SMALL = {"hidden_size": 3, "max_iter": 2}
FITTED = {
    "classifier": lambda: RNNSequenceClassifier(**SMALL).fit(X, [0, 1, 0, 1]),
    "classifier of tokens": lambda: RNNSequenceClassifier(**SMALL).fit(WORDS, [0, 1, 0, 1]),
    "lbfgs": lambda: RNNSequenceClassifier(**SMALL, solver="lbfgs").fit(X, [0, 1, 0, 1]),
    "regressor": lambda: RNNSequenceRegressor(**SMALL).fit(X, [0, 1, 0, 1]),
    "regressor of steps": lambda: RNNSequenceRegressor(**SMALL).fit(X, [x[:, 0] for x in X]),
    "tagger": lambda: RNNSequenceTagger(**SMALL).fit(X, LABELS),
    "token model": lambda: RNNNextTokenModel(**SMALL).fit(WORDS),
    "without training state": lambda: RNNNextTokenModel(**SMALL).fit(WORDS).without_training_state(),
    "scaler": lambda: SequenceScaler().fit(X),
}
each_fitted = pytest.mark.parametrize("fit", FITTED.values(), ids=FITTED)


def texts_of(page):
    """Names of parameters and attributes that have a text, which is shown where the mouse rests on them."""
    found = re.findall(r'<span class="param-doc-description"[^>]*>\s*(\w+): .*?<br><br>(.*?)</span>', page, re.DOTALL)
    return {name: unescape(text).strip() for name, text in found}


def fitted_attributes(model):
    return {name for name in dir(model) if name.endswith("_") and not name.startswith("_") and hasattr(model, name)}


@each_estimator
def test_the_link_is_that_of_its_page(estimator):
    link = f"{DOCUMENTATION_URL}/generated/{estimator.__module__}.{estimator.__name__}.html"
    assert make(estimator)._get_doc_link() == link
    assert f'href="{link}"' in make(estimator)._repr_html_()


@each_estimator
def test_its_page_is_where_the_reference_writes_it(estimator):
    folder = Path(skrnn.__file__).parents[1] / "docs" / "api"
    section = (folder / "index.md").read_text().split(f".. currentmodule:: {estimator.__module__}\n", 1)[1]
    summary = section.partition("```")[0]

    assert re.search(rf"^   {estimator.__name__}$", summary, re.MULTILINE)
    toctree = re.search(r":toctree: (\S+)", summary).group(1)
    assert (folder / toctree).resolve() == folder.parent / "generated"


def test_classes_of_others_do_not_link_to_ours():
    class Mine(RNNSequenceClassifier):
        """Of the user."""

    assert Mine()._get_doc_link() == ""
    Mine()._repr_html_()


@has_texts
@each_estimator
def test_every_parameter_has_a_text(estimator):
    texts = texts_of(make(estimator)._repr_html_())

    assert texts.keys() >= inspect.signature(estimator).parameters.keys()
    assert all(len(text) > 10 and not re.fullmatch(r"\{\w+\}", text) for text in texts.values())


@pytest.mark.skipif(not HAS_ATTRIBUTES, reason="scikit-learn shows no attributes before 1.9")
@each_fitted
def test_every_attribute_is_shown_with_a_text(fit):
    model = fit()

    assert texts_of(model._repr_html_()).keys() - model.get_params().keys() == fitted_attributes(model)


@each_estimator
def test_nothing_is_there_before_a_fit(estimator):
    assert not fitted_attributes(make(estimator))
    inspect.getmembers(make(estimator))  # as scikit-learn does: only an AttributeError means that there is none
    assert estimator.__name__ in make(estimator)._repr_html_()


@each_fitted
def test_it_is_shown_without_a_change(fit):
    model = fit()
    before = dict(vars(model))

    pages = [each._repr_html_() for each in (model, model, make_pipeline(SequenceScaler(), model))]

    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())
    assert all(type(model).__name__ in page for page in pages)
    BaggingClassifier(model)._repr_html_()


@pytest.mark.parametrize("name", ["classifier", "tagger", "token model"])
def test_nothing_is_computed_to_show_it(name, monkeypatch):
    """Whatever a property asks of the network, it builds and runs none; what is missing to run one does not matter."""
    model = FITTED[name]()

    def fail(*args, **kwargs):
        raise AssertionError("a network was used")

    for method in ("using", "predict", "pool", "map_steps"):
        monkeypatch.setattr(Network, method, fail)
    monkeypatch.setenv("SKRNN_KERNELS", "no such kernels")
    model._repr_html_()
    inspect.getmembers(model)


@pytest.mark.parametrize(
    "fit",
    [
        lambda: RNNSequenceClassifier(400, n_layers=2, max_iter=1).fit(X, [0, 1, 0, 1]),
        lambda: RNNNextTokenModel(400, n_layers=2, max_iter=1).fit(WORDS),
    ],
    ids=["classifier", "token model"],
)
def test_no_weights_are_copied(fit):
    model = fit()
    model._repr_html_()  # reads the docstring and the templates once
    n_bytes = min(array.nbytes for name, array in model.weights_.items() if name.endswith("W_h"))

    tracemalloc.start()
    model._repr_html_()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < n_bytes / 4
    assert len(model._repr_html_()) < 300_000
