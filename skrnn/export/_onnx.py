"""Fitted estimators and pipelines as ONNX models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._base import BaseRecurrent
from .._fitted import Fitted
from .._validation.values import shown
from .._wrapped import unwrap
from ..preprocessing import SequenceScaler
from ._gates import parts_of_layers
from ._graph import Graph, Shape, read_opset
from ._inputs import BATCH, TIME, Source, read_steps
from ._layers import layer_dtype_of, run_layers
from ._outputs import declare_outputs
from ._predictions import add_head, predict
from ._readings import source_of
from ._readouts import read_out

if TYPE_CHECKING:
    import onnx

_STATES = {"h": ("h_0", "h_n"), "c": ("c_0", "c_n")}
"""Names of the states before the first step and after the last one, by a cell's own: PyTorch's."""


def to_onnx(model: Any, *, opset: int | None = None) -> onnx.ModelProto:
    """Make an ONNX model of a fitted estimator, which other runtimes read without Python.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted: a classifier, regressor, tagger or token model of skrnn, or a pipeline of such and of
        :class:`~skrnn.preprocessing.SequenceScaler` before it, or a search that found one.
    opset : int, default=None
        Version of ONNX's operators, at least 18, which None means.

    Returns
    -------
    onnx_model : onnx.ModelProto
        Checked. See the notes for its inputs and outputs.

    Raises
    ------
    ImportError
        If onnx is not installed.
    NotFittedError
        If the model is not fitted.
    NotImplementedError
        If a step of the pipeline, or a part of the network, cannot be exported.
    TypeError
        If the model is none of the above.
    ValueError
        If `opset` is out of range.

    Notes
    -----
    Inputs. Sequences are padded at their ends, with anything. As the estimator does, the model refuses a batch without
    sequences, a sequence without steps, numbers that are not finite, and unknown tokens with handle_unknown="error":
    an operator fails whose name says what is wrong.

    ``X`` : float or double, ``(batch, time, n_inputs_)``
        Numbers, in the model's dtype; double before a scaler. Left out where all columns are categories.
    ``X`` : int64, ``(batch, time)``
        Instead, of a model that reads tokens: their ids, places in ``vocabulary``. Other ids are unknown tokens.
    ``categories`` : int64, ``(batch, time, n_categories)``
        Beside X, ids of the columns that hold categories, in the order of ``categories_``.
    ``lengths`` : int64, ``(batch,)``
        Number of steps of each sequence.
    ``h_0``, and ``c_0`` of the LSTM : ``(n_layers, batch, hidden_size)``
        Of a token model, the states before the first step. A sequence begins with zero, and with the id ``begin``.

    Outputs. What stands behind the end of a sequence means nothing.

    ``label``, ``probabilities`` : ``(batch,)``, ``(batch, n_classes)``
        Of a classifier, as `predict` and `predict_proba` give them; of a tagger with loss="log_loss" for each step,
        ``(batch, time)`` and ``(batch, time, n_classes)``; of several labels both ``(batch, n_classes)``.
    ``emissions``, ``transitions``, ``start_transitions``, ``end_transitions``
        Of a tagger with a chain: scores (batch, time, n_classes) of each label, (n_classes, n_classes) of a label (row)
        that another one (column) follows, and (n_classes,) of the first and the last label. The likeliest labels are
        those of the largest sum.
    ``variable``, and ``std`` of loss="gaussian" : ``(batch,)`` or ``(batch, n_outputs_)``
        Of a regressor, in the units of y; after a fit on a y for each step ``(batch, time)`` or
        ``(batch, time, n_outputs_)``.
    ``log_probabilities``, ``h_n``, and ``c_n`` : ``(batch, time, n_columns)``, ``(n_layers, batch, hidden_size)``
        Of a token model, what comes after each step, nats, a column for each id; and the states after the last one.

    The layers compute in float32, the only dtype in which ONNX Runtime has them; all else has the dtype of the model.
    cell="relu", whose states, and so rounding errors, have no bounds, keeps float64: in a loop over time, slower.

    ``metadata_props`` hold, in JSON, the ``estimator``; its ``classes``; the ``vocabulary``, and the ids ``unknown``,
    ``begin`` and ``end``; or the ``columns`` of X where they have names, and in ``categories``, for each column of
    categories, its name ``column``, ``vocabulary`` and ``unknown``.

    References
    ----------
    ONNX, `Operators <https://onnx.ai/onnx/operators/>`_: GRU, LSTM, RNN.

    Examples
    --------
    >>> from skrnn import RNNSequenceClassifier
    >>> from skrnn.export import to_onnx
    >>> X, y = [[0.0, 1.0, 2.0], [1.0, 0.0], [0.0, 2.0], [2.0, 1.0, 0.0]], ["up", "down", "up", "down"]
    >>> model = RNNSequenceClassifier(8, max_iter=300, random_state=0).fit(X, y)
    >>> onnx_model = to_onnx(model)
    >>> [value.name for value in onnx_model.graph.output]
    ['label', 'probabilities']
    """
    opset = read_opset(opset)
    scalers, estimator = _split(model)
    fitted = estimator._check_fitted()
    source, of_inputs = source_of(fitted.reading, scalers, estimator.handle_unknown)
    dtype = fitted.params.dtype
    graph = Graph(dtype, layer_dtype_of(fitted.built.stack, dtype))
    of_outputs = _export(fitted, graph, source)
    metadata = {"estimator": type(estimator).__name__, **of_outputs, **of_inputs}
    as_json = {name: json.dumps(value, default=_plain) for name, value in metadata.items()}
    return graph.to_model(opset, as_json, f"A fitted {type(estimator).__name__} of skrnn")


def _split(model: Any) -> tuple[list[SequenceScaler], BaseRecurrent]:
    """Return the scalers of a pipeline, and the estimator behind them; raises for any other step."""
    scalers, estimator = unwrap(model)
    for step in scalers:
        if type(step) is not SequenceScaler:
            raise NotImplementedError(
                f"The pipeline has a step {type(step).__name__}, which cannot be exported to ONNX; SequenceScaler can. "
                "Export the last step alone, model[-1], and do the others before it."
            )
        check_is_fitted(step)
    if not isinstance(estimator, BaseRecurrent):
        raise TypeError(
            f"model is, or ends with, {shown(estimator)} ({type(estimator).__name__}), but a fitted network of skrnn, "
            "such as an RNNSequenceClassifier, or a pipeline or a fitted search that ends with one, is needed."
        )
    return scalers, estimator


def _plain(value: Any) -> Any:
    """Return what JSON knows for a name of a column that it does not know."""
    return value.item() if isinstance(value, np.generic) else str(value)


def _export(fitted: Fitted[Any], graph: Graph, source: Source) -> dict[str, Any]:
    """Follow the parts of the network from its inputs to its outputs; return what has to be known of these."""
    network = fitted.built
    stack, weights = network.stack, network.views(fitted.params)
    steps = read_steps(stack.input, graph, source, weights, parts_of_layers(stack)[0])
    shape: Shape = [stack.n_layers, BATCH, stack.cell.hidden_size]
    names = [_STATES[state] for state in stack.cell.states] if source.is_continued else []
    before = [graph.input(name, graph.dtype, shape) for name, _ in names]
    outputs = run_layers(stack, graph, weights, steps, before)
    columns = read_out(network.readout, graph, outputs, steps)
    raw = add_head(network.head, graph, weights["head"], columns)
    predicted = predict(network.loss, graph, weights["head"], raw)
    axes: Shape = [BATCH, TIME] if network.readout.is_per_step else [BATCH]
    metadata = declare_outputs(fitted, graph, predicted, axes)
    for (_, name), state in zip(names, outputs.states):
        graph.output(name, state, graph.dtype, shape)
    return metadata
