"""The outputs of an ONNX model: what the network predicts, in the terms of the estimator."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np

from .._fitted import Fitted, Reading
from .._labelled_sequences import LabelledReading
from .._numbered_sequences import NumberReading
from .._tagged_sequences import TagReading
from .._token_sequences import TokenReading
from ._graph import Graph, Shape, exporter_of, integer
from ._predictions import Predicted


def declare_outputs(fitted: Fitted[Any], graph: Graph, predicted: Predicted, axes: Shape) -> dict[str, Any]:
    """Declare what was predicted, an entry for each of `axes`, to be outputs; return what has to be known of them."""
    return exporter_of(_OUTPUTS, fitted.reading)(fitted, graph, predicted, axes)


def _of_labels(fitted: Fitted[Any], graph: Graph, predicted: Predicted, axes: Shape) -> dict[str, Any]:
    """Labels and their probabilities; of a chain the scores."""
    classes: np.ndarray = fitted.reading.classes
    K = len(classes)
    if "index" in predicted:
        graph.output("label", graph.add("Gather", classes, predicted["index"]), classes.dtype, axes)
    if "indicators" in predicted:
        graph.output("label", predicted["indicators"], np.int64, [*axes, K])
    shapes: dict[str, Shape] = {
        "probabilities": [*axes, K],
        "emissions": [*axes, K],
        "transitions": [K, K],
        "start_transitions": [K],
        "end_transitions": [K],
    }
    for name, shape in shapes.items():
        if name in predicted:
            graph.output(name, predicted[name], graph.dtype, shape)
    return {"classes": classes.tolist()}


def _of_numbers(fitted: Fitted[Any], graph: Graph, predicted: Predicted, axes: Shape) -> dict[str, Any]:
    """Numbers in the shape of y, and perhaps their standard deviations."""
    reading: NumberReading = fitted.reading
    for name, tensor in predicted.items():
        if reading.is_flat:
            graph.output(name, graph.add("Squeeze", tensor, integer([-1])), graph.dtype, axes)
        else:
            graph.output(name, tensor, graph.dtype, [*axes, reading.n_outputs])
    return {}


def _of_tokens(fitted: Fitted[Any], graph: Graph, predicted: Predicted, axes: Shape) -> dict[str, Any]:
    """Log-probabilities of all tokens, UNKNOWN included."""
    reading: TokenReading = fitted.reading
    scores, log_proba = reading.scores(fitted.built), predicted["log_probabilities"]
    if scores.unknown_probability is not None:
        log_proba = graph.add("Add", log_proba, graph.number(scores.log_of_others))
        padding = integer([0] * (2 * len(axes) + 1) + [1])  # one column more, at the end of the last axis
        log_proba = graph.add("Pad", log_proba, padding, graph.number(log(scores.unknown_probability)))
    graph.output("log_probabilities", log_proba, graph.dtype, [*axes, len(reading.vocabulary.column_tokens)])
    return {}


_OUTPUTS: dict[type[Reading], Callable[[Fitted[Any], Graph, Predicted, Shape], dict[str, Any]]] = {
    LabelledReading: _of_labels,
    TagReading: _of_labels,
    NumberReading: _of_numbers,
    TokenReading: _of_tokens,
}
