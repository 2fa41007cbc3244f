"""The input of a network in ONNX: from what is passed to what the first layer reads.

Conventions: inputs have the axes (batch, time, ...), the layers (T, B, ...). What lies behind the end of a sequence is
replaced by 0 first, whatever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..core.arrays import Floats
from ..core.model.inputs import DenseInput, Embedding, Input, MixedInput, TokenInput
from ..core.parameters import Weights
from ..preprocessing import SequenceScaler
from ._graph import Graph, exporter_of, integer

BATCH, TIME = "batch", "time"


@dataclass(frozen=True)
class Ids:
    """What the ids of tokens, or of one kind of categories, mean.

    Attributes
    ----------
    n_known : int
        Ids below are those of known tokens.
    unknown : int
        The id of all others; any other number counts as it.
    begin : int or None
        One more that can be read.
    rejects_unknown : bool
        Whether unknown tokens are an error.
    """

    n_known: int
    unknown: int
    begin: int | None = None
    rejects_unknown: bool = False


@dataclass(frozen=True)
class Source:
    """What comes before the network.

    Attributes
    ----------
    scalers : sequence of SequenceScaler
        Of its numbers, in their order.
    ids : sequence of Ids
        Of its tokens, or of each kind of its categories.
    is_continued : bool
        Whether sequences may continue others: states go in and come out.
    """

    scalers: Sequence[SequenceScaler] = ()
    ids: Sequence[Ids] = ()
    is_continued: bool = False


class Steps(NamedTuple):
    """What the first layer reads.

    Attributes
    ----------
    x : str
        Tensor (T, B, F) of the layers' dtype.
    W_x : list of ndarray of shape (G*H, F)
        The weights that it is multiplied with, by direction.
    lengths : str
        Tensor (B,), int64.
    is_step : str
        Tensor (T, B, 1), bool: whether there is a step.
    """

    x: str
    W_x: list[Floats]
    lengths: str
    is_step: str


def read_steps(input_: Input, graph: Graph, source: Source, weights: dict[str, Weights], parts: list[str]) -> Steps:
    """Declare the inputs of the model, and give what the first layer, whose directions are `parts`, reads."""
    W_x = [weights[part]["W_x"] for part in parts]
    return exporter_of(_INPUTS, input_)(input_, graph, source, weights.get("embedding", {}), W_x)


def _read_features(input_: DenseInput, graph: Graph, source: Source, vectors: Weights, W_x: list[Floats]) -> Steps:
    X = _numbers(graph, source, input_.n_inputs)
    lengths, is_step = _ends(graph, X)
    return Steps(_steps_of(graph, X, is_step), W_x, lengths, is_step)


def _read_tokens(input_: TokenInput, graph: Graph, source: Source, vectors: Weights, W_x: list[Floats]) -> Steps:
    X = graph.input("X", np.int64, [BATCH, TIME])
    lengths, is_step = _ends(graph, X)
    n_rows = sum(map(len, W_x))
    table: Floats = np.eye(input_.n_inputs)
    if input_.n_inputs > n_rows:  # columns of W_x itself, which the layer then takes as they are
        table = np.concatenate(W_x).T
        W_x = np.split(np.eye(n_rows), len(W_x))
    return Steps(_take(graph, table, X, source.ids[0], is_step), W_x, lengths, is_step)


def _read_vectors(input_: Embedding, graph: Graph, source: Source, vectors: Weights, W_x: list[Floats]) -> Steps:
    X = graph.input("X", np.int64, [BATCH, TIME])
    lengths, is_step = _ends(graph, X)
    return Steps(_take(graph, vectors["E"], X, source.ids[0], is_step), W_x, lengths, is_step)


def _read_mixed(input_: MixedInput, graph: Graph, source: Source, vectors: Weights, W_x: list[Floats]) -> Steps:
    X = _numbers(graph, source, input_.n_numbers) if input_.n_numbers else None
    categories = graph.input("categories", np.int64, [BATCH, TIME, len(input_.categories)])
    lengths, is_step = _ends(graph, categories)
    columns = [] if X is None else [_steps_of(graph, X, is_step)]
    for k, (n, size) in enumerate(input_.categories):
        one_hot = np.eye(n, n - 1)  # zero for the last, those that are unknown
        table = vectors[f"E_{k}"] if size else one_hot
        of_kind = graph.add("Gather", categories, integer(k), axis=2)
        columns.append(_take(graph, table, of_kind, source.ids[k], is_step))
    return Steps(graph.add("Concat", *columns, axis=2), W_x, lengths, is_step)


def _numbers(graph: Graph, source: Source, n: int) -> str:
    """Declare X (batch, time, n), and scale it as the pipeline does, in float64."""
    if not source.scalers:
        return graph.input("X", graph.dtype, [BATCH, TIME, n])
    X = graph.input("X", np.float64, [BATCH, TIME, n])
    for scaler in source.scalers:
        exponent, mean, scale = scaler._units(np.dtype(np.float64))
        if exponent.any():
            X = graph.add("Mul", X, np.ldexp(1.0, -exponent))
        if scaler.with_mean:
            X = graph.add("Sub", X, mean)
        X = graph.add("Div", X, scale)
    return graph.cast(X, graph.dtype)


def _ends(graph: Graph, X: str) -> tuple[str, str]:
    """Declare the lengths (B,), at least 1, and tell the steps (T, B, 1) from what lies behind them."""
    lengths = graph.input("lengths", np.int64, [BATCH])
    is_batch = graph.add("Greater", graph.add("Size", lengths), integer(0))  # no runtime runs layers on none
    has_steps = graph.are_all(graph.add("Greater", lengths, integer(0)))
    lengths = graph.require(graph.add("And", is_batch, has_steps), lengths, 1, "needs_a_sequence_and_steps_in_each")
    n_steps = graph.add("Squeeze", graph.add("Shape", X, start=1, end=2))
    steps = graph.add("Unsqueeze", graph.add("Range", integer(0), n_steps, integer(1)), integer([1, 2]))
    return lengths, graph.add("Less", steps, graph.add("Unsqueeze", lengths, integer([1])))


def _steps_of(graph: Graph, X: str, is_step: str) -> str:
    """From numbers (batch, time, F) to (T, B, F) of the layers' dtype, where they must be finite; 0 behind the end."""
    zero = np.zeros((), graph.layer_dtype)
    x = graph.add("Transpose", graph.cast(X, graph.layer_dtype), perm=[1, 0, 2])
    x = graph.add("Where", is_step, x, zero)
    difference = graph.add("Sub", x, x)  # no zero where x is NaN or infinite
    is_finite = graph.are_all(graph.add("Equal", difference, zero))
    return graph.require(is_finite, x, 3, f"X_must_be_finite_in_{graph.layer_dtype}")


