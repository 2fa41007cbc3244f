"""What a file may hold, what is said of one that cannot be read, and what a file of another process does."""

import os
import pickle
import subprocess
import sys
import threading
from io import BytesIO

import numpy as np
import pytest
import skops.io
from files import write
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceTagger, SequenceStream, TokenStream
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = [np.sin(np.arange(n * 2.0)).reshape(n, 2) * (-1) ** n for n in (3, 5, 2, 4, 1, 6, 3, 5)]
Y = ["even" if len(x) % 2 == 0 else "odd" for x in X]
WORDS = ["abc", "bca", "cab", "aab"]
WEIGHTS = np.arange(1.0, 9.0)


def classifier(**params):
    return RNNSequenceClassifier(**{"hidden_size": 4, "max_iter": 3, "random_state": 0, **params})


def token_model(**params):
    return RNNNextTokenModel(**{"hidden_size": 4, "max_iter": 3, "random_state": 0, **params})


class Narrow(pickle.Unpickler):
    """Finds nothing but what makes arrays, and public classes of skrnn."""

    def find_class(self, module, name):
        known = {
            "skrnn": {"RNNSequenceClassifier", "RNNNextTokenModel", "SequenceStream", "TokenStream"},
            "numpy": {"ndarray", "dtype", "_reconstruct", "_frombuffer", "float64"},  # the last is a parameter: dtype
            "_codecs": {"encode"},  # how protocol 2 writes bytes
        }
        if name in known.get(module.partition(".")[0], ()) and not module.startswith("skrnn."):
            return super().find_class(module, name)
        raise AssertionError(f"The file asks for {module}.{name}.")


@pytest.mark.parametrize("protocol", range(2, 6))
def test_an_unpickler_that_knows_arrays_and_the_class_reads_every_object(protocol):
    token = token_model().fit(WORDS)
    weighted = classifier(class_weight="balanced").fit(X, Y, WEIGHTS)
    streams = weighted.start(), token.start(2)
    streams[0].update({"a": X[0][0]})
    streams[1].update({"a": "b"})
    for made in (weighted, classifier(early_stopping=True).fit(X, Y), token, *streams, classifier()):
        read = Narrow(BytesIO(pickle.dumps(made, protocol))).load()

        assert type(read) is type(made)


@pytest.mark.parametrize("model", [classifier(), classifier(class_weight="balanced"), token_model()])
def test_weights_of_the_user_continue_to_the_same_bits(model):
    arguments = {"X": X, "y": Y} if isinstance(model, RNNSequenceClassifier) else {"X": WORDS * 2}
    arguments["sample_weight"] = WEIGHTS
    model.set_params(warm_start=True).fit(**arguments)
    data = skops.io.dumps(model)
    trusted = [f"skrnn.{type(model).__name__}"]

    for read in (pickle.loads(pickle.dumps(model)), skops.io.loads(data, trusted=trusted)):
        read.fit(**arguments)
        again = pickle.loads(pickle.dumps(model)).fit(**arguments)
        assert read.loss_curve_ == again.loss_curve_
        assert_array_equal(read._fitted.params, again._fitted.params)


@pytest.mark.parametrize(
    "tokens",
    [[True, False], [0.5, 1.25], [2**80, -(2**70)], ["a\0", "a"], np.array([1, 2], "int8"), np.array(["a", "bcd"])],
)
def test_tokens_and_their_types_come_back_exactly(tokens):
    model = token_model().fit([tokens] * 3)
    data = skops.io.dumps(model)

    for read in (pickle.loads(pickle.dumps(model)), skops.io.loads(data, trusted=["skrnn.RNNNextTokenModel"])):
        assert_array_equal(read.classes_, model.classes_, strict=True)
        assert list(map(type, read.classes_.tolist())) == list(map(type, model.classes_.tolist()))
        assert_array_equal(read.predict_proba([tokens]), model.predict_proba([tokens]))


