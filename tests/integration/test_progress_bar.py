"""scikit-learn's progress bar, which rich draws, over the epochs of a fit and through a search."""

import re
import time

import numpy as np
import pytest
from integration.libraries import need
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import RNNNextTokenModel, RNNSequenceClassifier
from skrnn.preprocessing import SequenceScaler

rich = need("rich")
callback = pytest.importorskip("sklearn.callback")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = [np.sin(np.arange(n * 2.0)).reshape(n, 2) * (-1) ** n for n in (3, 5, 2, 4, 1, 6, 3, 5)] * 2
Y = ["even" if len(x) % 2 == 0 else "odd" for x in X]


class Slow:
    """Makes epochs take a quarter of a second."""

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        time.sleep(0.25 * (context.task_name == "epoch"))

    def on_fit_task_end(self, estimator, context):
        pass


def drawn(capsys):
    """What was written, without colours and movements of the cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().out)


def classifier(**params):
    return RNNSequenceClassifier(**{"hidden_size": 4, "max_iter": 4, "tol": 0, "random_state": 0, **params})


def test_the_bar_shows_the_share_of_the_epochs_and_the_time_that_is_left(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # draw as on a terminal
    classifier(max_iter=8).set_callbacks(callback.ProgressBar(), Slow()).fit(X, Y)

    shares = re.findall(r"RNNSequenceClassifier - fit \S+ +(\d+)% (\S+)", drawn(capsys))
    assert {"12", "50", "100"} <= {share for share, _ in shares}
    assert "0:00:01" in {left for share, left in shares if share != "100"}


@pytest.mark.parametrize(
    ("model", "arguments"),
    [(classifier(solver="lbfgs"), (X, Y)), (classifier(max_iter=200, n_iter_no_change=1, tol=1.0), (X, Y)),
     (RNNNextTokenModel(4, max_iter=2, warm_start=True), (["abc", "cab"],))],
)  # fmt: skip
def test_a_bar_comes_to_its_end_with_the_fit(model, arguments, capsys):
    for _ in range(2):
        model.set_callbacks(callback.ProgressBar()).fit(*arguments)
        assert re.search(rf"{type(model).__name__} - fit \S+ 100%", drawn(capsys))


@pytest.fixture
def wide_console():
    """The console that all bars share, as wide as their texts."""
    rich.reconfigure(width=200)
    yield
    rich.reconfigure()


@pytest.mark.usefixtures("wide_console")
def test_a_search_on_processes_shows_the_epochs_of_each_fit(capsys):
    """A step without callbacks would warn, which is an error here."""
    model = make_pipeline(SequenceScaler(), classifier())
    search = GridSearchCV(model, {"rnnsequenceclassifier__cell": ["tanh", "gru"]}, cv=2, n_jobs=2)
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X, Y)

    bars = drawn(capsys)
    assert re.search(r"GridSearchCV - fit +\S+ 100%", bars)
    assert bars.count("RNNSequenceClassifier - fit") == 2 * 2 + 1
    assert bars.count("SequenceScaler - fit") == 2 * 2 + 1


def test_a_fit_that_fails_closes_the_bar(capsys):
    bar = callback.ProgressBar()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        classifier().set_callbacks(bar).fit(X, Y[:-1])

    assert not bar._listener_handles
    assert classifier().set_callbacks(bar).fit(X, Y).n_iter_ == 4
