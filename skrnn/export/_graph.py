"""A graph of ONNX operators in the making. Tensors are names, arrays are constants."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .._validation.values import is_integer, shown
from .._version import __version__

if TYPE_CHECKING:
    import onnx

E = TypeVar("E")

OLDEST_OPSET = 18
"""The first in which all reductions take their axes as an input; ONNX Runtime has it since 1.14."""

Shape = Sequence["str | int"]
"""Of a tensor; a str names an axis of any length."""


def import_onnx() -> ModuleType:
    """Import onnx, or say how to install it."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError("to_onnx needs onnx. Install it with: pip install 'skrnn[onnx]'") from error
    return onnx


def integer(values: Any) -> np.ndarray:
    """Return a constant index, length or axis, which ONNX wants in int64."""
    return np.array(values, np.int64)


def exporter_of(exporters: dict[type, E], part: Any) -> E:
    """Return what exports a part of a network; raises for one that nothing does, derived types included."""
    if type(part) not in exporters:
        raise NotImplementedError(
            f"{type(part).__name__} cannot be exported to ONNX; {', '.join(kind.__name__ for kind in exporters)} can."
        )
    return exporters[type(part)]


class Graph:
    """Operators in the order in which they are computed.

    Parameters
    ----------
    dtype : dtype
        Of all numbers, but for what the layers compute with.
    layer_dtype : dtype
        Of that.
    prefix : str, default=""
        Of all names; that of a graph in another one has to be its own.
    """

    def __init__(self, dtype: np.dtype, layer_dtype: np.dtype, prefix: str = "") -> None:
        self.dtype, self.layer_dtype, self._prefix = dtype, layer_dtype, prefix
        self._onnx = import_onnx()
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, dtype: Any, shape: Shape) -> str:
        """Declare an input of the graph."""
        name = self._prefix + name
        self._inputs.append(self._declare(name, dtype, shape))
        return name

    def output(self, name: str, tensor: str, dtype: Any, shape: Shape) -> None:
        """Declare a tensor to be an output of the graph."""
        name = self._prefix + name
        self._nodes.append(self._onnx.helper.make_node("Identity", [tensor], [name], name=f"output_{name}"))
        self._outputs.append(self._declare(name, dtype, shape))

    def add(self, operator: str, *operands: str | np.ndarray, **attributes: Any) -> str:
        """Add an operator, and return the first tensor that it gives; an operand "" is left out."""
        return self.add_many(operator, 1, *operands, **attributes)[0]

    def add_many(self, operator: str, n: int, *operands: str | np.ndarray, **attributes: Any) -> list[str]:
        """Add an operator, and return the first n tensors that it gives."""
        names = [v if isinstance(v, str) else self._constant(v) for v in operands]
        node = f"{self._prefix}{operator}_{len(self._nodes)}"  # distinct: ONNX Runtime makes names from it
        outputs = [f"{node}_{k}" for k in range(n)]
        self._nodes.append(self._onnx.helper.make_node(operator, names, outputs, **{"name": node, **attributes}))
        return outputs

    def number(self, value: float) -> np.ndarray:
        """Return a constant of the graph's dtype."""
        return np.array(value, self.dtype)

    def cast(self, tensor: str, dtype: Any) -> str:
        """Convert to another dtype; nothing is done where it is that already."""
        return self.add("Cast", tensor, to=self._type_of(dtype))

    def are_all(self, condition: str) -> str:
        """Tell whether all entries of a condition are true; those of none are."""
        is_wrong = self.cast(self.add("Not", condition), np.int64)
        return self.add("Equal", self.add("ReduceSum", is_wrong, keepdims=0), integer(0))

    def require(self, condition: str, tensor: str, n_axes: int, name: str) -> str:
        """Return a tensor as it is, where a condition without axes is true; else an operator of this name fails.

        ONNX has no operator that raises an error; an index out of bounds has to.
        """
        same_shape = np.zeros((1, n_axes), np.int64)  # to `Reshape`, 0 is the length that an axis has
        index = self.cast(self.add("Not", condition), np.int64)
        return self.add("Reshape", tensor, self.add("Gather", same_shape, index, name=name))

    def body(self) -> Graph:
        """Begin the graph of an operator that is added next, such as a loop."""
        return Graph(self.layer_dtype, self.layer_dtype, f"{self._prefix}body_{len(self._nodes)}_")

    def to_graph(self, name: str) -> onnx.GraphProto:
        """Put the graph together, of what its outputs need."""
        needed, nodes = {value.name for value in self._outputs}, list[Any]()
        for node in reversed(self._nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                nodes.append(node)
        constants = [constant for constant in self._constants if constant.name in needed]
        return self._onnx.helper.make_graph(nodes[::-1], name, self._inputs, self._outputs, constants)

    def to_model(self, opset: int, metadata: dict[str, str], description: str) -> onnx.ModelProto:
        """Put the model together, and check it."""
        helper = self._onnx.helper
        opsets = [helper.make_opsetid("", opset)]
        model = helper.make_model(
            self.to_graph("skrnn"),
            opset_imports=opsets,
            ir_version=helper.find_min_ir_version_for(opsets),
            producer_name="skrnn",
            producer_version=__version__,
            doc_string=description,
        )
        helper.set_model_props(model, metadata)
        self._onnx.checker.check_model(model, full_check=True)
        return model

    def _constant(self, array: np.ndarray) -> str:
        name = f"{self._prefix}constant_{len(self._constants)}"
        values = array.astype(object) if array.dtype.kind in "UT" else array
        self._constants.append(self._onnx.numpy_helper.from_array(values, name))
        return name

    def _declare(self, name: str, dtype: Any, shape: Shape) -> onnx.ValueInfoProto:
        return self._onnx.helper.make_tensor_value_info(name, self._type_of(dtype), shape)

    def _type_of(self, dtype: Any) -> int:
        dtype = np.dtype(dtype)
        if dtype.kind in "OUT":
            return int(self._onnx.TensorProto.STRING)
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(dtype))


def read_opset(opset: Any) -> int:
    """Return the version of the operators; raises for one that is too old, or that the installed onnx does not know."""
    newest = int(import_onnx().defs.onnx_opset_version())
    if opset is None:
        return OLDEST_OPSET
    if not is_integer(opset, OLDEST_OPSET) or opset > newest:
        raise ValueError(
            f"opset is {shown(opset)}. Pass an integer from {OLDEST_OPSET} to {newest}, the newest that the installed "
            "onnx knows, or None."
        )
    return int(opset)
