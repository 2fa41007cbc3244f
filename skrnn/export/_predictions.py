"""Head and loss of a network in ONNX: from the columns that the readout shows to what is predicted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..core.model.chain import LinearChain
from ..core.model.head import LinearHead
from ..core.model.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Gaussian,
    Huber,
    Loss,
    NumberLoss,
    Poisson,
    Quantile,
    SquaredError,
)
from ..core.model.losses.numbers import MIN_VARIANCE, _largest_exponent
from ..core.parameters import Weights
from ._graph import Graph, exporter_of

Predicted = dict[str, str]
"""Tensors by what they are; all but those that say otherwise have the axes of the raw predictions (..., K)."""


def add_head(head: LinearHead, graph: Graph, weights: Weights, columns: str) -> str:
    """Give raw predictions (..., n_raw) of columns (..., n_inputs)."""
    return exporter_of({LinearHead: _linear}, head)(graph, weights, columns)


def _linear(graph: Graph, weights: Weights, columns: str) -> str:
    return graph.add("Add", graph.add("MatMul", columns, weights["W_y"].T), weights["b_y"])


def predict(loss: Loss, graph: Graph, weights: Weights, raw: str) -> Predicted:
    """Give what is predicted, from raw predictions and the parameters of the loss."""
    return exporter_of(_LOSSES, loss)(loss, graph, weights, raw)


def _class(loss: CrossEntropy, graph: Graph, weights: Weights, raw: str) -> Predicted:
    """The index (...) of the likeliest class, too."""
    index = graph.add("ArgMax", raw, axis=-1, keepdims=0)
    return {
        "index": index,
        "probabilities": graph.add("Softmax", raw, axis=-1),
        "log_probabilities": graph.add("LogSoftmax", raw, axis=-1),
    }


def _labels(loss: BinaryCrossEntropy, graph: Graph, weights: Weights, raw: str) -> Predicted:
    probabilities = graph.add("Sigmoid", raw)
    is_likely = graph.add("Greater", probabilities, graph.number(0.5))
    return {"indicators": graph.cast(is_likely, np.int64), "probabilities": probabilities}


def _chain(loss: LinearChain, graph: Graph, weights: Weights, raw: str) -> Predicted:
    """Scores of pairs (K, K), of the first and of the last label (K,), too, which are constants."""
    constants = {"transitions": "W_t", "start_transitions": "b_first", "end_transitions": "b_last"}
    scores = {name: graph.add("Identity", weights[array]) for name, array in constants.items()}
    return {"emissions": raw, **scores}


def _number(loss: NumberLoss, graph: Graph, weights: Weights, raw: str) -> Predicted:
    return {"variable": _in_units(loss, graph, raw)}


def _count(loss: Poisson, graph: Graph, weights: Weights, raw: str) -> Predicted:
    bounded = graph.add("Min", raw, graph.number(_largest_exponent(graph.dtype)))
    return {"variable": _in_units(loss, graph, graph.add("Exp", bounded))}


def _mean_and_std(loss: Gaussian, graph: Graph, weights: Weights, raw: str) -> Predicted:
    mean, z = graph.add_many("Split", 2, raw, axis=-1, num_outputs=2)
    std = graph.cast(graph.add("Sqrt", _variance(graph, graph.cast(z, np.float64))), graph.dtype)
    _, scale = loss._standard(graph.dtype)
    return {"variable": _in_units(loss, graph, mean), "std": graph.add("Mul", std, scale)}


def _variance(graph: Graph, z: str) -> str:
    """The softplus, and the least variance, of z in float64: log(1 + x) is precise enough there."""
    one, zero, least = (np.array(value, np.float64) for value in (1, 0, MIN_VARIANCE))
    small = graph.add("Exp", graph.add("Neg", graph.add("Abs", z)))
    softplus = graph.add("Add", graph.add("Max", z, zero), graph.add("Log", graph.add("Add", small, one)))
    return graph.add("Add", softplus, least)


def _in_units(loss: NumberLoss, graph: Graph, standardised: str) -> str:
    """From standard units to those of y."""
    center, scale = loss._standard(graph.dtype)
    return graph.add("Add", graph.add("Mul", standardised, scale), center)


_LOSSES: dict[type[Loss], Callable[..., Predicted]] = {
    CrossEntropy: _class,
    BinaryCrossEntropy: _labels,
    LinearChain: _chain,
    SquaredError: _number,
    AbsoluteError: _number,
    Huber: _number,
    Quantile: _number,
    Poisson: _count,
    Gaussian: _mean_and_std,
}
