"""The readout of a network in ONNX: which columns the head sees. Those of steps are (B, T, D*H), others (B, D*H)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..core.model.pooling import LastPooling, MaxPooling, MeanPooling
from ..core.model.readouts import EveryStep, Readout
from ._graph import Graph, exporter_of, integer
from ._inputs import Steps
from ._layers import Outputs


def read_out(readout: Readout, graph: Graph, outputs: Outputs, steps: Steps) -> str:
    """Give what the head sees."""
    return exporter_of(_READOUTS, readout)(graph, outputs, steps)


def _every_step(graph: Graph, outputs: Outputs, steps: Steps) -> str:
    return graph.add("Transpose", outputs.top, perm=[1, 0, 2])


def _last(graph: Graph, outputs: Outputs, steps: Steps) -> str:
    return outputs.last


def _mean(graph: Graph, outputs: Outputs, steps: Steps) -> str:
    real = graph.add("Where", steps.is_step, outputs.top, graph.number(0))
    n_steps = graph.cast(graph.add("Unsqueeze", steps.lengths, integer([1])), graph.dtype)
    return graph.add("Div", graph.add("ReduceSum", real, integer([0]), keepdims=0), n_steps)


def _max(graph: Graph, outputs: Outputs, steps: Steps) -> str:
    real = graph.add("Where", steps.is_step, outputs.top, graph.number(-np.inf))
    return graph.add("ReduceMax", real, integer([0]), keepdims=0)


_READOUTS: dict[type[Readout], Callable[[Graph, Outputs, Steps], str]] = {
    EveryStep: _every_step,
    LastPooling: _last,
    MeanPooling: _mean,
    MaxPooling: _max,
}
