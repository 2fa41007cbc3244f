"""Schedules of the learning rate."""

import numpy as np

from skrnn.core.training.schedules import learning_rate_at


def test_schedules():
    rates = {
        name: [learning_rate_at(name, 0.1, epoch, max_iter=10, n_plateaus=epoch // 5) for epoch in (0, 5, 10, 15)]
        for name in ("constant", "adaptive", "cosine")
    }

    assert rates["constant"] == [0.1] * 4
    np.testing.assert_allclose(rates["adaptive"], [0.1, 0.02, 0.004, 0.0008])
    np.testing.assert_allclose(rates["cosine"][:2], [0.1, 0.05])
    assert 0 < rates["cosine"][2] == rates["cosine"][3] < 0.003
