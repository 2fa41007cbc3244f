"""Displays of states, attributions, probabilities, surprise and networks: what they show, and of which model."""

import re
import sys
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from helpers import raises
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrnn import (
    END,
    RNNNextTokenModel,
    RNNSequenceClassifier,
    RNNSequenceRegressor,
    RNNSequenceTagger,
)
from skrnn.inspection import (
    AttributionDisplay,
    ClassProbabilityDisplay,
    HiddenStatesDisplay,
    NetworkDisplay,
    TokenSurpriseDisplay,
    attribute,
    hidden_states,
)
from skrnn.preprocessing import SequenceScaler

SETTINGS = {"learning_rate": "cosine", "learning_rate_init": 0.05, "max_iter": 8, "random_state": 0}
WORDS = [["open", "pay", "close"], ["open"], ["open", "close", "pay", "pay"], ["pay", "close"]]
X = [np.random.default_rng(n).standard_normal((n, 3)) for n in (4, 2, 6, 3, 5, 7)]
Y = ["no", "yes", "maybe"] * 2


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def of_numbers():
    return make_pipeline(SequenceScaler(), RNNSequenceClassifier(5, **SETTINGS)).fit(X, Y)


@pytest.fixture(scope="module")
def of_words():
    return RNNSequenceClassifier(5, **SETTINGS).fit(WORDS, [0, 1, 0, 1])


@pytest.fixture(scope="module")
def language():
    return RNNNextTokenModel(6, **SETTINGS).fit(["anna", "ann <b>", "nana", "a&a", "ana\n$n$"])


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def boxes(ax):
    """Colours of the boxes of tokens, and where they are."""
    patches = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    return [to_hex(patch.get_facecolor()) for patch in patches], [patch.get_xy() for patch in patches]


class Tokens(HTMLParser):
    """What a page shows of each token: its text, its title and the opacity of its colour."""

    def __init__(self, html):
        super().__init__()
        self.texts, self.titles, self.colours = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "span":
            attributes = dict(attributes)
            self.titles.append(attributes["title"])
            self.colours.append(tuple(map(float, re.search(r"rgba\((.*?)\)", attributes["style"])[1].split(","))))
            self.texts.append("")

    def handle_data(self, data):
        if self.texts and self.lasttag == "span" and data != " ":
            self.texts[-1] += data


def test_attributions_of_features_are_a_picture(of_numbers):
    display = AttributionDisplay.from_estimator(of_numbers, X[2], target="yes", method="occlusion")

    (image,) = display.ax_.images
    (wanted,) = attribute(of_numbers, [X[2]], target="yes", method="occlusion")
    assert_allclose(image.get_array(), wanted.T, atol=1e-12)
    assert image.norm.vmax == -image.norm.vmin == np.abs(wanted).max()
    assert to_hex(image.cmap(0.5)) == "#ffffff"
    assert display.ax_.get_title() == "occlusion"
    assert display.ax_.get_xlabel() == "step"
    assert [ax.get_ylabel() for ax in display.figure_.axes] == ["feature", "contribution to the\nlog-odds of 'yes'"]
    assert display._repr_html_() is None


def test_attributions_have_the_names_of_a_frame(of_numbers):
    frames = [pd.DataFrame(x, columns=["low", "mid", "high"]) for x in X]
    model = RNNSequenceClassifier(5, **SETTINGS).fit(frames, Y)

    assert ticks(AttributionDisplay.from_estimator(model, frames[0]).ax_.yaxis) == ["low", "mid", "high"]
    named = AttributionDisplay.from_estimator(of_numbers, X[0], feature_names=["a", "b", "c"], cmap="gray")
    assert ticks(named.ax_.yaxis) == ["a", "b", "c"]
    assert named.ax_.images[0].cmap.name == "gray"


@pytest.mark.parametrize("sequence", [[0.5, 1.0, -2.0], np.array([0.5, 1.0, -2.0]), np.array([[0.5], [1.0], [-2.0]])])
def test_attributions_of_one_feature_are_bars(sequence):
    table = np.random.default_rng(0).standard_normal((10, 4))
    model = RNNSequenceRegressor(4, **SETTINGS).fit(table, table[:, 0])

    display = AttributionDisplay.from_estimator(model, sequence)

    (wanted,) = attribute(model, [np.array([0.5, 1.0, -2.0])])
    assert_allclose([bar.get_height() for bar in display.ax_.patches], wanted[:, 0])
    colours = {to_hex(bar.get_facecolor()) for bar in display.ax_.patches if bar.get_height() > 0}
    assert colours <= {"#d95f0e"}
    assert display.ax_.get_ylabel() == "contribution to the\nprediction"


