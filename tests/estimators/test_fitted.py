"""What a fit leaves is one object: set in one step at its end, and read once by each prediction."""

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrnn import RNNNextTokenModel, RNNSequenceClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FITTED = {"n_iter_", "loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"}


def classifier(**params):
    return RNNSequenceClassifier(hidden_size=3, max_iter=1, random_state=0, **params)


def labelled(n_classes, hidden_size):
    """Parameters and arguments of a fit: sequences of one number a step, and labels, the last of them "class 1"."""
    X = [np.arange(1 + i % 5, dtype=float) - i % n_classes for i in range(24)]
    return {"hidden_size": hidden_size}, (X, [f"class {i % n_classes + 2 - n_classes}" for i in range(24)])


def token_model(**params):
    return RNNNextTokenModel(hidden_size=3, max_iter=1, random_state=0, **params)


def texts(letters, hidden_size, **params):
    return {"hidden_size": hidden_size, **params}, ([letters * 2, letters[::-1], letters[:2]] * 4,)


QUERY = [np.zeros(3), np.arange(4.0)]
STEPS = {"a": 0.0, "b": 1.0}
CLASSIFIER = classifier(), [labelled(2, 3), labelled(5, 6)]
TOKENS = (
    token_model(),
    [
        texts("abc", 3, embedding_size=None, add_end_token=True),
        texts("abcdefgh", 6, embedding_size=4, add_end_token=False),
    ],
)
PREDICTIONS = {
    "predict": (*CLASSIFIER, lambda model: model.predict(QUERY)),
    "predict_proba": (*CLASSIFIER, lambda model: model.predict_proba(QUERY)),
    "predict_log_proba": (*CLASSIFIER, lambda model: model.predict_log_proba(QUERY)),
    "score": (*CLASSIFIER, lambda model: model.score(QUERY, ["class 1", "class 0"])),
    "predict_proba_steps": (*CLASSIFIER, lambda model: np.concatenate(model.predict_proba_steps(QUERY))),
    "start of a classifier": (*CLASSIFIER, lambda model: list(model.start().update(STEPS).values())),
    "weights of a classifier": (*CLASSIFIER, lambda model: model.weights_["head.W_y"]),
    "predict_proba of tokens": (*TOKENS, lambda model: model.predict_proba(["ab", "c"])),
    "predict_top_k": (*TOKENS, lambda model: model.predict_top_k(["ab", "c"], 2)),
    "score_samples": (*TOKENS, lambda model: model.score_samples(["ab", "c"])),
    "perplexity": (*TOKENS, lambda model: model.perplexity(["ab", "c"])),
    "token_log_proba": (*TOKENS, lambda model: np.concatenate(model.token_log_proba(["ab", "c"]))),
    "token_rank": (*TOKENS, lambda model: np.concatenate(model.token_rank(["ab", "c"]))),
    "transform": (*TOKENS, lambda model: model.transform(["ab", "c"])),
    "generate": (*TOKENS, lambda model: model.generate("ab", max_new_tokens=3, random_state=0)),
    "start": (*TOKENS, lambda model: list(model.start().update({0: "a", 1: "c"}).values())),
    "columns": (*TOKENS, lambda model: model.column_tokens_),
}


def is_same(answer, wanted):
    answer, wanted = np.asarray(answer), np.asarray(wanted)
    return answer.dtype == wanted.dtype and answer.shape == wanted.shape and bool((answer == wanted).all())


@pytest.mark.parametrize(("model", "fits", "predict"), PREDICTIONS.values(), ids=PREDICTIONS)
def test_a_prediction_beside_a_refit_is_that_of_one_model(model, fits, predict):
    """Models of other shapes and classes take turns, and three threads predict: no answer mixes two of them."""
    model = clone(model)
    wanted = [predict(clone(model).set_params(**params).fit(*data)) for params, data in fits]
    assert not is_same(*wanted)
    model.set_params(**fits[0][0]).fit(*fits[0][1])
    is_over = threading.Event()

    def predict_again_and_again():
        answers = [predict(model)]
        while not is_over.is_set():
            answers.append(predict(model))
        return answers

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(predict_again_and_again) for _ in range(3)]
        try:
            for params, data in fits[::-1] * 2:
                model.set_params(**params).fit(*data)
        finally:
            is_over.set()
        answers = [answer for reader in readers for answer in reader.result()]

    assert all(any(is_same(answer, each) for each in wanted) for answer in answers)


