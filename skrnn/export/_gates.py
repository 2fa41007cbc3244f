"""How other libraries lay out the weights of a layer: the order of the gates, and two biases instead of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..core.arrays import Floats
from ..core.cells import Cell, ElmanCell, GRUCell, LSTMCell
from ..core.model.stack import RecurrentStack
from ..core.parameters import Weights

Order = Sequence[str]
"""Names of a cell's gates, see `Cell.gates`, in the order of another library's blocks of rows."""

TORCH_GATES: dict[type[Cell], Order] = {ElmanCell: "h", GRUCell: "rzn", LSTMCell: "ifgo"}
ONNX_GATES: dict[type[Cell], Order] = {ElmanCell: "h", GRUCell: "zrn", LSTMCell: "iofg"}


class LayerArrays(NamedTuple):
    """The weights of one layer and direction, by blocks of H rows in another library's order.

    Attributes
    ----------
    W_x, W_h : ndarray of shape (G*H, F), (G*H, H)
        Of the inputs, and of the state.
    b_x, b_h : ndarray of shape (G*H,)
        Biases beside each of the two products. They are summed, but for the GRU's candidate, whose reset gate
        multiplies ``W_h h + b_h``.
    """

    W_x: Floats
    W_h: Floats
    b_x: Floats
    b_h: Floats


def order_of(cell: Cell, orders: dict[type[Cell], Order], library: str) -> Order:
    """Return the order of a cell's gates in a library; raises for a cell that it has not."""
    if type(cell) not in orders:
        raise NotImplementedError(
            f"{type(cell).__name__} has no counterpart in {library}. What can be exported is "
            f"{', '.join(kind.__name__ for kind in orders)}."
        )
    return orders[type(cell)]


def parts_of_layers(stack: RecurrentStack) -> list[list[str]]:
    """Return the names of the parts of each layer, one a direction."""
    names, D = list(stack.shapes()), stack.n_directions
    return [names[first : first + D] for first in range(0, len(names), D)]


def with_gates_in(order: Order, before: Order, array: Floats) -> Floats:
    """Return the blocks of rows (H, ...) that belong to the gates `before`, in another order."""
    blocks = dict(zip(before, np.split(array, len(before)), strict=True))
    return np.concatenate([blocks[gate] for gate in order])


def to_order(cell: Cell, weights: Weights, order: Order) -> LayerArrays:
    """Return the weights of one layer and direction in another library's order."""
    b_h = np.zeros_like(weights["b"])
    if "b_hn" in weights:
        b_h[_candidate(cell)] = weights["b_hn"]
    arrays = weights["W_x"], weights["W_h"], weights["b"], b_h
    return LayerArrays(*(with_gates_in(order, cell.gates, array) for array in arrays))


def from_order(cell: Cell, arrays: LayerArrays, order: Order) -> Weights:
    """Return the weights of one layer and direction by name, of those in another library's order."""
    W_x, W_h, b_x, b_h = (with_gates_in(cell.gates, order, array) for array in arrays)
    if "b_hn" not in cell.shapes():
        return {"W_x": W_x, "W_h": W_h, "b": b_x + b_h}
    b_hn = b_h[_candidate(cell)].copy()
    b_h[_candidate(cell)] = 0
    return {"W_x": W_x, "W_h": W_h, "b": b_x + b_h, "b_hn": b_hn}


def _candidate(cell: Cell) -> slice:
    """Rows of the candidate, gate n, whose bias beside the state has to stay apart."""
    first = cell.gates.index("n") * cell.hidden_size
    return slice(first, first + cell.hidden_size)