def test_a_pipeline_of_skrnn_is_to_be_trusted_by_the_names_of_its_steps():
    model = make_pipeline(SequenceScaler(), classifier()).fit(X, Y)

    untrusted = skops.io.get_untrusted_types(data=skops.io.dumps(model))

    assert "skrnn.RNNSequenceClassifier" in untrusted
    assert not [name for name in untrusted if name.startswith("skrnn._") or name.startswith("skrnn.core")]


def without(values, *names):
    """Return nested dicts without one entry."""
    first, *others = names
    if not others:
        return {name: value for name, value in values.items() if name != first}
    return {**values, first: without(values[first], *others)}


def put(values, new, *names):
    """Return nested dicts with another entry."""
    first, *others = names
    return {**values, first: put(values[first], new, *others) if others else new}


DAMAGED = {
    "without attributes": lambda state: without(state, "attributes"),
    "without what is fitted": lambda state: without(state, "fitted"),
    "attributes that are none": lambda state: put(state, None, "attributes"),
    **{
        f"without {name}": lambda state, name=name: without(state, "fitted", name)
        for name in ("reading", "network", "params", "training")
    },
    "without a monitor": lambda state: without(state, "fitted", "training", "monitor"),
    "too few parameters": lambda state: put(state, state["fitted"]["params"][:-1], "fitted", "params"),
    "text as parameters": lambda state: put(state, "abc", "fitted", "params"),
    "too few to continue": lambda state: put(state, np.zeros(3), "fitted", "training", "params"),
    "too few moments": lambda state: put(state, {"mean": np.zeros(3)}, "fitted", "training", "moments"),
    "too few best parameters": lambda state: put(state, np.zeros(3), "fitted", "training", "monitor", "best_params"),
    "another generator": lambda state: put(state, "MT19937", "fitted", "training", "random_state", "bit_generator"),
    "another cell": lambda state: put(state, "none", "fitted", "network", "cell"),
    "one argument more": lambda state: put(state, 1, "fitted", "network", "more"),
}


def load(made, state):
    new = type(made).__new__(type(made))
    new.__setstate__(state)
    return new


@pytest.fixture(scope="module")
def models():
    return [classifier().fit(X, Y), token_model().fit(WORDS)]


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_damaged_values_raise_one_error_that_says_what_to_do(damage, models):
    for model in models:
        name = type(model).__name__
        message = rf"^The file holds a {name} in format 1, but its values do not fit together: \w+Error: .*Write"
        with pytest.raises(ValueError, match=message):
            load(model, damage(model.__getstate__()))


def test_values_of_another_class_raise(models):
    first, second = models
    for model, other in ((first, second), (second, first)):
        with pytest.raises(ValueError, match="They are damaged, or those of another class"):
            load(model, other.__getstate__())


def test_a_damaged_stream_raises(models):
    for model, kind in zip(models, (SequenceStream, TokenStream), strict=True):
        stream, name = model.start(2), kind.__name__
        values = stream.__getstate__()

        wrong = {"keys": ["a"], "layers": [], "carried": [np.zeros((3, 0))] * 3, "model": None}
        damaged = [{**values, part: value} for part, value in wrong.items()]
        for values_of_file in [*damaged, *(without(values, part) for part in (*wrong, "max_streams"))]:
            with pytest.raises(ValueError, match=f"^The file holds a {name} in format 1, but its values do not fit"):
                load(stream, values_of_file)
        with pytest.raises(ValueError, match=f"^The file holds a {name} in format 2, written by skrnn "):
            load(stream, {**values, "format": 2})
        assert type(load(stream, values)) is kind


@pytest.mark.parametrize("number", ["1", True, 1.0, None, 0, 2, np.arange(3)])
def test_a_format_is_an_integer(number, models):
    with pytest.raises(ValueError, match=r"^The file holds a RNNSequenceClassifier in format .* reads format 1\."):
        load(models[0], {**models[0].__getstate__(), "format": number})


@pytest.mark.parametrize("name", write.ESTIMATORS)
def test_training_of_a_file_of_format_1_continues(name):
    """A best score so far that nothing can beat is kept: later versions watch the same."""
    model = pickle.loads((write.FOLDER / f"format_1_{name}.pickle").read_bytes())
    arguments = write.data(name)
    model = load(model, put(model.__getstate__(), 0.0, "fitted", "training", "monitor", "best_score"))

    model.set_params(warm_start=True, max_iter=1).fit(*arguments)

    assert len(model.loss_curve_) == 4
    nothing = model._fitted.network.loss.in_units(0.0)
    assert (model.best_validation_score_ if model.early_stopping else model.best_loss_) == nothing


