"""Writing sequences: filters by hand, sampling by frequencies, beams by enumeration, types, order, errors."""

import functools
import inspect
import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from threadpoolctl import threadpool_info, threadpool_limits

from skrnn import END, UNKNOWN, RNNNextTokenModel
from skrnn._decoding.filters import softmax
from skrnn._decoding.options import GenerationOptions
from skrnn._token_scores import TokenScores

TEXTS = ["abcab", "ca", "bbca", "a", "cabca", "abca", "bc"]


def fitted(X, **params):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return RNNNextTokenModel(**{"hidden_size": 6, "max_iter": 15, "random_state": 0, **params}).fit(X)


def with_distribution(proba, X=("ab", "cd"), **params):
    """A model that gives its ordinary tokens, and END if it has it, these odds after whatever prefix."""
    model = fitted(list(X), max_iter=1, **params)
    model.weights_["head.W_y"][:] = 0
    model.weights_["head.b_y"][:] = np.log(proba)
    return model


def frequencies(model, n=4000, prompt="", **options):
    """How often each column's token comes next."""
    options = {"random_state": 0, **options}
    written = model.generate([prompt], n, max_new_tokens=1, **options)
    tokens = [text[len(prompt) :] or END for text in written]
    return np.array([tokens.count(token) for token in model.column_tokens_]) / n


def filters_of(model, **options):
    """The filters that `generate` makes of its options."""
    defaults = {name: value.default for name, value in inspect.signature(model.generate).parameters.items()}
    others = {"prompts", "return_log_proba", "random_state"}
    options = {name: value for name, value in defaults.items() if name not in others} | {"max_new_tokens": 1} | options
    return GenerationOptions.read(model._fitted.reading.vocabulary, **options).filters


def assert_frequencies(got, wanted, n=4000):
    """Within four and a half standard deviations, and zero where it must be."""
    wanted = np.asarray(wanted, dtype=float)
    assert np.all(np.abs(got - wanted) <= 4.5 * np.sqrt(wanted * (1 - wanted) / n) + 1e-12), (got, wanted)


@pytest.fixture(scope="module")
def model():
    return fitted(TEXTS)


@pytest.fixture(scope="module")
def endless():
    return fitted(TEXTS, add_end_token=False)


# Every finite setting

EXTREMES = [5e-324, 1e-320, 1e-310, 1e-300, 1e-5, 0.5, 1.0, 1.7, 3.0, 1e5, 1e300, 1e308, np.finfo(float).max]
positive = st.one_of(st.sampled_from(EXTREMES), st.floats(min_value=0, exclude_min=True, allow_infinity=False))
share = st.one_of(st.sampled_from([5e-324, 1e-320, 0.5, np.nextafter(1, 0), 1.0]), st.floats(0, 1, exclude_min=True))


@given(
    options=st.fixed_dictionaries(
        {"temperature": st.one_of(st.just(0.0), positive)},
        optional={
            "repetition_penalty": positive,
            "top_p": share,
            "min_p": share,
            "top_k": st.one_of(st.integers(1, 5), st.just(10**30)),
            "no_repeat_ngram_size": st.sampled_from([0, 3, 10**30]),
            "forbidden_tokens": st.sampled_from(["a", "b", "bc"]),
        },
    ),
    dtype=st.sampled_from(["float64", "float32"]),
    prompt=st.text("abc", max_size=6),
)
@settings(deadline=None, max_examples=150)
def test_every_finite_setting_gives_a_distribution(options, dtype, prompt):
    model = of_dtype(dtype)
    filters = filters_of(model, **options)
    log_proba = model.predict_proba([prompt])
    with np.errstate(divide="ignore"):
        log_proba = np.log(log_proba)
    history = np.array([[model.vocabulary_[token] for token in prompt]], dtype=np.intp)

    allowed = filters.allow(log_proba, history)
    is_forbidden = np.isneginf(allowed)
    proba = softmax(filters.narrow(allowed, allowed.max(axis=1, keepdims=True)))

    assert_allclose(proba.sum(), 1)
    assert not proba[is_forbidden].any()
    written = model.generate([prompt], 3, max_new_tokens=6, random_state=0, **options)
    assert not any(token in text[len(prompt) :] for text in written for token in options.get("forbidden_tokens", ""))