def _take(graph: Graph, table: Floats, ids: str, meaning: Ids, is_step: str) -> str:
    """From ids (batch, time) to rows of a table, (T, B, F) of the layers' dtype."""
    return graph.add("Gather", table.astype(graph.layer_dtype), _ids(graph, ids, meaning, is_step))


def _ids(graph: Graph, ids: str, meaning: Ids, is_step: str) -> str:
    """From ids (batch, time) to (T, B), each of which can be read; that of a known token behind the end."""
    ids = graph.add("Transpose", ids, perm=[1, 0])
    ids = graph.add("Where", graph.add("Squeeze", is_step, integer([2])), ids, integer(0))
    is_token = graph.add("GreaterOrEqual", ids, integer(0))
    is_known = graph.add("And", is_token, graph.add("Less", ids, integer(meaning.n_known)))
    if meaning.begin is not None:
        is_known = graph.add("Or", is_known, graph.add("Equal", ids, integer(meaning.begin)))
    if meaning.rejects_unknown:
        return graph.require(graph.are_all(is_known), ids, 2, "tokens_must_be_in_the_vocabulary")
    return graph.add("Where", is_known, ids, integer(meaning.unknown))


_INPUTS: dict[type[Input], Callable[..., Steps]] = {
    DenseInput: _read_features,
    TokenInput: _read_tokens,
    Embedding: _read_vectors,
    MixedInput: _read_mixed,
}