def test_attributions_of_tokens_are_coloured_text(of_words):
    figure, ax = plt.subplots()

    display = AttributionDisplay.from_estimator(of_words, WORDS[2], target=1, ax=ax)

    (wanted,) = attribute(of_words, [WORDS[2]], target=1)
    page = Tokens(display._repr_html_())
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.tokens == page.texts == WORDS[2]
    assert_allclose([colour[3] for colour in page.colours], 0.65 * np.abs(wanted) / np.abs(wanted).max(), atol=1e-3)
    assert [colour[0] > colour[2] for colour in page.colours] == (wanted >= 0).tolist()
    assert page.titles[0] == f"open: {wanted[0]:.3g} of the log-odds of 1"
    strongest = int(np.abs(wanted).argmax())
    assert boxes(ax)[0][strongest] == ("#d95f0e" if wanted[strongest] > 0 else "#2171b5")
    assert figure.axes[1].get_xlabel() == "contribution to the log-odds of 1"


@pytest.mark.parametrize("baseline", ["pay", ["pay"] * 4])
def test_attributions_against_a_token_or_a_sequence(baseline, of_words):
    display = AttributionDisplay.from_estimator(of_words, WORDS[2], target=1, baseline=baseline)

    assert_allclose(display.attributions, attribute(of_words, [WORDS[2]], target=1, baseline="pay")[0])


def test_attributions_against_a_row_or_a_sequence(of_numbers):
    row = [1.0, 0.0, 2.0]

    by_row, by_sequence = (
        AttributionDisplay.from_estimator(of_numbers, X[0], baseline=b) for b in (row, np.tile(row, (4, 1)))
    )

    assert_allclose(by_row.attributions, by_sequence.attributions)


def test_surprise_at_every_token(language):
    display = TokenSurpriseDisplay.from_estimator(language, "an<&a")

    surprise = -language.token_log_proba(["an<&a"])[0]
    html = display._repr_html_()
    page = Tokens(html)
    assert display.tokens == [*"an<&a", END]
    assert page.texts == [*"an<&a", "END"]
    assert "&lt;" in html
    assert "&amp;" in html
    assert page.titles[1] == f"n: {surprise[1]:.3g} nats"
    assert_allclose([colour[3] for colour in page.colours], 0.65 * surprise / surprise.max(), atol=1e-3)
    colours, _ = boxes(display.ax_)
    assert colours[int(surprise.argmax())] == "#d95f0e"
    assert display.figure_.axes[1].get_xlabel() == "surprise (nats)"
    assert display.figure_.axes[1].get_xlim() == (0, surprise.max())


def test_whatever_stands_on_a_page_is_escaped():
    """Tokens, and classes."""
    attributions = AttributionDisplay([1.0, -2.0], tokens=["<b>", '"'], explained="log-odds of '\"><script>'")

    html = attributions._repr_html_()

    page = Tokens(html)
    assert "<script" not in html
    assert "<b>" not in html
    assert page.texts == ["<b>", '"']
    assert page.titles[1] == "\": -2 of the log-odds of '\"><script>'"


def test_what_would_not_be_seen_is_written(language):
    display = TokenSurpriseDisplay(["a", " ", "\n", "\t", '"', "$", "$"], [1, 2, 3, 4, 5, 0, 0], vmax=2.5).plot()

    page = Tokens(display._repr_html_())
    assert page.texts == ["a", "", "↵\n", "⇥", '"', "$", "$"]
    assert page.titles[4] == '": 5 nats'
    assert [colour[3] for colour in page.colours[3:5]] == [0.65, 0.65]
    _, places = boxes(display.ax_)
    assert [y for _, y in places] == [places[0][1]] * 3 + [places[3][1]] * 4  # a line ends at its break
    assert places[3][1] < places[0][1]


