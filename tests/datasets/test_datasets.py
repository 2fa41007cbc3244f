import calendar
import email
import inspect

import numpy as np
import pytest

from skrnn.datasets import load_japanese_vowels, load_names, load_stdlib_text

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


@pytest.mark.parametrize(("subset", "n_names"), [("female", 4275), ("male", 1219), ("all", 5163)])
def test_names_are_distinct_and_sorted(subset, n_names):
    names = load_names(subset=subset).data

    assert len(names) == n_names
    assert names == sorted(set(names))
    assert all(name.isascii() and name.isalpha() and name.islower() for name in names)
    assert (min(map(len, names)), max(map(len, names))) == (2, 11)


def test_names_that_both_bear_are_in_every_subset():
    female, male, both = (set(load_names(subset=subset).data) for subset in ("female", "male", "all"))
    assert female | male == both
    assert len(female & male) == 331
    assert "abigail" in female - male
    assert {"james", "mary"} <= female & male
    assert "xavier" in male - female


def test_names_say_what_they_are():
    bunch = load_names()
    assert set(bunch) == {"data", "DESCR"}
    assert "Public domain" in bunch.DESCR


@pytest.mark.parametrize("subset", ["train", None])
def test_names_reject_an_unknown_subset(subset):
    with pytest.raises(ValueError, match=f'^subset must be "female", "male" or "all", got {subset!r}.$'):
        load_names(subset=subset)


def test_stdlib_text_is_what_the_modules_say():
    bunch = load_stdlib_text()

    assert set(bunch) == {"data", "module_names", "DESCR"}
    assert len(bunch.data) == len(bunch.module_names) > 300
    assert sum(map(len, bunch.data)) > 5_000_000
    assert bunch.module_names == sorted(set(bunch.module_names))
    assert bunch.data[bunch.module_names.index("calendar")] == inspect.getsource(calendar)
    assert bunch.data[bunch.module_names.index("email")] == inspect.getsource(email)
    assert "Python Software Foundation License" in bunch.DESCR


def test_stdlib_text_has_no_tests_and_no_installed_packages():
    names = load_stdlib_text().module_names
    packages = {name.split(".")[0] for name in names}
    assert packages.isdisjoint({"test", "numpy", "site-packages", "idlelib", "pydoc_data"})
    assert not any({"test", "tests"} & set(name.split(".")) for name in names)


def test_stdlib_tokens_are_those_of_the_tokenizer():
    modules = load_stdlib_text(kind="tokens", max_size=20_000)
    tokens = modules.data[modules.module_names.index("_markupbase")]
    after_class = tokens.index("class")
    expected = ["class", "ParserBase", ":", "NEWLINE", "INDENT"]
    assert tokens[after_class : after_class + 5] == expected
    assert tokens.count("INDENT") == tokens.count("DEDENT")
    assert not any(token.startswith("#") or not token for token in tokens)


@pytest.mark.parametrize("kind", ["text", "tokens"])
def test_stdlib_text_stops_before_max_size(kind):
    whole = load_stdlib_text(kind=kind, max_size=30_000)
    part = load_stdlib_text(kind=kind, max_size=sum(map(len, whole.data)) - 1)
    assert sum(map(len, whole.data)) <= 30_000
    assert part.data == whole.data[:-1]
    assert part.module_names == whole.module_names[:-1]


def test_stdlib_text_rejects_an_unknown_kind():
    with pytest.raises(ValueError, match=r"""^kind must be "text" or "tokens", got 'words'[.]$"""):
        load_stdlib_text(kind="words")


def test_stdlib_text_leaves_out_what_cannot_be_read(tmp_path, monkeypatch):
    (tmp_path / "abc.py").write_bytes(b"\xff")
    (tmp_path / "ast.py").write_text("x = 1\n")
    (tmp_path / "bisect.py").write_text("")
    (tmp_path / "mine.py").write_text("x = 2\n")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))

    bunch = load_stdlib_text()

    assert (bunch.module_names, bunch.data) == (["ast"], ["x = 1\n"])


def test_stdlib_text_says_that_there_is_nothing_to_read(tmp_path, monkeypatch):
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(OSError, match=r"No source of the standard library was found in .* fits into max_size=None"):
        load_stdlib_text()