@pytest.mark.parametrize(("model", "fits", "predict"), PREDICTIONS.values(), ids=PREDICTIONS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_prediction_reads_what_is_fitted_once(model, fits, predict, method):
    """A prediction that began before a refit gives the old model's answer: so it does if each read is a refit."""
    model = clone(model)
    (params, data), (other, other_data) = fits
    model.set_params(**params).fit(*data)
    wanted = predict(model)
    fitted, replacement = model._fitted, clone(model).set_params(**other).fit(*other_data)

    class ReadOnce(type(model)):
        n_reads = 0

        def __getattribute__(self, name):
            value = super().__getattribute__(name)
            if name == "_fitted":
                assert value is fitted
                self.__dict__ = {**vars(replacement), **self.get_params()}
            return value

    model.__class__ = ReadOnce
    answer = predict(model)
    model.__class__ = type(replacement)

    assert is_same(answer, wanted)
    assert model._fitted is replacement._fitted


@pytest.mark.parametrize(("model", "fits"), [CLASSIFIER, TOKENS], ids=["classifier", "tokens"])
class TestAttributes:
    def test_appear_with_the_fit(self, model, fits):
        model = clone(model)
        names = FITTED | {"weights_", "classes_"}
        for name in names:
            with pytest.raises((AttributeError, NotFittedError)):
                getattr(model, name)
        assert not any(hasattr(model, name) for name in names)

        model.fit(*fits[0][1])

        assert all(hasattr(model, name) for name in names)
        assert vars(model).keys() >= FITTED

    def test_a_failed_fit_leaves_the_very_object(self, model, fits):
        model = clone(model).fit(*fits[0][1])
        fitted, attributes = model._fitted, dict(vars(model))

        with pytest.raises((TypeError, ValueError)):
            model.fit([], *fits[0][1][1:])

        assert model._fitted is fitted
        assert all(vars(model)[name] is value for name, value in attributes.items())

    def test_a_copy_shares_it(self, model, fits):
        model = clone(model).fit(*fits[0][1])
        copied = copy.copy(model)
        assert copied._fitted is model._fitted

        fitted, curve = model._fitted, model.loss_curve_
        model.set_params(max_iter=2).fit(*fits[1][1])

        assert copied._fitted is fitted
        assert copied.loss_curve_ is curve
        assert len(model.loss_curve_) == 2

    def test_what_others_set_stays(self, model, fits):
        """Attributes of the user's own, and parameters that are set while a fit is under way."""
        model = clone(model)
        model.note_ = "mine"

        def score(estimator, X, y=None):
            model.set_params(verbose=0)
            return 0.0

        model.set_params(early_stopping=True, scoring=score).fit(*fits[0][1])

        assert model.note_ == "mine"
        assert model.verbose == 0
        assert model.fit(*fits[1][1]).note_ == "mine"

    def test_a_pickle_holds_no_parameter_twice(self, model, fits):
        """What X looked like is kept on an estimator without parameters, and those may be of any kind."""
        model = clone(model).set_params(early_stopping=True, scoring=lambda *_: 1.0).fit(*fits[0][1])
        assert not vars(model._fitted.reading.shape).keys() & model.get_params().keys()
        pickle.dumps(model.set_params(scoring="loss"))


def test_names_of_columns_go_with_the_fit_they_came_from():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.arange(24.0).reshape(8, 3), columns=list("abc"))
    y = [0, 1] * 4
    model = classifier().fit(frame, y)
    assert_array_equal(model.feature_names_in_, ["a", "b", "c"])

    model.fit([frame.to_numpy()] * 8, y)

    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 3