@functools.cache
def of_dtype(dtype):
    return fitted(TEXTS, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("temperature", [5e-324, 1e-320, 1e-310, 1e-300, 1e-100])
@pytest.mark.parametrize("others", [{}, {"forbidden_tokens": "a"}, {"repetition_penalty": 1e308}, {"top_p": 1e-320}])
def test_tiny_temperatures_are_greedy(dtype, temperature, others):
    written = of_dtype(dtype).generate(["", "ab"], max_new_tokens=8, temperature=temperature, **others)
    assert written == of_dtype(dtype).generate(["", "ab"], max_new_tokens=8, temperature=0, **others)


@pytest.mark.parametrize("penalty", [1e300, 1e308, np.finfo(float).max])
def test_a_penalty_of_all_tokens_leaves_the_likeliest(penalty):
    model = with_distribution([0.4, 0.3, 0.2, 0.1], add_end_token=False)
    assert frequencies(model, 20, "abcd", repetition_penalty=penalty).tolist() == [1, 0, 0, 0, 0]
    balanced = frequencies(model, prompt="abcd", repetition_penalty=penalty, temperature=penalty)
    assert_frequencies(balanced, [0.4, 0.3, 0.2, 0.1, 0])


INTEGERS = {"max_new_tokens": 20, "top_k": 2, "no_repeat_ngram_size": 4, "num_beams": 2}


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint64])
@pytest.mark.parametrize("name", [*INTEGERS, "n_sequences"])
def test_integers_of_numpy_are_integers(model, name, dtype):
    options = {"max_new_tokens": 120, "n_sequences": 2, "random_state": 0}
    value = {**INTEGERS, "n_sequences": 2, "max_new_tokens": 120}[name]
    wanted = model.generate(["a"] * 3, **{**options, name: value})

    assert model.generate(["a"] * 3, **{**options, name: dtype(value)}) == wanted


def test_many_sequences_for_a_small_integer(model):
    wanted = model.generate(["a", "b"], 100, max_new_tokens=2, random_state=0)
    assert model.generate(["a", "b"], np.int8(100), max_new_tokens=2, random_state=0) == wanted
    assert_array_equal(model.predict_top_k(["a"], np.uint8(2)), model.predict_top_k(["a"], 2))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("name", ["temperature", "top_p", "min_p", "repetition_penalty"])
def test_floats_of_numpy_are_floats(model, name, dtype):
    options = {"max_new_tokens": 20, "n_sequences": 3, "random_state": 0}
    wanted = model.generate(["a"], **options, **{name: float(dtype(0.7))})

    assert model.generate(["a"], **options, **{name: dtype(0.7)}) == wanted


@pytest.mark.parametrize("num_beams", [1, 3])
def test_filters_that_leave_nothing(num_beams, model):
    """However tokens are looked for."""
    forbidden = [*model.classes_, END]
    with pytest.raises(ValueError, match=r"^No token may come after 2 tokens: all are ruled out by forbidden_tokens\."):
        model.generate(["ab"], max_new_tokens=3, num_beams=num_beams, forbidden_tokens=forbidden)


def test_numbers_beyond_floats(model):
    with pytest.raises(ValueError, match=r"^temperature is an integer of 1329 bits, but it must be a number >= 0"):
        model.generate("a", max_new_tokens=1, temperature=10**400)


# Seeds, greed


def test_same_seed_same_text(endless):
    def write(seed):
        return endless.generate(["a", "b"], 3, max_new_tokens=20, random_state=seed)

    assert write(1) == write(1)
    assert write(1) != write(2)
    assert write(np.random.RandomState(1)) == write(1)
    assert len(set(write(1))) > 1


@pytest.mark.filterwarnings("ignore:No token of")  # "xx" holds none
@pytest.mark.parametrize("options", [{"temperature": 0}, {"top_k": 1}, {"top_p": 1e-9}, {"min_p": 1.0}], ids=str)
@pytest.mark.parametrize("name", ["model", "endless"])
def test_greedy_takes_the_likeliest(name, options, request):
    model = request.getfixturevalue(name)
    for prompt in ["", "a", "bc", "xx"]:
        wanted = prompt
        while len(wanted) < len(prompt) + 8 and (token := model.predict([wanted])[0]) is not END:
            wanted += token
        for seed in (0, 1):
            assert model.generate(prompt, max_new_tokens=8, random_state=seed, **options) == wanted


