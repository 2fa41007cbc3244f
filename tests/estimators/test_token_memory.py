"""Texts are read in slices: what is kept of them is a number for each token, in as few bytes as hold it."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrnn import RNNNextTokenModel
from skrnn._known_tokens import learn_vocabulary
from skrnn._token_sequences import TokenReading
from skrnn._validation import tokens as _tokens
from skrnn._validation.tokens import TokenReader

N = 1_000_000
MB = 1e6
TEXT = np.random.default_rng(0).integers(97, 101, size=N, dtype=np.uint8).tobytes().decode("ascii")
TINY = {
    "hidden_size": 1,
    "cell": "tanh",
    "embedding_size": None,
    "dtype": "float32",
    "random_state": 0,
    "add_end_token": False,
    "max_iter": 1,
}
CORPORA = {
    "one text": [TEXT],
    "many texts": [TEXT[first : first + 2000] for first in range(0, N, 2000)],
    "numbers": [np.frombuffer(TEXT.encode("ascii"), dtype=np.uint8)],
}


def peak_of(work, *arguments):
    """Most memory, bytes, that is allocated while something runs."""
    tracemalloc.start()
    try:
        work(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(_tokens, "CHUNK_SIZE", 2**15)


@pytest.fixture(scope="module")
def model():
    return RNNNextTokenModel(**TINY).fit([TEXT[:1000]])


@pytest.mark.parametrize("params", [{}, {"early_stopping": True, "validation_fraction": 0.01}], ids=str)
@pytest.mark.parametrize("X", CORPORA.values(), ids=CORPORA)
def test_training_takes_two_bytes_a_token(X, params):
    """The ids, and for the length of a comparison their bytes; and 4 MB of whatever else."""
    model = RNNNextTokenModel(**TINY, batch_size=1000, bptt_steps=20, **params)
    assert peak_of(model.fit, X) < 2 * N + 4 * MB


@pytest.mark.parametrize("X", CORPORA.values(), ids=CORPORA)
def test_validating_takes_a_byte_a_token(X, model):
    texts = X if isinstance(X[0], str) else [TEXT]
    assert (
        peak_of(lambda: model._fitted.reading.encode(TokenReader.open(texts), "use_unknown", with_final_step=False))
        < N + 4 * MB
    )


def test_scoring_takes_a_byte_a_token(model):
    assert peak_of(model.score_samples, CORPORA["many texts"]) < N + 6 * MB


def test_scores_of_tokens_take_what_they_are(model):
    assert peak_of(model.token_log_proba, CORPORA["many texts"]) < (1 + 4) * N + 6 * MB


@pytest.mark.parametrize(("n_tokens", "dtype"), [(4, "u1"), (254, "u1"), (255, "u2"), (70_000, "u4")])
@pytest.mark.parametrize("add_end_token", [True, False])
def test_ids_are_as_small_as_the_vocabulary_allows(n_tokens, dtype, add_end_token):
    """UNKNOWN and begin have numbers, too, and END where it is modelled."""
    n_tokens -= add_end_token
    unknown = n_tokens + add_end_token
    model = RNNNextTokenModel(**TINY | {"add_end_token": add_end_token})
    config, reader = model._read_config(), TokenReader.open([range(n_tokens)])
    vocabulary = learn_vocabulary(config, reader, np.ones(1), has_end=add_end_token, may_grow=False)
    reading = TokenReading(model, np.dtype("float64"), vocabulary, n_tokens)

    data = reading.encode(TokenReader.open([range(n_tokens), [2, 1, n_tokens]]), "use_unknown", with_final_step=True)

    begin, *ids, last = data.arrays()[1].tolist()
    assert data.ids.dtype == np.dtype(dtype)
    assert begin == unknown + 1
    assert ids == [2, 1, unknown]
    assert last == (n_tokens if add_end_token else begin)  # which means nothing there


# Chunks


WORDS = ["abca", "", "b", [*"cab"], "", (*"bb",), "abcabcabcabc", np.array([*"ca"]), np.array([*"b"], dtype=object), ""]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_chunks_of_any_size_hold_the_same_tokens(size, monkeypatch):
    monkeypatch.setattr(_tokens, "CHUNK_SIZE", size)

    chunks = list(TokenReader.open(WORDS))

    indices = np.concatenate([indices for indices, _ in chunks])
    assert [len(tokens) for _, tokens in chunks[:-1]] == [size] * (len(chunks) - 1)
    assert [token for _, tokens in chunks for token in tokens] == [token for word in WORDS for token in word]
    assert_array_equal(indices, [i for i, word in enumerate(WORDS) for _ in word])


@pytest.mark.parametrize("size", [1, 3, 4])
@pytest.mark.parametrize("params", [{}, {"min_frequency": 3}, {"max_tokens": 2}, {"early_stopping": True}], ids=str)
@pytest.mark.parametrize(
    "X", [["abcab", "", "cd", "bé"] * 3, [["to", "be"], ["or", "notto", "be"]] * 3, [[1, 2], [2.5, True, 7], [2]] * 3]
)
def test_a_fit_does_not_depend_on_the_chunks(size, params, X, monkeypatch):
    def parameters():
        model = RNNNextTokenModel(hidden_size=3, max_iter=2, random_state=0, **params)
        model.fit(X, sample_weight=np.arange(len(X)) % 4)
        return model.column_tokens_.tolist(), model._fitted.params

    monkeypatch.setattr(_tokens, "CHUNK_SIZE", 10**6)
    wanted_tokens, wanted = parameters()
    monkeypatch.setattr(_tokens, "CHUNK_SIZE", size)
    tokens, got = parameters()

    assert tokens == wanted_tokens
    assert_array_equal(got, wanted)


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["ab", ["a", "b", 1]], r"X\[1\] mixes strings with other tokens"),
        ([[1, 2], ["a"], [3]], r"X\[1\] holds strings and X\[[02]\] numbers"),
        ([[1.0], [1.0, 2.0, np.inf]], r"Input X\[1\] contains NaN or infinity, at position 2"),
        ([[1], [1, 2, 3, None]], r"X\[1\], position 3: argument must be a string or a number"),
    ],
    ids=["mixed", "two kinds", "infinite", "none"],
)
def test_errors_say_where_whatever_the_chunks(size, X, message, monkeypatch):
    monkeypatch.setattr(_tokens, "CHUNK_SIZE", size)
    with pytest.raises((ValueError, TypeError), match=message):
        RNNNextTokenModel(**TINY).fit(X)


def test_errors_count_sequences_of_no_weight():
    with pytest.raises(ValueError, match=r"X\[2\] mixes strings with other tokens"):
        RNNNextTokenModel(**TINY).fit(["a", "b", ["a", 1]], sample_weight=[0, 1, 1])
