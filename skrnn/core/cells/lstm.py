r"""Long short-term memory with a forget gate and without peepholes.

.. math::
    g_t &= \tanh(W_{xg} x_t + b_g + W_{hg} h_{t-1}) \tag{1} \\
    f_t &= \sigma(W_{xf} x_t + b_f + W_{hf} h_{t-1}) \tag{2} \\
    i_t &= \sigma(W_{xi} x_t + b_i + W_{hi} h_{t-1}) \tag{3} \\
    o_t &= \sigma(W_{xo} x_t + b_o + W_{ho} h_{t-1}) \tag{4} \\
    c_t &= f_t c_{t-1} + i_t g_t \tag{5} \\
    h_t &= o_t \tanh(c_t) \tag{6}

g is the candidate, f forgets, i lets in, o lets out; rows of W_x, W_h and b in the order g, f, i, o. Products of
vectors are elementwise. The bias b_f starts at 1, so that a fresh network remembers.

Backward, with :math:`d_v = \partial \ell / \partial v`, gradients of pre-activations for the gates:

.. math::
    d_{o_t} &= d_{h_t} \tanh(c_t) o_t (1 - o_t), \quad
    d_{c_t} \mathrel{+}= d_{h_t} o_t (1 - \tanh^2 c_t) \tag{6', 4'} \\
    d_{g_t} &= d_{c_t} i_t (1 - g_t^2), \quad d_{f_t} = d_{c_t} c_{t-1} f_t (1 - f_t), \quad
    d_{i_t} = d_{c_t} g_t i_t (1 - i_t) \tag{5', 1', 2', 3'} \\
    d_{c_{t-1}} &= d_{c_t} f_t, \quad d_{h_{t-1}} = W_h^\top [d_{g_t} d_{f_t} d_{i_t} d_{o_t}] \tag{5', 1' to 4'}

References
----------
Hochreiter and Schmidhuber, *Long short-term memory* (1997), section 4. Gers, Schmidhuber and Cummins, *Learning to
forget* (2000), equations 1 to 9. Jozefowicz, Zaremba and Sutskever, *An empirical exploration of recurrent network
architectures* (2015), section 2.2: the bias of the forget gate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..parameters import Weights
from .cell import Cell


@dataclass(frozen=True)
class LSTMCell(Cell):
    """Long short-term memory, forget bias 1.

    Parameters
    ----------
    hidden_size : int
        Number of units H.
    activation : str, default="tanh"
        Name of the tanh, see `Cell`.

    Examples
    --------
    >>> LSTMCell(hidden_size=3).shapes()
    {'W_h': (12, 3)}
    """

    gates = ("g", "f", "i", "o")
    keeping_gates: ClassVar = {"f": 1, "i": -1}
    states = ("h", "c")

    def initialize(self, weights: Weights, rng: np.random.Generator, is_one_hot: bool = False) -> None:
        super().initialize(weights, rng, is_one_hot)
        forget = self.gates.index("f") * self.hidden_size
        weights["b"][forget : forget + self.hidden_size] = 1
