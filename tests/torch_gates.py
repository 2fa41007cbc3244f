"""The order of PyTorch's gates."""

import numpy as np

from skrnn.core.cells import CELLS

TORCH_GATES = {"tanh": "h", "relu": "h", "gru": "rzn", "lstm": "ifgo"}
"""By name of the cell, the names of the row blocks of ``weight_ih``, in their order."""


def to_torch(cell, array):
    """Return the gates' blocks of rows, which are in our order, in PyTorch's."""
    gates = CELLS[cell](1).gates
    blocks = dict(zip(gates, np.split(array, len(gates)), strict=True))
    return np.concatenate([blocks[gate] for gate in TORCH_GATES[cell]])


def from_torch(cell, array):
    """Return the gates' blocks of rows, which are in PyTorch's order, in ours."""
    order = TORCH_GATES[cell]
    blocks = dict(zip(order, np.split(array, len(order)), strict=True))
    return np.concatenate([blocks[gate] for gate in CELLS[cell](1).gates])
