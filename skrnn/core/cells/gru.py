r"""The gated recurrent unit, with the reset gate applied after the recurrent product.

.. math::
    r_t &= \sigma(W_{xr} x_t + b_r + W_{hr} h_{t-1}) \tag{1} \\
    z_t &= \sigma(W_{xz} x_t + b_z + W_{hz} h_{t-1}) \tag{2} \\
    R_t &= W_{hn} h_{t-1} + b_{hn} \tag{3} \\
    n_t &= \tanh(W_{xn} x_t + b_n + r_t R_t) \tag{4} \\
    h_t &= n_t + z_t (h_{t-1} - n_t) \tag{5}

r resets, z keeps, n is the candidate; rows of W_x, W_h and b in the order r, z, n. Products of vectors are elementwise.
With the reset after the product there is one recurrent GEMM a step, as in cuDNN, PyTorch and Keras; in the
paper r multiplies :math:`h_{t-1}` before it.

Backward, with :math:`d_v = \partial \ell / \partial v`, the gradients of pre-activations:

.. math::
    d_{n_t} &= d_{h_t} (1 - z_t)(1 - n_t^2), \quad d_{z_t} = d_{h_t} (h_{t-1} - n_t) z_t (1 - z_t) \tag{5', 4', 2'} \\
    d_{R_t} &= d_{n_t} r_t, \quad d_{r_t} = d_{n_t} R_t r_t (1 - r_t) \tag{4', 1'} \\
    d_{h_{t-1}} &= d_{h_t} z_t + W_{hn}^\top d_{R_t} + W_{hr}^\top d_{r_t} + W_{hz}^\top d_{z_t} \tag{5', 3', 1', 2'}

References
----------
Cho et al., *Learning phrase representations using RNN encoder-decoder for statistical machine translation* (2014),
equations 5 to 8. Chung et al., *Empirical evaluation of gated recurrent neural networks on sequence modeling* (2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..parameters import Weights
from .cell import Cell


@dataclass(frozen=True)
class GRUCell(Cell):
    """Gated recurrent unit, reset after the recurrent product.

    Parameters
    ----------
    hidden_size : int
        Number of units H.
    activation : str, default="tanh"
        Name of the tanh, see `Cell`.

    Examples
    --------
    >>> GRUCell(hidden_size=3).shapes()
    {'W_h': (9, 3), 'b_hn': (3,)}
    """

    gates = ("r", "z", "n")
    keeping_gates: ClassVar = {"z": 1}
    one_hot_limit = 0.5  # more closes its gates: docs/design.md

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {**super().shapes(), "b_hn": (self.hidden_size,)}

    def initialize(self, weights: Weights, rng: np.random.Generator, is_one_hot: bool = False) -> None:
        super().initialize(weights, rng, is_one_hot)
        weights["b_hn"][:] = 0
