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
from ._inputs import Steps
from ._loops import add_loop, function_of

SINGLE = np.dtype(np.float32)
"""The only dtype in which ONNX Runtime has the operators of the layers."""


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
    add_layer = _add_operator if graph.layer_dtype == SINGLE else add_loop
    x, before = steps.x, [graph.cast(state, graph.layer_dtype) for state in before]
    states: list[list[str]] = []
    for k, parts in enumerate(parts_of_layers(stack)):
        first = [graph.add("Gather", state, integer([k])) for state in before]
        W_x = [weights[part]["W_x"] for part in parts] if k else steps.W_x
        of_parts = [{**weights[part], "W_x": W} for part, W in zip(parts, W_x, strict=True)]
        y, *after = add_layer(stack.cell, graph, of_parts, steps._replace(x=x), first)
        x = _side_by_side(graph, y, [0, 2, 1, 3], [0, 0, stack.n_outputs])
        states.append(after)
    last = _side_by_side(graph, states[-1][0], [1, 0, 2], [0, stack.n_outputs])
    of_all = [graph.add("Concat", *of_layers, axis=0) for of_layers in zip(*states, strict=True)]
    x, last, *of_all = (graph.cast(tensor, graph.dtype) for tensor in (x, last, *of_all))
    return Outputs(x, last, of_all)


def layer_dtype_of(stack: RecurrentStack, dtype: np.dtype) -> np.dtype:
    """Return what the layers compute in: where states have bounds float32, since there are operators for it."""
    return SINGLE if stack.kernel.is_bounded else dtype


def _add_operator(cell: Cell, graph: Graph, weights: list[Weights], steps: Steps, before: list[str]) -> list[str]:
    """Add a layer, from states (1, B, H) or zero: outputs (T, D, B, H), and the last states (D, B, H)."""
    operator, functions, options = exporter_of(_OPERATORS, cell)(function_of(cell))
    D, arrays = len(weights), _arrays(cell, weights)
    return graph.add_many(
        operator,
        1 + cell.n_states,
        steps.x,
        *arrays,
        graph.cast(steps.lengths, np.int32),
        *before,
        hidden_size=cell.hidden_size,
        direction="bidirectional" if D == 2 else "forward",
        activations=functions * D,
        **options,
    )


def _arrays(cell: Cell, weights: list[Weights]) -> list[Floats]:
    """Weights W (D, G*H, F), R (D, G*H, H) and biases B (D, 2*G*H) of a layer, in ONNX's order."""
    of_directions = [to_order(cell, part, order_of(cell, ONNX_GATES, "ONNX")) for part in weights]
    W_x, W_h, b_x, b_h = (np.stack(arrays).astype(SINGLE) for arrays in zip(*of_directions, strict=True))
    return [W_x, W_h, np.concatenate([b_x, b_h], axis=1)]


def _side_by_side(graph: Graph, tensor: str, directions_last: list[int], shape: list[int]) -> str:
    """Put what the directions gave next to each other."""
    return graph.add("Reshape", graph.add("Transpose", tensor, perm=directions_last), integer(shape))
