"""to_forecasting: what comes next, in rows, and what it refuses."""

import numpy as np
import pytest
from helpers import raises
from numpy.testing import assert_array_equal

from skrnn.sequences import to_forecasting


def test_one_step_ahead():
    X = [np.arange(4.0), np.array([5.0, 7.0])]
    before, after = to_forecasting(X)

    assert [x.tolist() for x in before] == [[0, 1, 2], [5]]
    assert [y.tolist() for y in after] == [[1, 2, 3], [7]]
    before[0][:] = 9
    after[0][:] = 9
    assert X[0].tolist() == [0, 1, 2, 3]


def test_rows_of_the_next_steps():
    x = np.arange(8.0).reshape(4, 2)
    (before,), (after,) = to_forecasting([x], horizon=2)

    assert_array_equal(before, x[:2])
    assert_array_equal(after, [[2, 3, 4, 5], [4, 5, 6, 7]])
    assert_array_equal(to_forecasting([x])[1][0], x[1:])
    assert_array_equal(to_forecasting(x[:, 0][None], horizon=3)[1][0], [[2, 4, 6]])


@pytest.mark.parametrize(
    ("X", "horizon", "error", "message"),
    [
        ([[1.0, 2.0], [3.0]], 1, ValueError, "X[1] has 1 step, but horizon is 1. Leave it out, or lower horizon."),
        ([np.ones((2, 2, 2))], 1, ValueError, "X[0] has shape (2, 2, 2)"),
        ([["a", "b"]], 1, ValueError, "X[0] has dtype <U1, but numbers are needed"),
        ([], 1, ValueError, "X is empty"),
        ("abc", 1, TypeError, "X is a str ('abc'). Pass a list of sequences."),
        (3, 1, TypeError, "X is a int (3). Pass a list of sequences."),
        ([[1.0, 2.0]], 0, ValueError, "horizon is 0. Pass an integer of at least 1."),
        ([[1.0, 2.0]], 1.5, TypeError, "horizon is a float (1.5). Pass an integer of at least 1."),
        ([np.ma.array([1.0, 2.0], mask=[True, False])], 1, TypeError, "X[0] has masked entries"),
    ],
)
def test_messages(X, horizon, error, message):
    with raises(error, message):
        to_forecasting(X, horizon)
