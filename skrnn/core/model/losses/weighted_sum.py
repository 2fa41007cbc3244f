"""A weighted sum of raw predictions: what backpropagation starts from where no loss is asked about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Floats, Values
from ...parameters import NO_WEIGHTS, Weights
from .loss import Loss


@dataclass(frozen=True)
class WeightedSum(Loss):
    """The sum of raw predictions, each times its coefficient, which is the target.

    Its gradient with respect to the raw predictions is the coefficients, so backpropagation of it gives the product of
    them with the Jacobian of the network.

    Examples
    --------
    >>> import numpy as np
    >>> loss, raw = WeightedSum(n_raw=2), np.array([[[3.0], [4.0]]])
    >>> loss.loss_gradient(raw, np.array([[[1.0, -1.0]]]), np.ones((1, 1))), raw.ravel()
    (-1.0, array([ 1., -1.]))
    """

    def prepare(self, targets: Values, weights: Floats) -> tuple[Values, Floats]:
        return targets, weights

    def loss_gradient(
        self,
        raw: Floats,
        targets: Values,
        weights: Floats,
        parameters: Weights = NO_WEIGHTS,
        gradients: Weights = NO_WEIGHTS,
    ) -> float:
        coefficients = targets.transpose(0, 2, 1) * weights[:, None]  # (L, K, n)
        total = float((coefficients * raw).sum())
        raw[...] = coefficients
        return total

    def inverse_link(self, raw: Floats) -> Floats:
        return raw

    def initial_bias(self, targets: Values, weights: Floats) -> Floats:
        return np.zeros(self.n_raw)
