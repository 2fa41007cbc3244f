"""A recurrent layer in ONNX as a loop over time, in a dtype in which no runtime has an operator for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..core.cells import Cell, ElmanCell
from ..core.parameters import Weights
from ._graph import Graph, Shape, exporter_of, integer
from ._inputs import BATCH, Steps

_FUNCTIONS = {"relu": "Relu", "tanh": "Tanh", "tanh_by_exp": "Tanh", "tanh_by_numpy": "Tanh"}
"""ONNX's name of each of `skrnn.core.kernels.numpy.activations.ACTIVATIONS`."""


def add_loop(cell: Cell, graph: Graph, weights: list[Weights], steps: Steps, before: list[str]) -> list[str]:
    """Add a layer, from a state (1, B, H) or zero: outputs (T, D, B, H), and the last states (D, B, H)."""
    if before:
        h = graph.add("Squeeze", before[0], integer([0]))
    else:
        shape = graph.add("Concat", graph.add("Shape", steps.lengths), integer([cell.hidden_size]), axis=0)
        h = graph.add("Expand", np.zeros((), graph.layer_dtype), shape)
    directions = [_run(cell, graph, part, steps, h, bool(is_reverse)) for is_reverse, part in enumerate(weights)]
    axes = 1, 0  # of the direction, in outputs and in states
    return [
        graph.add("Concat", *(graph.add("Unsqueeze", v, integer([axis])) for v in of_directions), axis=axis)
        for of_directions, axis in zip(zip(*directions, strict=True), axes, strict=True)
    ]


def _run(cell: Cell, graph: Graph, weights: Weights, steps: Steps, before: str, is_reverse: bool) -> tuple[str, str]:
    """Add one direction, from a state (B, H): outputs (T, B, H), and the last states."""
    dtype = graph.layer_dtype
    W_x, W_h, b = (weights[name].astype(dtype) for name in ("W_x", "W_h", "b"))
    body = graph.body()
    shape: Shape = [BATCH, cell.hidden_size]
    h, a = body.input("h", dtype, shape), body.input("a", dtype, shape)
    is_step = body.input("is_step", np.bool_, [BATCH, 1])
    h_next = exporter_of(_STEPS, cell)(cell, body, body.add("Add", a, body.add("MatMul", h, W_h.T)))
    h_next = body.add("Where", is_step, h_next, h)  # before its first step, in reverse, and behind its last one
    body.output("after", h_next, dtype, shape)
    body.output("output", h_next, dtype, shape)
    projected = graph.add("Add", graph.add("MatMul", steps.x, W_x.T), b)
    after, outputs = graph.add_many(
        "Scan",
        2,
        before,
        projected,
        steps.is_step,
        body=body.to_graph("step"),
        num_scan_inputs=2,
        scan_input_directions=[int(is_reverse)] * 2,
        scan_output_directions=[int(is_reverse)],
    )
    return outputs, after


def function_of(cell: Cell) -> str:
    """Return ONNX's name of a cell's activation; raises for one that it has not."""
    if cell.activation not in _FUNCTIONS:
        raise NotImplementedError(
            f"The activation {cell.activation!r} cannot be exported to ONNX; {', '.join(_FUNCTIONS)} can."
        )
    return _FUNCTIONS[cell.activation]


def _elman(cell: ElmanCell, body: Graph, a: str) -> str:
    return body.add(function_of(cell), a)


_STEPS: dict[type[Cell], Callable[..., str]] = {ElmanCell: _elman}
"""From the pre-activations (B, G*H) of a step to its output (B, H), of cells whose states have no bounds."""