def test_long_texts_are_broken_into_lines():
    display = TokenSurpriseDisplay([*"abcdefghij"] * 12, np.arange(120)).plot()

    _, places = boxes(display.ax_)
    assert len({y for _, y in places}) > 2
    assert max(x for x, _ in places) < display.ax_.get_xlim()[1]
    wide = TokenSurpriseDisplay(["short", "w" * 60], [1.0, 2.0]).plot()
    assert wide.ax_.get_xlim()[1] > 60


def test_states_are_a_picture_of_units_that_are_alike_side_by_side(of_numbers):
    display = HiddenStatesDisplay.from_estimator(of_numbers, X[2])

    (states,) = hidden_states(of_numbers, [X[2]])
    (image,) = display.ax_.images
    assert_allclose(image.get_array(), states.T[display.units_])
    assert sorted(display.units_) == list(range(5))
    unsorted = HiddenStatesDisplay.from_estimator(of_numbers, X[2], sort_units=False)
    assert_array_equal(unsorted.units_, range(5))
    assert unsorted.ax_.get_ylabel() == "5 units"
    twins = np.random.default_rng(0).standard_normal((9, 2))[:, [0, 1, 0, 1, 0]]
    order = HiddenStatesDisplay(twins).plot().units_ % 2
    assert np.count_nonzero(order[1:] != order[:-1]) == 1
    assert_array_equal(HiddenStatesDisplay(twins[:, :2]).plot().units_, [0, 1])


def test_states_of_tokens_stand_above_them(language, of_words):
    assert ticks(HiddenStatesDisplay.from_estimator(language, "an n").ax_.xaxis) == ["a", "n", "␣", "n"]
    assert ticks(HiddenStatesDisplay.from_estimator(of_words, WORDS[0], layer=0).ax_.xaxis) == WORDS[0]
    assert HiddenStatesDisplay.from_estimator(language, "an" * 50).ax_.get_xlabel() == "step"


@pytest.mark.parametrize("bidirectional", [False, True])
def test_probabilities_after_each_step_are_those_of_beginnings(bidirectional):
    model = RNNSequenceClassifier(5, bidirectional=bidirectional, **SETTINGS).fit(X, Y)

    display = ClassProbabilityDisplay.from_estimator(model, X[5], linewidth=3)

    wanted = model.predict_proba([X[5][: t + 1] for t in range(7)])
    assert_allclose([line.get_ydata() for line in display.ax_.lines], wanted.T, rtol=1e-6, atol=1e-9)
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["maybe", "no", "yes"]
    assert {line.get_linewidth() for line in display.ax_.lines} == {3}


def test_probabilities_in_pipelines_and_of_tokens(of_numbers, of_words):
    scaled = of_numbers[0].transform([X[0]])[0]

    of_pipeline = ClassProbabilityDisplay.from_estimator(of_numbers, X[0])

    assert_allclose(of_pipeline.proba, of_numbers[-1].predict_proba([scaled[: t + 1] for t in range(4)]), rtol=1e-6)
    assert ticks(ClassProbabilityDisplay.from_estimator(of_words, WORDS[2]).ax_.xaxis) == WORDS[2]


def test_the_least_likely_of_many_classes_share_a_colour():
    proba = np.random.default_rng(0).dirichlet(np.arange(1, 13), 5)

    display = ClassProbabilityDisplay(proba, range(12)).plot()

    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts[-1] == "5 others"
    assert set(map(int, texts[:-1])) == set(np.argsort(proba.max(axis=0))[-7:].tolist())
    assert len(display.ax_.lines) == 12


def texts_of_network(model):
    display = NetworkDisplay.from_estimator(model)
    texts = [text.get_text() for text in display.ax_.texts]
    return [text for text in texts if text], display.ax_.get_title()


def test_a_network_is_drawn_as_it_is(of_numbers):
    texts, title = texts_of_network(of_numbers)

    assert texts.count("GRU") == 3
    assert {"$x_{1}$", "$x_{2}$", "$x_{T}$", r"$\hat y$", "last state", "3 features", "5 GRU units", "3 classes"} <= {
        *texts
    }
    assert title == f"{of_numbers[-1]._fitted.network.layout.size} parameters"


