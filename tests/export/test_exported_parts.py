"""The exporter has to be told of every part and every field of a network."""

import sys
from dataclasses import fields

import pytest

from skrnn import RNNSequenceClassifier
from skrnn.core.cells import CELLS, ElmanCell
from skrnn.core.model.chain import LinearChain
from skrnn.core.model.head import LinearHead
from skrnn.core.model.inputs import Input
from skrnn.core.model.losses import LOSSES, BinaryCrossEntropy, CrossEntropy
from skrnn.core.model.network import Network
from skrnn.core.model.pooling import POOLINGS
from skrnn.core.model.readouts import EveryStep
from skrnn.core.model.stack import RecurrentStack
from skrnn.export import to_onnx
from skrnn.export._graph import exporter_of
from skrnn.export._inputs import _INPUTS
from skrnn.export._layers import _OPERATORS
from skrnn.export._loops import function_of
from skrnn.export._predictions import _LOSSES
from skrnn.export._readouts import _READOUTS

NOT_EXPORTED = set()
"""Parts that `to_onnx` refuses by name."""


def all_kinds(contract):
    """All types that fulfil a contract, those that are contracts themselves left out."""
    for kind in contract.__subclasses__():
        yield from all_kinds(kind)
        if not kind.__abstractmethods__ and kind.__module__.startswith("skrnn."):
            yield kind


@pytest.mark.parametrize(
    ("kinds", "exporters"),
    [
        (set(all_kinds(Input)), _INPUTS),
        ({type(make(1)) for make in CELLS.values()}, _OPERATORS),
        (set(map(type, POOLINGS.values())) | {EveryStep}, _READOUTS),
        ({*LOSSES.values(), CrossEntropy, BinaryCrossEntropy, LinearChain}, _LOSSES),
    ],
    ids=["inputs", "cells", "readouts", "losses"],
)
def test_every_part_has_an_exporter(kinds, exporters):
    assert kinds - NOT_EXPORTED == set(exporters)


@pytest.mark.parametrize(
    ("part", "known"),
    [
        (Network, {"stack", "readout", "loss", "is_tied", "recompute", "gradient_steps"}),
        (RecurrentStack, {"cell", "input", "n_layers", "bidirectional", "dropout", "limits", "kernels"}),
        (LinearHead, {"n_inputs", "n_raw"}),
        *((type(make(1)), {"hidden_size", "activation"}) for make in CELLS.values()),
    ],
)
def test_every_field_is_one_that_the_exporter_knows(part, known):
    """A field that changes what is computed has to be exported, or refused, before it is added here."""
    assert {field.name for field in fields(part)} == known


def test_parts_without_an_exporter_are_named():
    class Other(LinearHead):
        """Computes something else."""

    with pytest.raises(NotImplementedError, match="Other cannot be exported to ONNX; LinearHead can"):
        exporter_of({LinearHead: None}, Other(1, 1))
    with pytest.raises(NotImplementedError, match="The activation 'softsign' cannot be exported to ONNX; relu, tanh"):
        function_of(ElmanCell(2, "softsign"))


def test_onnx_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)

    with pytest.raises(ImportError, match=r"to_onnx needs onnx. Install it with: pip install 'skrnn\[onnx\]'"):
        to_onnx(RNNSequenceClassifier())
