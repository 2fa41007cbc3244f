"""The recurrent layers of a network in ONNX: an operator RNN, GRU or LSTM for each.

ONNX Runtime has these operators in float32 only, so they compute in it, whatever the dtype of the rest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.arrays import Floats
from ..core.cells import Cell, ElmanCell, GRUCell, LSTMCell
from ..core.model.stack import RecurrentStack
from ..core.parameters import Weights
from ._gates import ONNX_GATES, order_of, parts_of_layers, to_order
from ._graph import Graph
from ._inputs import Steps

OPERATORS: dict[type[Cell], str] = {ElmanCell: "RNN", GRUCell: "GRU", LSTMCell: "LSTM"}


class Outputs(NamedTuple):
    """What the layers give, tensors of the graph's dtype.

    Attributes
    ----------
    top : str
        Outputs of the top layer (T, B, D*H), with anything behind the ends.
    last : str
        Its last states h (B, D*H), of each direction apart.
    states : list of str
        Last states of all layers (n_layers * D, B, H): h, and c of the LSTM.
    """

    top: str
    last: str
    states: list[str]


def run_layers(
    stack: RecurrentStack, graph: Graph, weights: dict[str, Weights], steps: Steps, before: list[str]
) -> Outputs:
    """Run layer after layer, from the states `before` (n_layers, B, H) of one direction; without them from zero."""
    x, *before = (graph.cast(tensor, np.float32) for tensor in (steps.x, *before))
    lengths = graph.cast(steps.lengths, np.int32)
    states: list[list[str]] = []
    for k, parts in enumerate(parts_of_layers(stack)):
        first = [graph.add("Gather", state, np.array([k])) for state in before]
        W_x = [weights[part]["W_x"] for part in parts] if k else steps.W_x
        arrays = _arrays(stack.cell, [{**weights[part], "W_x": W} for part, W in zip(parts, W_x, strict=True)])
        y, *after = graph.add_many(
            _operator(stack.cell),
            1 + stack.cell.n_states,
            x,
            *arrays,
            lengths,
            *first,
            hidden_size=stack.cell.hidden_size,
            direction="bidirectional" if stack.bidirectional else "forward",
            **_attributes(stack),
        )
        x = _side_by_side(graph, y, [0, 2, 1, 3], [0, 0, stack.n_outputs])
        states.append(after)
    last = _side_by_side(graph, states[-1][0], [1, 0, 2], [0, stack.n_outputs])
    of_all = [graph.add("Concat", *of_layers, axis=0) for of_layers in zip(*states, strict=True)]
    x, last, *of_all = (graph.cast(tensor, graph.dtype) for tensor in (x, last, *of_all))
    return Outputs(x, last, of_all)


def _operator(cell: Cell) -> str:
    order_of(cell, ONNX_GATES, "ONNX")
    return OPERATORS[type(cell)]


def _arrays(cell: Cell, weights: list[Weights]) -> list[Floats]:
    """Weights W (D, G*H, F), R (D, G*H, H) and biases B (D, 2*G*H) of a layer, in ONNX's order."""
    of_directions = [to_order(cell, part, order_of(cell, ONNX_GATES, "ONNX")) for part in weights]
    W_x, W_h, b_x, b_h = (np.stack(arrays).astype(np.float32) for arrays in zip(*of_directions, strict=True))
    return [W_x, W_h, np.concatenate([b_x, b_h], axis=1)]


def _attributes(stack: RecurrentStack) -> dict[str, Any]:
    """What else the operator is told of the cell."""
    if isinstance(stack.cell, GRUCell):
        return {"linear_before_reset": 1}
    if isinstance(stack.cell, ElmanCell):
        return {"activations": ["Relu" if stack.cell.activation == "relu" else "Tanh"] * stack.n_directions}
    return {}


def _side_by_side(graph: Graph, tensor: str, directions_last: list[int], shape: list[int]) -> str:
    """Put what the directions gave next to each other."""
    return graph.add("Reshape", graph.add("Transpose", tensor, perm=directions_last), np.array(shape))