def test_a_deep_network_in_both_directions(of_words):
    model = RNNSequenceClassifier(4, cell="lstm", n_layers=2, bidirectional=True, pooling="max", **SETTINGS)

    texts, _ = texts_of_network(model.fit(WORDS, [0, 1, 0, 1]))

    assert texts.count("LSTM") == 12
    assert {"layer 1", "layer 2", "4 LSTM units\nin each direction", "maximum over all steps"} <= {*texts}
    assert "3 tokens\none-hot" in texts
    both = RNNSequenceClassifier(4, bidirectional=True, embedding_size=2, **SETTINGS).fit(WORDS, [0, 1, 0, 1])
    assert {"last state of each direction", "3 tokens\nvectors of 2"} <= {*texts_of_network(both)[0]}


def test_networks_of_steps_labels_numbers_and_categories(language):
    tagger = RNNSequenceTagger(4, **SETTINGS).fit(X, [np.where(x[:, 0] > 0, "a", "b") for x in X])
    of_steps = RNNSequenceRegressor(4, **SETTINGS).fit(X, [x[:, 0] for x in X])
    gaussian = RNNSequenceRegressor(4, loss="gaussian", **SETTINGS).fit(X, np.arange(6.0))
    multilabel = RNNSequenceClassifier(4, **SETTINGS).fit(X, np.eye(6, 3, dtype=int))
    frames = [pd.DataFrame({"kind": ["a", "b"] * 2, "amount": x[:4, 0]}) for x in (X[0], X[2])] * 2
    mixed = RNNSequenceClassifier(4, **SETTINGS).fit(frames, [0, 1] * 2)

    assert {"2 labels,\na linear chain", r"$\hat y_{T}$"} <= {*texts_of_network(tagger)[0]}
    assert {"1 number", r"$\hat y_{1}$"} <= {*texts_of_network(of_steps)[0]}
    assert "1 number,\nmean and deviation" in texts_of_network(gaussian)[0]
    assert "any of\n3 labels" in texts_of_network(multilabel)[0]
    assert "1 number,\n1 category" in texts_of_network(mixed)[0]
    n_tokens = len(language.column_tokens_) - 1
    assert f"next of\n{n_tokens} tokens" in texts_of_network(language)[0]


DISPLAYS = [AttributionDisplay, ClassProbabilityDisplay, HiddenStatesDisplay, NetworkDisplay, TokenSurpriseDisplay]


def arguments_of(display):
    return () if display is NetworkDisplay else (X[0],)


@pytest.mark.parametrize("display", DISPLAYS)
def test_displays_need_a_fitted_estimator_of_skrnn(display):
    model = RNNNextTokenModel() if display is TokenSurpriseDisplay else RNNSequenceClassifier()

    with pytest.raises(NotFittedError):
        display.from_estimator(model, *arguments_of(display))
    with raises(TypeError, "needs a fitted network of skrnn, such as an RNNSequenceClassifier, or a pipeline or"):
        display.from_estimator(LogisticRegression(), *arguments_of(display))


def test_displays_of_one_kind_of_estimator(of_numbers, language):
    with raises(TypeError, "TokenSurpriseDisplay needs an RNNNextTokenModel, but the estimator is RNNSequence"):
        TokenSurpriseDisplay.from_estimator(of_numbers, X[0])
    with raises(TypeError, "ClassProbabilityDisplay needs an RNNSequenceClassifier, but the estimator is RNNNextToken"):
        ClassProbabilityDisplay.from_estimator(language, "an")


def test_tokens_need_a_value_each():
    with raises(ValueError, "surprise has shape (2,), but there are 3 tokens. Pass one for each."):
        TokenSurpriseDisplay(["a", "b", "c"], [1.0, 2.0]).plot()
    with raises(ValueError, "attributions has shape (2,), but there are 0 tokens. Pass one for each."):
        AttributionDisplay(np.ones(2))._repr_html_()


@pytest.mark.parametrize(
    "display",
    [
        AttributionDisplay(np.ones((2, 2))),
        ClassProbabilityDisplay(np.ones((2, 1)), ["a"]),
        HiddenStatesDisplay(np.ones((2, 2))),
        NetworkDisplay("gru", 4),
        TokenSurpriseDisplay(["a"], [1.0]),
    ],
    ids=lambda display: type(display).__name__,
)
def test_the_extra_is_named_where_matplotlib_is_missing(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)

    name = type(display).__name__
    with raises(ImportError, f"{name} needs matplotlib. Install it with pip install 'skrnn[plot]'."):
        display.plot()
