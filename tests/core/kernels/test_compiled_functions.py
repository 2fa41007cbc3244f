"""The functions that compiled loops compute with, against exact values, over all that a dtype can hold."""

import numpy as np
import pytest
from helpers import KERNELS_HERE

if "numba" not in KERNELS_HERE:
    pytest.skip("numba is not installed", allow_module_level=True)

from skrnn.core.kernels.numba.functions import LARGEST, sigmoid, tanh
from skrnn.core.kernels.numba.loops import loop

DTYPES = [np.float32, np.float64]


@loop("1")
def every_tanh(a):
    for k in range(a.size):
        a[k] = tanh(a[k])


@loop("1")
def every_sigmoid(a):
    for k in range(a.size):
        a[k] = sigmoid(a[k])


def computed(function, x):
    a = x.copy()
    function.of(a.dtype)(a)
    return a


def exact(function, x):
    """In more digits than the dtype has; the tails of tanh keep their first ones."""
    x = x.astype(np.longdouble)
    with np.errstate(over="ignore", under="ignore"):
        return np.tanh(x) if function is every_tanh else 1 / (1 + np.exp(-x))


def ulps(function, x):
    """Error in units of the last place of the exact value."""
    wanted = exact(function, x)
    return np.abs((computed(function, x).astype(np.longdouble) - wanted) / np.spacing(wanted.astype(x.dtype)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("function", "most"), [(every_tanh, 3), (every_sigmoid, 4)])
def test_errors_are_a_few_units_of_the_last_place(function, most, dtype, rng):
    largest = LARGEST[dtype]
    usual = 3 * rng.standard_normal(200_000)
    of_all_sizes = np.exp(rng.uniform(np.log(np.finfo(dtype).tiny), np.log(largest), 200_000))
    x = np.concatenate([usual, of_all_sizes, -of_all_sizes, np.linspace(-largest, largest, 100_001)]).astype(dtype)
    if function is every_tanh:
        x = x[np.abs(x) > 2 * np.finfo(dtype).tiny]

    assert ulps(function, x).max() < most


@pytest.mark.parametrize("dtype", DTYPES)
def test_limits_and_what_is_no_number(dtype):
    info = np.finfo(dtype)
    x = np.array(
        [np.inf, -np.inf, np.nan, 0.0, -0.0, info.max, info.min, info.smallest_subnormal, -info.tiny / 2], dtype
    )

    of_tanh, of_sigmoid = computed(every_tanh, x), computed(every_sigmoid, x)

    np.testing.assert_array_equal(of_tanh[:7], [1, -1, np.nan, 0, 0, 1, -1])
    assert np.abs(of_tanh[7:]).max() <= info.tiny
    np.testing.assert_array_equal(of_sigmoid[[0, 2, 3, 4, 5, 7, 8]], [1, np.nan, 0.5, 0.5, 1, 0.5, 0.5])
    assert (of_sigmoid[[1, 6]] < 1e-37).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_position_of_a_vector_gives_the_same(dtype, rng):
    """Numbers at the end of a loop, which are computed one by one, equal those that are computed together."""
    x = rng.standard_normal(67).astype(dtype)
    whole = computed(every_tanh, x)
    for n in (1, 3, 16, 33):
        np.testing.assert_array_equal(computed(every_tanh, x[:n]), whole[:n])


@pytest.mark.parametrize("dtype", DTYPES)
def test_results_grow_with_their_arguments_almost(dtype):
    x = np.linspace(-12, 12, 200_001).astype(dtype)
    for function in (every_tanh, every_sigmoid):
        values = computed(function, x)
        assert (np.diff(values) >= -3 * np.spacing(np.abs(values[1:]))).all()
        assert np.abs(values).max() <= 1