@pytest.mark.filterwarnings("ignore:No token of")  # "xyz" holds none
def test_a_batch_of_greedy_prompts_equals_one_by_one(model):
    prompts = ["", "abcab", "b", "ca", "xyz", "c" * 30]
    together = model.generate(prompts, max_new_tokens=9, temperature=0)
    assert together == [model.generate(prompt, max_new_tokens=9, temperature=0) for prompt in prompts]


# Sampling, filter by filter


@pytest.mark.parametrize("prompt", ["", "a", "ab"])
def test_samples_have_the_predicted_frequencies(model, prompt):
    proba = model.predict_proba([prompt])[0]
    wanted = np.r_[proba[:-1] / proba[:-1].sum(), 0]  # all but UNKNOWN
    assert_frequencies(frequencies(model, prompt=prompt), wanted)


def test_samples_have_the_frequencies_of_whole_sequences(model):
    written = model.generate([""], 4000, max_new_tokens=50, random_state=0)
    for text in ["", "a", "ca", "b"]:
        steps = [model.predict_proba([text[:t]])[0] for t in range(len(text) + 1)]
        columns = [*(model.vocabulary_[token] for token in text), model.vocabulary_[END]]
        wanted = np.prod([proba[k] / proba[:-1].sum() for proba, k in zip(steps, columns, strict=True)])
        assert_frequencies(np.mean([other == text for other in written]), wanted)


ODDS = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625])  # a, b, c, d, END


def normalized(values):
    return np.r_[np.array(values) / np.sum(values), 0]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, ODDS),
        ({"temperature": 0.5}, ODDS**2),
        ({"temperature": 2.0}, ODDS**0.5),
        ({"top_k": 2}, [2, 1, 0, 0, 0]),
        ({"top_k": 4}, [8, 4, 2, 1, 0]),  # the first of equals
        ({"top_k": 100}, ODDS),
        ({"top_p": 0.4}, [1, 0, 0, 0, 0]),
        ({"top_p": 0.51}, [2, 1, 0, 0, 0]),
        ({"top_p": 0.74}, [2, 1, 0, 0, 0]),
        ({"top_p": 0.76}, [4, 2, 1, 0, 0]),
        ({"top_p": 1.0}, ODDS),
        ({"min_p": 0.2}, [4, 2, 1, 0, 0]),
        ({"min_p": 0.3}, [2, 1, 0, 0, 0]),
        ({"min_p": 0.0}, ODDS),
        ({"forbidden_tokens": ["a"]}, [0, 4, 2, 1, 1]),
        ({"forbidden_tokens": ["b", END]}, [8, 0, 2, 1, 0]),
        ({"forbidden_tokens": "a"}, [0, 4, 2, 1, 1]),
        ({"top_k": 3, "top_p": 0.8}, [2, 1, 0, 0, 0]),  # of 4/7, 2/7, 1/7
        ({"forbidden_tokens": "a", "top_k": 1}, [0, 1, 0, 0, 0]),
        ({"temperature": 0.5, "top_p": 0.9}, [16, 4, 0, 0, 0]),  # 0.73, 0.18: 0.92
        ({"temperature": 0.5, "min_p": 0.2}, [4, 1, 0, 0, 0]),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else "",
)
def test_filters_by_hand(options, wanted):
    model = with_distribution(ODDS)
    assert_frequencies(frequencies(model, **options), normalized(wanted))


LETTERS = dict(zip("abcdefgh", [0.3, 0.22, 0.17, 0.12, 0.08, 0.06, 0.04, 0.01], strict=True))


def rescaled(odds):
    return {token: p / sum(odds.values()) for token, p in odds.items()}


def tempered(odds, temperature):
    return rescaled({token: p ** (1 / temperature) for token, p in odds.items()})


