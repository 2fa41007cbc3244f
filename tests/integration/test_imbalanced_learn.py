"""Samplers of imbalanced-learn repeat and drop sequences of a column."""

import numpy as np
import pytest
from integration.libraries import need
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from skrnn import RNNNextTokenModel, RNNSequenceClassifier
from skrnn.preprocessing import SequenceScaler
from skrnn.sequences import to_column

need("imblearn")
from imblearn.ensemble import BalancedBaggingClassifier  # noqa: E402
from imblearn.over_sampling import RandomOverSampler  # noqa: E402
from imblearn.pipeline import make_pipeline  # noqa: E402
from imblearn.under_sampling import RandomUnderSampler  # noqa: E402

pd = pytest.importorskip("pandas")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

Y = np.array([0] * 30 + [1] * 6)
rng = np.random.default_rng(0)
X = [rng.normal((3 * label, 50), (1, 20), size=(n, 2)) for label, n in zip(Y, rng.integers(2, 6, 36))]
NETWORK = RNNSequenceClassifier(4, max_iter=20, learning_rate_init=0.05, random_state=0)

each_container = pytest.mark.parametrize("container", [to_column, lambda X: pd.DataFrame({"x": X})])
each_sampler = pytest.mark.parametrize(
    ("sampler", "n"), [(RandomOverSampler(random_state=0), 30), (RandomUnderSampler(random_state=0), 6)]
)


@each_container
@each_sampler
def test_samplers_keep_sequences_whole(container, sampler, n):
    resampled, y = sampler.fit_resample(container(X), Y)

    assert type(resampled) is type(container(X))
    assert np.bincount(y).tolist() == [n, n]
    for cell, row in zip(np.asarray(resampled)[:, 0], sampler.sample_indices_, strict=True):
        assert_array_equal(cell, X[row])


@each_container
@each_sampler
def test_a_pipeline_learns_from_what_was_sampled(container, sampler, n):
    pipeline = make_pipeline(sampler, SequenceScaler(), NETWORK).fit(container(X), Y)

    rows = clone(sampler).fit(container(X), Y).fit_resample(to_column(np.arange(36)[:, None]), Y)[0]
    rows = [int(cell[0]) for cell in rows[:, 0]]
    scaled = SequenceScaler().fit_transform([X[row] for row in rows])
    alone = clone(NETWORK).fit(scaled, Y[rows])
    assert_array_equal(pipeline[-1].predict_proba(scaled), alone.predict_proba(scaled))
    assert pipeline.score(container(X), Y) > 0.8
    assert cross_val_score(pipeline, container(X), Y, cv=2, error_score="raise").shape == (2,)


def test_balanced_bagging():
    bagging = BalancedBaggingClassifier(NETWORK, n_estimators=2, random_state=0).fit(to_column(X), Y)
    assert bagging.predict_proba(to_column(X)).shape == (36, 2)


def test_sequences_of_tokens():
    words = [["up"] * (n % 3 + 1) + ["down"] * label for n, label in enumerate(Y)]
    resampled, y = RandomOverSampler(random_state=0).fit_resample(to_column(words), Y)
    assert NETWORK.fit(resampled, y).score(words, Y) == 1
    assert np.isfinite(RNNNextTokenModel(4, max_iter=2).fit(resampled).score(words))
