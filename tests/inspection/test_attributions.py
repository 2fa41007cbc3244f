"""Attributions: against differences and loops over public predictions, complete, and the same however X is passed."""

from copy import deepcopy
from functools import partial

import numpy as np
import pandas as pd
import pytest
from helpers import CELL_NAMES, raises
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from skrnn import (
    END,
    UNKNOWN,
    RNNNextTokenModel,
    RNNSequenceClassifier,
    RNNSequenceRegressor,
    RNNSequenceTagger,
)
from skrnn.inspection import _explained, attribute, hidden_states
from skrnn.preprocessing import SequenceScaler

SETTINGS = {"learning_rate": "cosine", "learning_rate_init": 0.05, "max_iter": 8, "random_state": 0}
LENGTHS = [4, 1, 6, 3, 6, 2]
METHODS = ["integrated_gradients", "gradient_x_input", "occlusion"]
STACKS = {"plain": {}, "deep, both ways": {"n_layers": 2, "bidirectional": True}}

each_method = pytest.mark.parametrize("method", METHODS)
each_stack = pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)


def make_X(rng, n_features=2, lengths=LENGTHS):
    return [rng.standard_normal((n, n_features)) for n in lengths]


def classifier(rng, n_classes=3, **options):
    X = make_X(rng)
    y = np.array(["no", "maybe", "yes"])[np.arange(len(X)) % n_classes]
    return RNNSequenceClassifier(5, **{**SETTINGS, **options}).fit(X, y), X


def log_odds(model, X, label):
    proba = model.predict_proba(X)
    p = proba[:, model.classes_.tolist().index(label)]
    return np.log(p) - np.log1p(-p)


def differences(function, X, step=1e-5):
    """For each sequence the central differences of its entry of function(X)."""
    found = []
    for i, x in enumerate(X):
        gradient = np.empty_like(x)
        for place in np.ndindex(x.shape):
            above, below = x.copy(), x.copy()
            above[place] += step
            below[place] -= step
            values = [function([*X[:i], moved, *X[i + 1 :]])[i] for moved in (above, below)]
            gradient[place] = (values[0] - values[1]) / (2 * step)
        found.append(gradient)
    return found


def without(x, step, k, value):
    changed = x.copy()
    changed[step, k] = value
    return changed


MODELS = {
    "class": lambda rng, **stack: (*classifier(rng, **stack), "maybe", lambda m, X: log_odds(m, X, "maybe")),
    "one of two classes": lambda rng, **stack: (
        *classifier(rng, 2, **stack),
        "no",
        lambda m, X: m.decision_function(X),
    ),
    "label": lambda rng, **stack: of_labels(rng, **stack),
    "number": lambda rng, **stack: of_numbers(rng, **stack),
    "gaussian": lambda rng, **stack: of_numbers(rng, loss="gaussian", **stack),
    "count": lambda rng, **stack: of_numbers(rng, loss="poisson", **stack),
    "number of a step": lambda rng, **stack: of_steps(rng, **stack),
    "label of a step": lambda rng, **stack: tags(rng, "log_loss", **stack),
    "label of a step in a chain": lambda rng, **stack: tags(rng, "crf", **stack),
}
"""A fitted model, its X, a target, and the function of model and X whose entries are explained."""


def of_labels(rng, **stack):
    X, Y = make_X(rng), rng.integers(0, 2, (len(LENGTHS), 3))
    return RNNSequenceClassifier(5, **SETTINGS, **stack).fit(X, Y), X, 2, lambda m, X: m.decision_function(X)[:, 2]


def of_numbers(rng, loss="squared_error", **stack):
    X, y = make_X(rng), rng.uniform(10, 90, (len(LENGTHS), 2)) * [1, 0.1]
    model = RNNSequenceRegressor(5, loss=loss, **SETTINGS, **stack).fit(X, y)
    return model, X, 1, lambda m, X: m.predict(X)[:, 1]


def of_steps(rng, **stack):
    X = make_X(rng)
    model = RNNSequenceRegressor(5, **SETTINGS, **stack).fit(X, [100 * x[:, 0] for x in X])
    return model, X, None, lambda m, X: np.array([y[-1] for y in m.predict(X)])