def the_likeliest(odds, k):
    return rescaled(dict(sorted(odds.items(), key=lambda pair: -pair[1])[:k]))


def nucleus(odds, top_p):
    k = next(k for k in range(1, len(odds) + 1) if sum(sorted(odds.values())[-k:]) >= top_p)
    return the_likeliest(odds, k)


def above(odds, share):
    return rescaled({token: p for token, p in odds.items() if p >= share * max(odds.values())})


DISTRIBUTIONS = {
    "plain": ({}, LETTERS),
    "cool": ({"temperature": 0.7}, tempered(LETTERS, 0.7)),
    "hot": ({"temperature": 1.6}, tempered(LETTERS, 1.6)),
    "top-k": ({"top_k": 4}, the_likeliest(LETTERS, 4)),
    "top-p": ({"top_p": 0.85}, nucleus(LETTERS, 0.85)),
    "min-p": ({"min_p": 0.25}, above(LETTERS, 0.25)),
    "all": (
        {"temperature": 1.3, "top_k": 6, "top_p": 0.9, "min_p": 0.3},
        above(nucleus(the_likeliest(tempered(LETTERS, 1.3), 6), 0.9), 0.3),
    ),
}


@pytest.fixture(scope="module")
def memoryless():
    """A model that gives each letter its odds, whatever came before."""
    return with_distribution(list(LETTERS.values()), [*LETTERS], add_end_token=False)


def p_value(model, options, wanted, seed):
    """Of Pearson's chi-squared test of 100,000 letters, drawn twenty after each other; 0 where one may not come."""
    drawn = "".join(model.generate([""], 5000, max_new_tokens=20, random_state=seed, **options))
    assert len(drawn) == 100_000
    if not set(drawn) <= wanted.keys():
        return 0.0
    return chisquare([drawn.count(token) for token in wanted], [len(drawn) * p for p in wanted.values()]).pvalue


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("options", "wanted"), DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_a_hundred_thousand_draws_pass_a_chi_squared_test(memoryless, options, wanted, seed):
    assert p_value(memoryless, options, wanted, seed) > 0.01


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"temperature": 1.05}, "plain"),
        ({"temperature": 0.73}, "cool"),
        ({"top_k": 5}, "top-k"),
        ({"top_k": 3}, "top-k"),
        ({"top_p": 0.8}, "top-p"),
        ({"top_p": 0.9}, "top-p"),
        ({"min_p": 0.3}, "min-p"),
        ({}, "min-p"),
    ],
    ids=str,
)
def test_the_chi_squared_test_can_fail(memoryless, options, name):
    """Draws of a distribution that is but a little different do not pass for the right one."""
    assert p_value(memoryless, options, DISTRIBUTIONS[name][1], seed=0) < 1e-9


@pytest.fixture
def widths(monkeypatch):
    """How many sequences each step advances."""
    widths, advance = [], TokenScores.advance

    def counted(network, packed, tokens, *args):
        widths.append(len(tokens))
        return advance(network, packed, tokens, *args)

    monkeypatch.setattr(TokenScores, "advance", counted)
    return widths


@pytest.mark.parametrize("options", [{}, {"top_p": 0.9}, {"repetition_penalty": 1.1}], ids=str)
def test_all_sequences_take_a_step_together(endless, options, widths):
    endless.generate(["a", "bc"], 500, max_new_tokens=200, random_state=0, **options)

    assert widths == [1000] * 199  # the first token comes from the prompts


def test_sequences_that_have_ended_take_no_steps(model, widths):
    written = model.generate([""], 100, max_new_tokens=30, random_state=0)

    assert widths == [sum(len(text) > t for text in written) for t in range(max(map(len, written)))]


def test_top_p_keeps_the_token_that_reaches_it():
    """And not the next: with 0.5 and 0.25 before, 0.75 is reached exactly by the second."""
    model = with_distribution(ODDS)
    for top_p, n_kept in [(0.5 - 1e-6, 1), (0.5 + 1e-6, 2), (0.75 - 1e-6, 2), (0.75 + 1e-6, 3)]:
        assert (frequencies(model, top_p=top_p, n=500) > 0).sum() == n_kept


