"""The recurrent layers of a network in ONNX: an operator RNN, GRU or LSTM for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..core.arrays import Floats
from ..core.cells import Cell, ElmanCell, GRUCell, LSTMCell
from ..core.model.stack import RecurrentStack
from ..core.parameters import Weights
from ._gates import ONNX_GATES, order_of, parts_of_layers, to_order
from ._graph import Graph, exporter_of, integer
from ._inputs import SINGLE, Steps

_FUNCTIONS = {"relu": "Relu", "tanh": "Tanh", "tanh_by_exp": "Tanh", "tanh_by_numpy": "Tanh"}
"""ONNX's name of each of `skrnn.core.kernels.numpy.activations.ACTIVATIONS`."""


def _rnn(f: str) -> tuple[str, list[str], dict[str, int]]:
    return "RNN", [f], {}


def _gru(f: str) -> tuple[str, list[str], dict[str, int]]:
    return "GRU", ["Sigmoid", f], {"linear_before_reset": 1}


def _lstm(f: str) -> tuple[str, list[str], dict[str, int]]:
    return "LSTM", ["Sigmoid", f, f], {}


_OPERATORS: dict[type[Cell], Callable[[str], tuple[str, list[str], dict[str, int]]]] = {
    ElmanCell: _rnn,
    GRUCell: _gru,
    LSTMCell: _lstm,
}
"""The operator of each cell whose activation is f, its functions, and what else it is told."""


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
    operator, functions, options = exporter_of(_OPERATORS, stack.cell)(_function_of(stack.cell))
    x, lengths = steps.x, graph.cast(steps.lengths, np.int32)
    before = [graph.cast(state, SINGLE) for state in before]
    states: list[list[str]] = []
    for k, parts in enumerate(parts_of_layers(stack)):
        first = [graph.add("Gather", state, integer([k])) for state in before]
        W_x = [weights[part]["W_x"] for part in parts] if k else steps.W_x
        arrays = _arrays(stack.cell, [{**weights[part], "W_x": W} for part, W in zip(parts, W_x, strict=True)])
        y, *after = graph.add_many(
            operator,
            1 + stack.cell.n_states,
            x,
            *arrays,
            lengths,
            *first,
            hidden_size=stack.cell.hidden_size,
            direction="bidirectional" if stack.bidirectional else "forward",
            activations=functions * stack.n_directions,
            **options,
        )
        x = _side_by_side(graph, y, [0, 2, 1, 3], [0, 0, stack.n_outputs])
        states.append(after)
    last = _side_by_side(graph, states[-1][0], [1, 0, 2], [0, stack.n_outputs])
    of_all = [graph.add("Concat", *of_layers, axis=0) for of_layers in zip(*states, strict=True)]
    x, last, *of_all = (graph.cast(tensor, graph.dtype) for tensor in (x, last, *of_all))
    return Outputs(x, last, of_all)


def _function_of(cell: Cell) -> str:
    """Return ONNX's name of a cell's activation; raises for one that it has not."""
    if cell.activation not in _FUNCTIONS:
        raise NotImplementedError(
            f"The activation {cell.activation!r} cannot be exported to ONNX; {', '.join(_FUNCTIONS)} can."
        )
    return _FUNCTIONS[cell.activation]


def _arrays(cell: Cell, weights: list[Weights]) -> list[Floats]:
    """Weights W (D, G*H, F), R (D, G*H, H) and biases B (D, 2*G*H) of a layer, in ONNX's order."""
    of_directions = [to_order(cell, part, order_of(cell, ONNX_GATES, "ONNX")) for part in weights]
    W_x, W_h, b_x, b_h = (np.stack(arrays).astype(SINGLE) for arrays in zip(*of_directions, strict=True))
    return [W_x, W_h, np.concatenate([b_x, b_h], axis=1)]


def _side_by_side(graph: Graph, tensor: str, directions_last: list[int], shape: list[int]) -> str:
    """Put what the directions gave next to each other."""
    return graph.add("Reshape", graph.add("Transpose", tensor, perm=directions_last), integer(shape))
