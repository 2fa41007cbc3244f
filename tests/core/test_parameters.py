"""Parameters: views of one vector, and how they begin."""

import numpy as np
import pytest

from skrnn.core.parameters import ParameterLayout, glorot_uniform, orthogonal


def test_layout_puts_matrices_first_and_gives_views():
    layout = ParameterLayout({"a": {"b": (2,), "W": (2, 3)}, "c": {"V": (1, 2)}})
    vector = np.arange(10.0)

    views = layout.views(vector)
    views["a"]["W"][1, 2] = 77

    assert layout.size == 10
    assert layout.n_penalized == 8
    assert views["a"]["b"].tolist() == [8, 9]
    assert vector[5] == 77


def test_initialisation(rng):
    W, Q = glorot_uniform((30, 20), rng), orthogonal(20, rng)

    assert np.abs(W).max() <= np.sqrt(6 / 50)
    assert W.std() == pytest.approx(np.sqrt(6 / 50 / 3), rel=0.1)
    np.testing.assert_allclose(Q @ Q.T, np.eye(20), atol=1e-12)