def test_repetition_penalty():
    """Keskar's, on log-probabilities, which are negative: times the penalty; the prompt counts."""
    model = with_distribution(ODDS)
    proba = model.predict_proba(["aab"])[0, :-1]
    wanted = np.where([True, True, False, False, False], proba**2, proba)

    assert_frequencies(frequencies(model, prompt="aab", repetition_penalty=2.0), normalized(wanted))
    assert_frequencies(frequencies(model, prompt="", repetition_penalty=2.0), normalized(ODDS))


def test_repetition_penalty_counts_what_was_written():
    model = with_distribution(ODDS)
    assert sorted(model.generate("", max_new_tokens=5, repetition_penalty=50.0, temperature=0)) == list("abcd")


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("options", [{"temperature": 0}, {"random_state": 0}, {"num_beams": 3}], ids=str)
def test_no_ngram_repeats(n, options):
    letters = [chr(97 + i) for i in range(12)]
    model = fitted(["".join(letters)], add_end_token=False, max_iter=5)
    for text in model.generate(["ab", "", "a"], max_new_tokens=8, no_repeat_ngram_size=n, **options):
        ngrams = [text[i : i + n] for i in range(len(text) - n + 1)]
        assert len(set(ngrams)) == len(ngrams)


def test_an_ngram_of_the_prompt_is_not_written_again():
    model = with_distribution(ODDS)
    got = frequencies(model, prompt="abcab", no_repeat_ngram_size=3)
    assert_frequencies(got, normalized([8, 4, 0, 1, 1]))
    got = frequencies(model, prompt="abcab", no_repeat_ngram_size=2)
    assert_frequencies(got, normalized([8, 4, 0, 1, 1]))
    got = frequencies(model, prompt="abcab", no_repeat_ngram_size=1)
    assert_frequencies(got, normalized([0, 0, 0, 1, 1]))


def test_a_stop_token_is_kept(endless):
    for text in endless.generate(["a"], 30, max_new_tokens=40, stop_tokens=["b"], random_state=0):
        assert text[1:].count("b") == 1
        assert text.endswith("b")


def test_a_stop_token_of_the_prompt_stops_nothing(endless):
    assert endless.generate("bb", max_new_tokens=5, stop_tokens="b", temperature=0) != "bb"


@pytest.mark.parametrize(
    ("X", "token", "many"),
    [(["abc"], "b", ["b"]), ([["to", "be"]], "be", ["be"]), ([[1, 2, 3]], 2, [2]), (["abc"] * 2, END, [END])],
    ids=["letter", "word", "number", "END"],
)
@pytest.mark.parametrize("name", ["stop_tokens", "forbidden_tokens"])
def test_one_token_stands_for_itself(X, token, many, name):
    """A model of numbers has no list to write for one of them."""
    model = fitted(X)
    options = {"max_new_tokens": 6, "random_state": 0, "n_sequences": 5}
    assert model.generate(**options, **{name: token}) == model.generate(**options, **{name: many})


def test_unknown_is_never_written():
    model = fitted(["aabxyzqw"] * 3, min_frequency=4, max_iter=60, batch_size=1)
    assert model.predict_proba(["aabxy"])[0].argmax() == model.vocabulary_[UNKNOWN]
    for options in ({"random_state": 0}, {"temperature": 0}, {"num_beams": 2}):
        assert set(model.generate("aabxy", max_new_tokens=20, **options)[5:]) <= {"a", "b"}


# Log-probabilities