def tags(rng, loss, **stack):
    X = make_X(rng)
    y = [np.where(x[:, 0] > 0.5, "a", np.where(x[:, 1] > 0, "b", "c")) for x in X]
    model = RNNSequenceTagger(5, loss=loss, **SETTINGS).set_params(**{"bidirectional": False, **stack}).fit(X, y)

    def last_log_odds(model, X):
        p = np.array([proba[-1, 1] for proba in model.predict_proba(X)])
        return np.log(p) - np.log1p(-p)

    return model, X, "b", last_log_odds


@each_stack
@pytest.mark.parametrize("kind", MODELS)
def test_every_method_explains_what_is_predicted(kind, stack, rng):
    """The gradient by differences, occlusion by a loop, integrated gradients by what they add up to."""
    model, X, target, explained = MODELS[kind](rng, **stack)
    f = partial(explained, model)
    baseline = np.array([0.3, -0.2])

    found = {method: attribute(model, X, method=method, target=target, baseline=baseline) for method in METHODS}

    sign = -1 if kind == "one of two classes" and model.classes_[1] != target else 1
    assert all([a.shape for a in of_method] == [x.shape for x in X] for of_method in found.values())
    for a, x, gradient in zip(found["gradient_x_input"], X, differences(f, X), strict=True):
        assert_allclose(a, sign * (x - baseline) * gradient, rtol=1e-5, atol=1e-7 * max(1, np.abs(f(X)).max()))
    missed = sign * (f(X) - f([np.broadcast_to(baseline, x.shape) for x in X])) - [
        a.sum() for a in found["integrated_gradients"]
    ]
    assert (np.abs(missed) <= [0.01 * np.abs(a).sum() + 1e-9 for a in found["integrated_gradients"]]).all()
    for i, (a, x) in enumerate(zip(found["occlusion"], X, strict=True)):
        changed = [without(x, t, k, baseline[k]) for t in range(len(x)) for k in range(2)]
        assert_allclose(a.ravel(), sign * (f(X)[i] - f(changed)), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_integrated_gradients_are_complete_for_every_cell_and_pooling(cell, pooling, rng):
    model, X = classifier(rng, cell=cell, pooling=pooling)

    attributions = attribute(model, X, target="yes")

    wanted = log_odds(model, X, "yes") - log_odds(model, [0 * x for x in X], "yes")
    for a, total in zip(attributions, wanted, strict=True):
        assert abs(a.sum() - total) <= 0.01 * np.abs(a).sum() + 1e-9


def test_the_integral_is_refined_until_it_is_complete(rng):
    """One point is not enough, 16 are."""
    model, X = classifier(rng)
    X = [10 * x for x in X]

    coarse, fine = (attribute(model, X, target="yes", n_steps=n, tol=tol) for n, tol in ((1, 1e6), (1, 1e-3)))

    wanted = log_odds(model, X, "yes") - log_odds(model, [0 * x for x in X], "yes")
    missed = [np.abs([a.sum() for a in found] - wanted) for found in (coarse, fine)]
    assert missed[0].max() > 0.1
    assert (missed[1] <= [1e-3 * np.abs(a).sum() + 1e-9 for a in fine]).all()


def test_what_is_not_complete_is_warned_of(rng):
    model, X = classifier(rng, cell="relu", pooling="max")

    with pytest.warns(ConvergenceWarning, match=r"miss f\(x\) - f\(baseline\) by up to .*, at 16 points"):
        attribute(model, X, target="yes", n_steps=1, tol=1e-9)


def test_the_predicted_class_is_explained_by_default(rng):
    model, X = classifier(rng)
    tagger, *_ = tags(rng, "crf")

    assert_same(attribute(model, X), attribute(model, X, target=model.predict(X)))
    labels = [y[-1] for y in tagger.predict(X)]
    assert_same(attribute(tagger, X), attribute(tagger, X, target=labels, step=[len(x) - 1 for x in X]))


def test_the_likeliest_of_several_labels_is_explained_by_default(rng):
    model, X, *_ = of_labels(rng)

    assert_same(attribute(model, X), attribute(model, X, target=model.predict_proba(X).argmax(axis=1)))


def assert_same(a, b, rtol=1e-9, atol=1e-12):
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        assert_allclose(x, y, rtol=rtol, atol=atol)


@each_method
@each_stack
def test_a_sequence_has_the_same_attributions_alone_and_in_any_batch(method, stack, rng, monkeypatch):
    model, X = classifier(rng, **stack)

    whole = attribute(model, X, method=method, target="yes")

    assert_same(whole, [attribute(model, [x], method=method, target="yes")[0] for x in X])
    monkeypatch.setattr(_explained, "_MAX_STEPS", 1)
    monkeypatch.setattr(_explained, "_MAX_NUMBERS", 1)
    assert_same(whole, attribute(model, X, method=method, target="yes"))
    equal = rng.standard_normal((4, 5, 2))
    of_array, of_list = (attribute(model, x, method=method, target="yes") for x in (equal, list(equal)))
    assert_same(of_array, of_list)


def test_a_table_of_numbers_is_sequences_of_one_feature(rng):
    X = rng.standard_normal((6, 4))
    model = RNNSequenceClassifier(4, **SETTINGS).fit(X, [0, 1] * 3)

    assert_same(attribute(model, X, target=1), attribute(model, [x[:, None] for x in X], target=1))


@pytest.mark.parametrize("step", [0, 2, -1])
def test_a_step_is_chosen_for_all_sequences_or_for_each(step, rng):
    """Steps after the one whose prediction is explained say nothing to a network that reads forwards."""
    lengths = [4, 3, 6]
    X = make_X(rng, lengths=lengths)
    model = RNNSequenceRegressor(5, **SETTINGS).fit(X, [x[:, 0] for x in X])

    found = attribute(model, X, step=step)

    places = [step if step >= 0 else n + step for n in lengths]
    assert_same(found, attribute(model, X, step=places))
    assert_same([a[: k + 1] for a, k in zip(found, places)], attribute(model, [x[: k + 1] for x, k in zip(X, places)]))
    assert all((a[k + 1 :] == 0).all() for a, k in zip(found, places))


def test_truncated_training_does_not_truncate_attributions(rng):
    X = make_X(rng)
    model = RNNSequenceClassifier(5, bptt_steps=1, **SETTINGS).fit(X, [0, 1] * 3)

    wanted = differences(model.decision_function, X)

    found = attribute(model, X, target=1, method="gradient_x_input")
    assert_same(found, [x * gradient for x, gradient in zip(X, wanted)], rtol=1e-5, atol=1e-9)


def test_a_float32_model_is_explained_in_float64(rng):
    model, X = classifier(rng, dtype="float32")

    attributions = attribute(model, X, target="yes", tol=1e-5)

    wanted = log_odds(model, X, "yes") - log_odds(model, [0 * x for x in X], "yes")
    assert {a.dtype for a in attributions} == {np.dtype(np.float64)}
    assert_allclose([a.sum() for a in attributions], wanted, atol=1e-4)


def test_pipelines_and_searches_are_explained_by_what_their_last_step_sees(rng):
    X, y = make_X(rng, lengths=LENGTHS * 2), [0, 1] * 6
    pipeline = make_pipeline(SequenceScaler(), RNNSequenceClassifier(4, **SETTINGS))
    search = GridSearchCV(pipeline, {"rnnsequenceclassifier__alpha": [0.1]}, cv=2).fit(X, y)
    best = search.best_estimator_

    found = attribute(search, X, target=1)

    scaled = best[:-1].transform(X)
    assert_same(found, attribute(best, X, target=1))
    assert_same(found, attribute(best[-1], scaled, target=1))
    assert_same(found, attribute(FrozenEstimator(search), X, target=1))
    assert_same(found, attribute(Pipeline([("only", best[-1])]), scaled, target=1))
    assert_same(attribute(best, X, target=1, baseline=scaled), [np.zeros_like(x) for x in X])
    assert_same(hidden_states(search, X), hidden_states(best[-1], scaled))


def test_baselines_may_be_sequences(rng):
    model, X = classifier(rng)
    rows = np.array([0.5, -1.0])

    by_row = attribute(model, X, target="yes", baseline=rows)

    assert_same(by_row, attribute(model, X, target="yes", baseline=[np.tile(rows, (len(x), 1)) for x in X]))
    assert_same(attribute(model, X, baseline=0.0), attribute(model, X))
    assert_same(attribute(model, X, baseline=[2, 2]), attribute(model, X, baseline=2))


WORDS = [["open", "pay", "close"], ["open"], ["open", "close", "pay", "pay"], ["pay", "close"]]


def of_words(embedding_size, **stack):
    y = [0, 1, 0, 1]
    model = RNNSequenceClassifier(5, embedding_size=embedding_size, **SETTINGS, **stack).fit(WORDS, y)
    return model, lambda X: model.decision_function(X)


def silenced(model):
    """The model as it is for tokens that say nothing."""
    model = deepcopy(model)
    for name in ("embedding.E", "rnn.0.W_x", "rnn.0.reverse.W_x"):
        if name in model.weights_ and (name == "embedding.E" or "embedding.E" not in model.weights_):
            model.weights_[name][...] = 0
    return model


@pytest.mark.parametrize("embedding_size", [None, 3], ids=["one-hot", "vectors"])
@each_stack
def test_tokens_contribute_as_a_whole(embedding_size, stack):
    model, f = of_words(embedding_size, **stack)

    complete, occluded = (attribute(model, WORDS, target=1, method=method) for method in METHODS[::2])
    against_open = attribute(model, WORDS, target=1, baseline="open", method="occlusion")

    assert [a.shape for a in complete] == [(len(words),) for words in WORDS]
    assert_allclose([a.sum() for a in complete], f(WORDS) - silenced(model).decision_function(WORDS), atol=0.01)
    for words, a, b, value in zip(WORDS, occluded, against_open, f(WORDS), strict=True):
        for of, token in ((a, "never seen"), (b, "open")):
            changed = [[*words[:t], token, *words[t + 1 :]] for t in range(len(words))]
            changed.append(["pay"])  # a batch without any known token is warned of
            assert_allclose(of, value - f(changed)[:-1], atol=1e-10)


@each_method
def test_what_training_never_showed_is_the_baseline_of_tokens(method):
    model, _ = of_words(3)
    others = [["pay"] * len(words) for words in WORDS]

    assert_same(attribute(model, WORDS, method=method), attribute(model, WORDS, method=method, baseline=UNKNOWN))
    by_token, by_sequence = (attribute(model, WORDS, method=method, baseline=b) for b in ("pay", others))
    assert_same(by_token, by_sequence)
    assert all(abs(a[words.index("pay")]) < 1e-12 for a, words in zip(by_token, WORDS) if "pay" in words)


def make_frames(rng):
    return [
        pd.DataFrame(
            {"event": rng.choice([*"abc"], n), "amount": rng.normal(size=n), "kind": rng.choice(["x", "y"], n)}
        )
        for n in LENGTHS
    ]


@pytest.mark.parametrize("embedding_size", [None, 3], ids=["one-hot", "vectors"])
def test_categories_contribute_as_a_whole_and_in_their_columns(embedding_size, rng):
    frames = make_frames(rng)
    model = RNNSequenceClassifier(5, embedding_size=embedding_size, **SETTINGS).fit(frames, [0, 1] * 3)
    f = model.decision_function

    occluded, complete = (attribute(model, frames, target=1, method=method) for method in METHODS[::-2])

    nothing = [frame.assign(event="?", amount=0.0, kind="?") for frame in frames]
    with pytest.warns(UserWarning, match="No token of"):
        assert_allclose([a.sum() for a in complete], f(frames) - f(nothing), atol=0.01)
    for frame, a, value in zip(frames, occluded, f(frames), strict=True):
        assert a.shape == frame.shape
        for k, absent in enumerate(["?", 0.0, "?"]):
            changed = [frame.copy() for _ in range(len(frame))]
            for t, other in enumerate(changed):
                other.iloc[t, k] = absent
            assert_allclose(a[:, k], value - f([*changed, *frames])[: len(frame)], atol=1e-10)
    assert_same(attribute(model, frames, baseline=frames), [np.zeros(frame.shape) for frame in frames])


TEXTS = ["anna", "ann", "nana", "a", "ana"]


@pytest.fixture(scope="module")
def language():
    return RNNNextTokenModel(6, **{**SETTINGS, "max_iter": 20}).fit(TEXTS)


@pytest.mark.parametrize("embedding_size", [None, 4], ids=["one-hot", "vectors"])
@pytest.mark.parametrize("step", [None, 0, -1, [1, 2, 0, 0, 1]], ids=str)
def test_log_probability_of_a_token(embedding_size, step):
    model = RNNNextTokenModel(5, embedding_size=embedding_size, **SETTINGS).fit(TEXTS)
    places = [{None: len(x) - 1, 0: 0, -1: len(x) - 1}[step] if step in (None, 0, -1) else 0 for x in TEXTS]
    places = step if isinstance(step, list) else places

    complete = attribute(model, TEXTS, step=step, tol=1e-4)
    occluded = attribute(model, TEXTS, step=step, method="occlusion", baseline="n")

    def at(model, texts):
        return np.array([values[k] for values, k in zip(model.token_log_proba(texts), places)])

    begin = 4  # after "a", "n", END and UNKNOWN: it opens every sequence, and stays
    without_tokens = deepcopy(model)
    weights = without_tokens.weights_
    weights["embedding.E" if embedding_size else "rnn.0.W_x"][
        tuple([slice(begin)] if embedding_size else [slice(None), slice(begin)])
    ] = 0
    wanted = at(model, TEXTS) - at(without_tokens, TEXTS)
    assert_allclose([a.sum() for a in complete], wanted, atol=1e-4)
    for i, (text, a, k) in enumerate(zip(TEXTS, occluded, places, strict=True)):
        assert a.shape == complete[i].shape == (len(text),)
        assert (a[k:] == 0).all()
        assert (complete[i][k:] == 0).all()
        for t in range(k):
            (changed,) = model.token_log_proba([text[:t] + "n" + text[t + 1 :]])
            assert a[t] == pytest.approx(at(model, TEXTS)[i] - changed[k], abs=1e-10)


def test_what_comes_after_a_sequence(language):
    """A target without a step is what may come next."""
    after = attribute(language, [*TEXTS, ""], target="a", tol=1e-4)

    column = language.column_tokens_.tolist().index("a")
    assert [a.shape for a in after] == [(len(text),) for text in [*TEXTS, ""]]
    occluded = attribute(language, ["anna"], target="a", method="occlusion", baseline="n")[0]
    texts = ["anna", "nnna", "anna", "anna", "annn"]
    log_proba = np.log(language.predict_proba(texts)[:, column])
    assert_allclose(occluded, log_proba[0] - log_proba[1:], atol=1e-10)
    assert_same(attribute(language, ["annaa"], tol=1e-4)[0][None, :4], after[0][None])
    assert_same(attribute(language, ["anna"], step=4), attribute(language, ["anna"], target=END))


def test_a_constant_has_no_contributions(language):
    """UNKNOWN has one probability wherever it comes, since training showed none."""
    assert (attribute(language, ["anx"])[0] == 0).all()
    assert (attribute(language, ["an"], target=UNKNOWN)[0] == 0).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"method": "shap"},
            ValueError,
            "method is 'shap', but it must be one of integrated_gradients, ",
        ),
        ({"n_steps": 0}, ValueError, "n_steps is 0, but it must be an integer >= 1."),
        ({"tol": 0.0}, ValueError, "tol is 0.0, but it must be a number > 0."),
        ({"tol": "low"}, ValueError, "tol is 'low', but it must be a number > 0."),
        (
            {"target": "perhaps"},
            ValueError,
            "target is 'perhaps', which is not one of the classes ['maybe', 'no'",
        ),
        ({"target": 1}, ValueError, "target is 1, which is not one of the classes"),
        (
            {"target": ["no", "yes"]},
            ValueError,
            "target has 2 classes, but X has 6 sequences.",
        ),
        (
            {"step": 0},
            ValueError,
            "step chooses among predictions for each step, but the model has",
        ),
        (
            {"baseline": [1.0, 2.0, 3.0]},
            ValueError,
            "baseline has 3 numbers, but a step has 2. Pass one for",
        ),
        ({"baseline": np.nan}, ValueError, "baseline is not finite."),
        ({"baseline": [np.ones((3, 2))]}, ValueError, "baseline has 1 sequences, but X has 6. Pass one for each."),
        ({"baseline": [np.ones((3, 2))] * 6}, ValueError, "baseline[0] has 3 steps, but X[0] has 4. Pass as many."),
        ({"baseline": [np.ones((3, 1))] * 6}, ValueError, "baseline[0] has 1 feature"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_errors_say_what_is_wrong(arguments, error, message, rng):
    model, X = classifier(rng)

    with raises(error, message):
        attribute(model, X, **arguments)


def test_errors_of_numbers_and_steps(rng):
    model, X, *_ = of_numbers(rng)
    of_step, *_ = of_steps(rng)

    with raises(ValueError, "The model predicts 2 numbers, and target says which one to explain. Pass an integer"):
        attribute(model, X)
    with raises(ValueError, "target is 2, but the model predicts 2 numbers. Pass an integer from 0 to 1."):
        attribute(model, X, target=2)
    with raises(TypeError, "target is 'second'. Pass an integer, or one for each sequence."):
        attribute(model, X, target="second")
    with raises(ValueError, "target has shape (2,), but X has 6 sequences. Pass one integer, or one for each."):
        attribute(model, X, target=[0, 1])
    with raises(ValueError, "target is 1, but the model predicts 1 number. Pass an integer from 0 to 0."):
        attribute(of_step, X, target=1)
    with raises(ValueError, "step is 1, but X[1] has 1 steps. Pass one that every sequence has, or one for each."):
        attribute(of_step, X, step=1)
    with raises(ValueError, "step is -3, but X[1] has 1 steps."):
        attribute(of_step, X, step=-3)


def test_errors_of_tokens(language):
    words, _ = of_words(3)

    with raises(ValueError, "X[1] is empty, so there is no token to explain. Pass target, a token that may come."):
        attribute(language, ["an", ""])
    with raises(ValueError, "target is 'x', which is not in the vocabulary ['a', 'n', END, UNKNOWN]."):
        attribute(language, ["an"], target="x")
    with raises(ValueError, "target has 2 tokens, but X has 1 sequences. Pass one, or one for each."):
        attribute(language, ["an"], target=["a", "n"])
    with raises(ValueError, "baseline[0] has 3 steps, but X[0] has 2. Pass as many."):
        attribute(language, ["an"], baseline=["ann"])
    with raises(ValueError, "step is 3, but X[0] has 2 steps."):
        attribute(language, ["an"], step=3)
    with raises(ValueError, "baseline is END, which is predicted but never read. Pass a token, sequences like X, or"):
        attribute(language, ["an"], baseline=END)
    with raises(ValueError, "baseline is 'sell', which is not in the vocabulary"):
        attribute(words, WORDS, baseline="sell")
    with raises(ValueError, "baseline is END, which is not in the vocabulary"):
        attribute(words, WORDS, baseline=END)
    endless = RNNNextTokenModel(4, add_end_token=False, **SETTINGS).fit(TEXTS)
    with raises(ValueError, "X[0] has 2 tokens, and its end is not modelled, so there is no token to explain."):
        attribute(endless, ["an"], step=2)


def test_errors_of_models(rng):
    X, frames = make_X(rng), make_frames(rng)
    of_frames = RNNSequenceClassifier(4, **SETTINGS).fit(frames, [0, 1] * 3)
    of_one_class = RNNSequenceClassifier(4, **SETTINGS).fit(X, ["only"] * 6)

    for function in (attribute, hidden_states):
        with pytest.raises(NotFittedError):
            function(RNNSequenceClassifier(), X)
        with pytest.raises(NotFittedError):
            function(make_pipeline(SequenceScaler(), RNNSequenceClassifier()), X)
        with raises(TypeError, f"but {function.__name__} needs a fitted network of skrnn, such as an RNNSequence"):
            function(LogisticRegression(), X)
        with raises(TypeError, "model is, or ends with, GridSearchCV("):
            function(GridSearchCV(RNNSequenceClassifier(), {}), X)
    with raises(ValueError, "X has categories, so numbers cannot be its baseline. Pass sequences like X, or None."):
        attribute(of_frames, frames, baseline=0.0)
    with raises(ValueError, "The model knows one class, ['only'], so there is nothing to explain."):
        attribute(of_one_class, X)


@each_stack
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_hidden_states_end_at_what_is_pooled(stack, cell, rng):
    model, X = classifier(rng, cell=cell, **stack)

    states = hidden_states(model, X)

    n = 5
    ends = [np.append(s[-1, :n], s[0, n:]) for s in states]
    assert [s.shape for s in states] == [(len(x), n * (1 + bool(stack))) for x in X]
    assert_allclose(ends, model.transform(X), rtol=1e-10, atol=1e-12)
    assert_array_equal(hidden_states(model, X, layer=model.n_layers - 1)[0], states[0])
    assert hidden_states(model, X, layer=0)[2].shape == states[2].shape


def test_hidden_states_of_tokens_begin_after_the_first(language):
    states = hidden_states(language, [*TEXTS, ""])

    assert [s.shape for s in states] == [(len(text), 6) for text in [*TEXTS, ""]]
    assert_allclose([s[-1] for s in states[:-1]], language.transform(TEXTS), rtol=1e-10)
    assert_allclose(states[0][1], language.transform(["an"])[0], rtol=1e-10)


@pytest.mark.parametrize("layer", [1, -2, 0.5, "top"])
def test_hidden_states_of_a_layer_that_is_not_there(layer, rng):
    model, X = classifier(rng)

    with raises(ValueError, f"layer is {layer!r}, but the model has 1. Pass an integer with -1 <= layer < 1."):
        hidden_states(model, X, layer=layer)
