r"""The Elman cell, a layer that sees its own last output.

.. math::
    a_t &= W_x x_t + b + W_h h_{t-1} \tag{1} \\
    h_t &= f(a_t) \tag{2}

f is tanh, or relu with W_h starting at the identity. The notebook's names: U = W_x, V = W_h, bh = b.

Backward, with :math:`d_v = \partial \ell / \partial v`:

.. math::
    d_{a_t} &= d_{h_t} f'(a_t) \tag{2'} \\
    d_{h_{t-1}} &= W_h^\top d_{a_t}, \quad d_{W_h} = \sum_t d_{a_t} h_{t-1}^\top \tag{1'}

References
----------
Elman, *Finding structure in time* (1990), section "Finding structure in time".
Le, Jaitly and Hinton, *A simple way to initialize recurrent networks of rectified linear units* (2015), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..parameters import Weights
from .cell import Cell


@dataclass(frozen=True)
class ElmanCell(Cell):
    """Elman cell with activation tanh or relu.

    Parameters
    ----------
    hidden_size : int
        Number of units H.
    activation : str, default="tanh"
        Name of the function; recurrent weights of "relu" start at the identity.

    Examples
    --------
    >>> ElmanCell(hidden_size=3).shapes()
    {'W_h': (3, 3)}
    """

    gates = ("h",)

    def initialize(self, weights: Weights, rng: np.random.Generator, is_one_hot: bool = False) -> None:
        super().initialize(weights, rng, is_one_hot)
        if self.activation == "relu":
            weights["W_h"][:] = np.eye(self.hidden_size)