@pytest.mark.parametrize(
    "options",
    [
        {"random_state": 0},
        {"temperature": 0},
        {"temperature": 3.0, "top_k": 2, "repetition_penalty": 1.5, "random_state": 0},
        {"stop_tokens": "c", "random_state": 0},
        {"num_beams": 3},
        {"num_beams": 6, "no_repeat_ngram_size": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["model", "endless"])
def test_log_probabilities_are_the_models_own(name, options, request):
    model = request.getfixturevalue(name)
    prompts = ["", "ab", "cx"]
    texts, log_proba = model.generate(prompts, 3, max_new_tokens=6, return_log_proba=True, **options)

    assert log_proba.shape == (9,)
    for i, (text, got) in enumerate(zip(texts, log_proba, strict=True)):
        n_prompt = len(prompts[i // 3])
        (steps,) = model.token_log_proba([text])
        n_new = len(text) - n_prompt
        has_ended = name == "model" and n_new < 6 and not text[n_prompt:].endswith(options.get("stop_tokens", "\0"))
        assert got == pytest.approx(steps[n_prompt : n_prompt + n_new + has_ended].sum(), abs=1e-10)


# Beams


def enumerate_all(model, prompt, n_new):
    """Every continuation, likeliest first: (text, log-probability)."""
    has_end = END in model.vocabulary_
    found = []
    for n in range(n_new + 1) if has_end else [n_new]:
        for tokens in itertools.product(model.classes_, repeat=n):
            text = prompt + "".join(tokens)
            (steps,) = model.token_log_proba([text])
            found.append((text, steps[len(prompt) : len(prompt) + n + (has_end and n < n_new)].sum()))
    return sorted(found, key=lambda pair: -pair[1])


@pytest.mark.parametrize("name", ["model", "endless"])
@pytest.mark.parametrize("prompt", ["", "a", "cb"])
def test_wide_beams_find_the_best_of_all(name, prompt, request):
    model = request.getfixturevalue(name)
    wanted = enumerate_all(model, prompt, 3)[:5]

    texts, log_proba = model.generate([prompt], 5, max_new_tokens=3, num_beams=40, return_log_proba=True)

    assert texts == [text for text, _ in wanted]
    assert_allclose(log_proba, [total for _, total in wanted], rtol=1e-10)


def test_beams_look_further_than_greed():
    model = fitted(["ab"] * 3 + ["ac"] * 3 + ["bd"] * 5, max_iter=150, learning_rate_init=0.02)
    _, of_greed = model.generate([""], max_new_tokens=4, return_log_proba=True, temperature=0)
    _, of_beams = model.generate([""], max_new_tokens=4, return_log_proba=True, num_beams=4)
    assert of_beams[0] > of_greed[0]
    assert model.generate("", max_new_tokens=4, num_beams=4) == "bd"


def test_one_beam_is_greedy(model):
    prompts = ["", "a", "bc"]
    assert model.generate(prompts, max_new_tokens=6, num_beams=1, temperature=0) == model.generate(
        prompts, max_new_tokens=6, temperature=0
    )


def test_beams_of_one_prompt_do_not_see_the_others(model):
    prompts = ["", "abcab", "b"]
    assert model.generate(prompts, 2, max_new_tokens=4, num_beams=3) == [
        text for prompt in prompts for text in model.generate([prompt], 2, max_new_tokens=4, num_beams=3)
    ]


def test_a_beam_that_is_stuck_gives_way_to_the_others():
    """Of two letters without a repeated pair, five in a row are possible, but not on every way."""
    model = fitted(["ab", "ba", "aab"], add_end_token=False)

    def is_allowed(text):
        return len({text[i : i + 2] for i in range(4)}) == 4

    wanted = [text for text, _ in enumerate_all(model, "a", 4) if is_allowed(text)]
    assert model.generate(["a"], max_new_tokens=4, num_beams=16, no_repeat_ngram_size=2) == wanted[:1]


def test_fewer_ways_to_go_on_than_sequences_asked_for(model):
    """No prompt may get what was written for another, and none may be left out unsaid."""
    with pytest.raises(ValueError, match=r"n_sequences=4, but only 2 sequences can follow prompts\[0\]"):
        model.generate(["a", "b"], 4, num_beams=4, max_new_tokens=1, forbidden_tokens=["a", "b"])


@pytest.mark.parametrize(
    "option",
    [
        {"temperature": 0.5},
        {"temperature": 0},
        {"top_k": 3},
        {"top_p": 0.9},
        {"min_p": 0.1},
        {"repetition_penalty": 2.0},
    ],
    ids=str,
)
def test_beams_sample_nothing(model, option):
    """An option that would change nothing is an error."""
    with pytest.raises(ValueError, match=f"num_beams=2 looks for the likeliest sequence .* {next(iter(option))}="):
        model.generate(max_new_tokens=2, num_beams=2, **option)


# Types, order, numbers


@pytest.mark.parametrize("n_sequences", [1, 2])
def test_a_bare_str_is_one_prompt(model, n_sequences):
    written = model.generate("ab", n_sequences, max_new_tokens=3, random_state=0)
    assert isinstance(written, str) if n_sequences == 1 else [type(text) for text in written] == [str, str]


PROMPTS = {
    "list": (["a", "b"], list),
    "tuple": (("a", "b"), tuple),
    "array": (np.array(["a", "b"]), np.ndarray),
    "str": ("ab", str),
}


@pytest.mark.parametrize(("prompt", "kind"), PROMPTS.values(), ids=PROMPTS)
@pytest.mark.parametrize("container", [list, tuple, iter], ids=["list", "tuple", "iterator"])
def test_sequences_have_the_type_of_their_prompt(model, prompt, kind, container):
    (written,) = model.generate(container([prompt]), max_new_tokens=3, temperature=0)

    assert type(written) is kind
    assert_array_equal(list(written), list(model.generate("ab", max_new_tokens=3, temperature=0)))


@pytest.mark.parametrize(
    "X",
    [["ab", "ba"], [["a", "b"], ["b", "a"]], [("a", "b"), ("b", "a")], [np.array(["a", "b"]), np.array(["b", "a"])]],
    ids=["str", "list", "tuple", "array"],
)
def test_without_prompts_sequences_have_the_type_of_training(X):
    (written,) = fitted(X).generate(max_new_tokens=3, random_state=0)
    assert type(written) is type(X[0])


@pytest.mark.parametrize("X", [[[1, 2], [2, 1]], [[0.5, 1.5]], [[True, False]]], ids=["int", "float", "bool"])
def test_tokens_have_the_type_of_training(X):
    (written,) = fitted(X, add_end_token=False).generate(max_new_tokens=5, random_state=0)
    assert {type(token) for token in written} <= {type(X[0][0])}
    (array,) = fitted(X, add_end_token=False).generate([np.array(X[0])], max_new_tokens=5, random_state=0)
    assert array.dtype == np.array(X[0]).dtype


@pytest.mark.parametrize("as_table", [np.asarray, pd.DataFrame], ids=["array", "frame"])
def test_rows_of_a_table_are_prompts(as_table):
    X = np.array([[1, 2, 3], [2, 3, 1]])
    written = fitted(as_table(X)).generate(as_table(X), max_new_tokens=2, temperature=0)

    assert isinstance(written, list)
    assert [list(row[:3]) for row in written] == X.tolist()
    assert {len(row) for row in written} == {5}


def test_sequences_come_prompt_by_prompt(endless):
    prompts = ["a", "bbb", ""]
    written = endless.generate(prompts, 4, max_new_tokens=3, random_state=0)

    assert isinstance(written, list)
    assert [len(text) for text in written] == [4] * 4 + [6] * 4 + [3] * 4
    assert all(text.startswith(prompts[i // 4]) for i, text in enumerate(written))


@pytest.mark.parametrize("n", [1, 7])
def test_max_new_tokens(endless, n):
    written = endless.generate(["", "ab"], 2, max_new_tokens=n, random_state=0)
    assert [len(text) for text in written] == [n, n, n + 2, n + 2]


def test_no_prompts_no_sequences(model):
    assert model.generate([], max_new_tokens=3) == []


def test_end_is_not_written(model):
    written = model.generate([["a"], ["b"]], 50, max_new_tokens=30, random_state=0)
    assert {token for tokens in written for token in tokens} <= {"a", "b", "c"}
    assert min(map(len, written)) < 20


def test_an_unknown_token_stays_in_its_prompt(model):
    assert model.generate("axb", max_new_tokens=2, temperature=0).startswith("axb")
    assert model.generate([["a", "x"]], max_new_tokens=2, temperature=0)[0][:2] == ["a", "x"]


def test_generation_leaves_the_model_as_it_is(model):
    before = model.predict_proba(TEXTS)
    model.generate(TEXTS, max_new_tokens=9, num_beams=3)
    assert_array_equal(model.predict_proba(TEXTS), before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_generation_in_both_dtypes(dtype):
    model = fitted(TEXTS, dtype=dtype)
    assert model.generate("ab", max_new_tokens=5, random_state=0) == fitted(TEXTS).generate(
        "ab", max_new_tokens=5, random_state=0
    )


# Errors


def test_generation_needs_a_fit():
    with pytest.raises(NotFittedError):
        RNNNextTokenModel().generate(max_new_tokens=1)


@pytest.mark.parametrize(
    ("option", "needed"),
    [
        *(({"max_new_tokens": n}, "an integer >= 1") for n in (0, -1, 1.5, "two", None, True)),
        *(({"temperature": t}, "a number >= 0; 0 is greedy") for t in (-1, np.nan, np.inf, "hot", None)),
        *(({"top_k": k}, "an integer >= 1, or None") for k in (0, 1.5, "two")),
        *(({"top_p": p}, r"in \(0, 1\]") for p in (0, 1.1, -1, np.nan, "most", None)),
        *(({"min_p": p}, r"in \[0, 1\], or None") for p in (-0.1, 1.1, "least")),
        *(({"repetition_penalty": p}, "a number > 0") for p in (0, -1, "much", None)),
        *(({"no_repeat_ngram_size": n}, "an integer >= 0") for n in (-1, 1.5, None)),
        *(({"num_beams": n}, "an integer >= 1") for n in (0, 1.5, None)),
        *(({"n_sequences": n}, "an integer >= 1") for n in (0, 1.5, None)),
    ],
    ids=str,
)
def test_bad_options(model, option, needed):
    name, value = next(iter(option.items()))
    with pytest.raises((ValueError, TypeError), match=f"^{name} is {value!r}, but it must be {needed}"):
        model.generate(**{"max_new_tokens": 3, **option})


@pytest.mark.parametrize("name", ["stop_tokens", "forbidden_tokens"])
@pytest.mark.parametrize("token", ["x", UNKNOWN], ids=repr)
def test_unknown_tokens_can_be_neither_forbidden_nor_stop(model, name, token):
    with pytest.raises(ValueError, match=rf"{name}\[1\] is {token!r}, which is not in the vocabulary\. Leave it out"):
        model.generate(max_new_tokens=3, **{name: ["a", token]})


def test_more_sequences_than_beams(model):
    with pytest.raises(ValueError, match=r"n_sequences=3 is more than num_beams=2"):
        model.generate(["a"], 3, max_new_tokens=3, num_beams=2)


def test_nothing_is_left_to_write(endless):
    message = "No token may come after {} tokens: all are ruled out by {}. Loosen the filters."
    penalty = {"repetition_penalty": 1e308}  # rules out nothing
    ngrams, forbidden, both = "no_repeat_ngram_size", "forbidden_tokens", "forbidden_tokens and no_repeat_ngram_size"
    with pytest.raises(ValueError, match=message.format(3, ngrams)):
        endless.generate("abc", max_new_tokens=1, no_repeat_ngram_size=1, **penalty)
    with pytest.raises(ValueError, match=message.format(0, forbidden)):
        endless.generate("", max_new_tokens=1, forbidden_tokens="abc", **penalty)
    with pytest.raises(ValueError, match=message.format(2, both)):
        endless.generate("ab", max_new_tokens=1, forbidden_tokens="c", no_repeat_ngram_size=1)


@pytest.mark.parametrize("prompts", [5, [5], [None]], ids=repr)
def test_bad_prompts(model, prompts):
    with pytest.raises(TypeError, match=r"prompts.* is .*, but"):
        model.generate(prompts, max_new_tokens=1)


def test_max_new_tokens_has_no_default(model):
    with pytest.raises(TypeError, match="max_new_tokens"):
        model.generate("a")


def test_writing_much_holds_blas_at_one_thread(model, monkeypatch):
    """Two threads that spin inside small products cost a factor of a hundred on a busy machine."""
    seen, advance = [], TokenScores.advance

    def observed(*args):
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return advance(*args)

    monkeypatch.setattr(TokenScores, "advance", observed)
    with threadpool_limits(3, user_api="blas"):
        model.generate(["a", "b"], n_sequences=3, max_new_tokens=4, random_state=0)
    assert set(seen) == {1}