def test_a_file_names_no_class_of_the_engine_in_its_texts(models):
    """A class that gets another name would make a training that continues forget its best parameters."""
    for model in models:
        criterion = model.__getstate__()["fitted"]["training"]["monitor"]["criterion"]
        assert criterion.startswith("training loss, alpha=")


SCRIPT = """
import pickle, sys, warnings
warnings.simplefilter("ignore")
model, arguments = pickle.load(sys.stdin.buffer)
proba = model.predict_proba(arguments[0])
model.set_params(warm_start=True).fit(*arguments)
sys.stdout.buffer.write(pickle.dumps((proba, model)))
"""


def elsewhere(model, arguments, **environment):
    """What another process predicts, and the model after it continued."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    data = pickle.dumps((model, arguments))
    done = subprocess.run([sys.executable, "-c", SCRIPT], input=data, env=environment, capture_output=True, check=True)
    return pickle.loads(done.stdout)


CONTINUED = {
    "classifier": (classifier(), (X, Y)),
    "early stopping": (classifier(early_stopping=True, cell="lstm"), (X, Y)),
    "tokens": (token_model(dropout=0.2), (WORDS,)),
}


@pytest.mark.parametrize(("model", "arguments"), CONTINUED.values(), ids=CONTINUED)
def test_another_process_continues_to_the_same_bits(model, arguments):
    model.fit(*arguments)
    proba = model.predict_proba(arguments[0])

    predicted, continued = elsewhere(model, arguments, PYTHONHASHSEED="7")

    model.set_params(warm_start=True).fit(*arguments)
    for got, wanted in zip(predicted, proba, strict=True):
        assert_array_equal(got, wanted)
    assert continued.loss_curve_ == model.loss_curve_
    assert_array_equal(continued._fitted.params, model._fitted.params)


@pytest.mark.parametrize(("model", "arguments"), CONTINUED.values(), ids=CONTINUED)
def test_a_cpu_of_fewer_instructions_predicts_the_same(model, arguments):
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    wide = [name for name in found if name.startswith("AVX512") or name == "X86_V4"]
    if not wide:
        pytest.skip("NumPy uses no instructions on this machine that could be disabled")
    model.set_params(warm_start=False).fit(*arguments)

    predicted, _ = elsewhere(model, arguments, NPY_DISABLE_CPU_FEATURES=" ".join(wide))

    for got, wanted in zip(predicted, model.predict_proba(arguments[0]), strict=True):
        assert_allclose(got, wanted, rtol=0, atol=1e-12)


def test_a_file_written_during_a_fit_holds_one_model():
    """Parameters and history of the same fit: the number of epochs says which."""
    model = classifier(max_iter=2).fit(X, Y)
    wanted = {2: model.predict_proba(X)}
    wanted[3] = classifier(max_iter=3).fit(X, Y).predict_proba(X)
    is_done = threading.Event()

    def fit():
        for _ in range(10):
            for max_iter in (3, 2):
                model.set_params(max_iter=max_iter).fit(X, Y)
        is_done.set()

    thread = threading.Thread(target=fit)
    thread.start()
    while not is_done.is_set():
        read = pickle.loads(pickle.dumps(model))
        assert_array_equal(read.predict_proba(X), wanted[read.n_iter_])
    thread.join()


def test_other_weights_of_labels_are_another_loss():
    """Losses cannot be compared with those before: the best so far counts no more, as with other data."""
    labels = [["+" if v > 0 else "-" for v in x[:, 0]] for x in X]
    model = RNNSequenceTagger(4, loss="log_loss", max_iter=2, warm_start=True, random_state=0).fit(X, labels)

    model.set_params(class_weight={"+": 1000.0, "-": 1000.0}).fit(X, labels)

    assert model.best_loss_ == min(model.loss_curve_[2:])
