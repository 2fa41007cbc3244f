"""The public gradient check, and the plot of a training."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skrnn import RNNSequenceClassifier
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.model.network import Network
from skrnn.core.parameters import ParameterLayout
from skrnn.core.workspace import Workspace
from skrnn.inspection import TrainingCurveDisplay, check_gradient


def square(x):
    return float(np.sum(x**2)), 2 * x


@pytest.fixture
def of_network(rng):
    """Loss and gradient of a small network, its parameters and their layout."""
    network = Network.build("gru", n_inputs=2, hidden_size=3, n_classes=3)
    data = PackedSequences.from_arrays([rng.standard_normal((n, 2)) for n in (4, 1, 6)], np.float64)
    batch = network.batcher.batch(data, np.arange(3), np.array([0, 2, 1]), np.ones(3))

    def loss_gradient(params):
        gradient = np.zeros_like(params)
        return network.loss_gradient(params, batch, None, Workspace(np.float64), gradient)[0], gradient

    return loss_gradient, network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size), network.layout


def test_a_right_gradient_passes(of_network):
    loss_gradient, params, layout = of_network

    check = check_gradient(loss_gradient, params, layout=layout)

    assert check.passed, check
    assert check.error < 1e-8
    names = {"rnn.0.W_x", "rnn.0.W_h", "rnn.0.b", "rnn.0.b_hn", "head.W_y", "head.b_y"}
    assert {array.name for array in check.arrays} == names
    assert sum(array.n_checked for array in check.arrays) == layout.size
    assert str(check).endswith(f"The gradient is right: the largest relative error is {check.error:.1e}, tol=1e-06.")


def test_a_wrong_entry_is_found_by_name_and_place(of_network):
    loss_gradient, params, layout = of_network

    def wrong(params):
        loss, gradient = loss_gradient(params)
        layout.views(gradient)["rnn.0"]["W_h"][4, 1] *= 1.001
        return loss, gradient

    check = check_gradient(wrong, params, layout=layout)

    worst = check.arrays[0]
    assert not check.passed
    assert (worst.name, worst.place) == ("rnn.0.W_h", (4, 1))
    assert worst.gradient == pytest.approx(1.001 * worst.difference, rel=1e-6)
    assert all(array.error < check.tol for array in check.arrays[1:])
    assert "rnn.0.W_h" in str(check).splitlines()[1]
    assert "WRONG" in str(check)


def test_a_zero_gradient_is_not_measured_against_itself():
    layout = ParameterLayout({"part": {"used": (2,), "idle": (2,)}})

    check = check_gradient(lambda x: (np.exp(x[:2]).sum(), np.r_[np.exp(x[:2]), 0, 0]), np.ones(4), layout=layout)

    assert check.passed, check
    assert check_gradient(lambda x: (1.0, np.zeros_like(x)), np.ones(2)).error == 0


def test_a_sample_of_entries_costs_fewer_calls():
    n_calls = 0

    def counting(x):
        nonlocal n_calls
        n_calls += 1
        return square(x)

    check = check_gradient(counting, np.arange(1.0, 101), max_entries=5, random_state=0)

    assert check.passed
    assert (check.arrays[0].n_checked, n_calls) == (5, 11)
    places = [check_gradient(square, np.arange(1.0, 101), max_entries=5, random_state=0).arrays[0].place for _ in "ab"]
    assert places[0] == places[1]


def test_params_are_not_changed():
    params = np.array([1.0, 2.0])

    def careless(x):
        loss, gradient = square(x)
        x[:] = 0
        return loss, gradient

    assert check_gradient(careless, params).passed
    assert params.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (np.ones((2, 2)), r"params has shape \(2, 2\) and dtype float64\. Pass a vector of float64"),
        (np.ones(2, np.float32), r"params has shape \(2,\) and dtype float32\. Pass a vector of float64"),
    ],
)
def test_params_must_be_a_vector_of_float64(params, message):
    with pytest.raises(ValueError, match=message):
        check_gradient(square, params)


def test_layout_must_fit():
    with pytest.raises(ValueError, match=r"params has 2 entries, but layout describes 3\. Pass those of one network\."):
        check_gradient(square, np.ones(2), layout=ParameterLayout({"a": {"b": (3,)}}))


def test_gradient_must_have_the_shape_of_params():
    with pytest.raises(ValueError, match=r"returned a gradient of shape \(1,\), but params has \(2,\)"):
        check_gradient(lambda x: (0.0, x[:1]), np.ones(2))


def test_what_is_not_finite_cannot_be_compared():
    with pytest.raises(ValueError, match=r"The loss nan or its gradient is not finite at params"):
        check_gradient(lambda x: (np.nan, x), np.ones(2))
    with pytest.raises(ValueError, match=r"The loss is inf when params\[0\] is moved by 0\.1\. Pass a smaller step\."):
        check_gradient(lambda x: (np.inf if x[0] > 1 else 1.0, x), np.ones(2), step=0.1)


@pytest.fixture
def fitted():
    X = np.linspace(0, 1, 60).reshape(20, 3)
    model = RNNSequenceClassifier(hidden_size=2, max_iter=4, tol=0, n_iter_no_change=1, learning_rate="cosine")
    return model.set_params(random_state=0).fit(X, np.arange(20) % 2)


def test_training_curve_of_an_estimator(fitted):
    display = TrainingCurveDisplay.from_estimator(fitted, color="k")

    (line,) = display.ax_.lines
    assert line.get_ydata().tolist() == fitted.loss_curve_
    assert line.get_xdata().tolist() == list(range(1, fitted.n_iter_ + 1))
    assert line.get_color() == "k"
    assert display.validation_ax_ is None
    plt.close(display.figure_)


def test_training_curve_with_validation_scores_on_given_axes():
    figure, ax = plt.subplots()

    display = TrainingCurveDisplay([3.0, 2.0, 1.0], [0.5, 0.6]).plot(ax=ax)

    assert display.ax_ is ax
    assert display.validation_ax_.lines[0].get_xdata().tolist() == [2, 3]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training loss", "validation score"]
    plt.close(figure)


def test_training_curve_names_the_extra_where_matplotlib_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)

    with pytest.raises(
        ImportError, match=r"TrainingCurveDisplay needs matplotlib\. Install it with pip install 'skrnn\[plot\]'"
    ):
        TrainingCurveDisplay([1.0]).plot()
