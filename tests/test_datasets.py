import numpy as np
import pytest

from skrnn.datasets import load_japanese_vowels

FIRST_STEP = [1.860936, -0.207383, 0.261557, -0.214562, -0.171253, -0.118167]  # the first frame of the first utterance
FIRST_STEP += [-0.277557, 0.025668, 0.126701, -0.306756, -0.213076, 0.088728]


@pytest.mark.parametrize(
    ("subset", "n_steps", "sequences_per_speaker"),
    [("train", 4274, [30] * 9), ("test", 5687, [31, 35, 88, 44, 29, 24, 40, 50, 29])],
)
def test_japanese_vowels_is_the_published_data(subset, n_steps, sequences_per_speaker):
    X, y = load_japanese_vowels(subset=subset, return_X_y=True)

    assert isinstance(X, list)
    assert len(X) == len(y) == sum(sequences_per_speaker)
    assert all(x.dtype == np.float64 and x.ndim == 2 and x.shape[1] == 12 for x in X)
    assert sum(map(len, X)) == n_steps
    np.testing.assert_array_equal(y, np.repeat(np.arange(1, 10), sequences_per_speaker))
    assert y.dtype == np.int64


def test_japanese_vowels_has_the_published_lengths():
    lengths = [len(x) for x in load_japanese_vowels(subset="all").data]
    assert (min(lengths), max(lengths)) == (7, 29)
    assert lengths[:3] == [20, 26, 22]


def test_japanese_vowels_values_are_the_published_decimals():
    X = load_japanese_vowels(subset="all").data
    assert X[0][0].tolist() == FIRST_STEP
    values = np.concatenate(X)
    assert values.tolist() == [[float(f"{value:.6f}") for value in step] for step in values]
    assert np.abs(values).max() == 2.203141


def test_japanese_vowels_all_is_train_then_test():
    parts = [load_japanese_vowels(subset=subset) for subset in ("train", "test")]
    whole = load_japanese_vowels(subset="all")
    np.testing.assert_array_equal(whole.target, np.concatenate([part.target for part in parts]))
    for got, expected in zip(whole.data, parts[0].data + parts[1].data, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_japanese_vowels_bunch_names_what_it_holds():
    bunch = load_japanese_vowels()
    assert set(bunch) == {"data", "target", "feature_names", "target_names", "DESCR"}
    assert len(bunch.data) == 270
    assert len(bunch.feature_names) == 12
    assert len(bunch.target_names) == len(np.unique(bunch.target))
    for phrase in ("Kudo", "10.24432/C5NS47", "Creative Commons Attribution 4.0"):
        assert phrase in bunch.DESCR


def test_japanese_vowels_can_be_changed_without_changing_the_next_load():
    X, y = load_japanese_vowels(return_X_y=True)
    X[0][:] = 0.0
    y[:] = 0
    X_again, y_again = load_japanese_vowels(return_X_y=True)
    assert X_again[0].any()
    assert y_again.all()


@pytest.mark.parametrize("subset", ["validation", None])
def test_japanese_vowels_rejects_an_unknown_subset(subset):
    with pytest.raises(ValueError, match=f'^subset must be "train", "test" or "all", got {subset!r}.$'):
        load_japanese_vowels(subset=subset)
