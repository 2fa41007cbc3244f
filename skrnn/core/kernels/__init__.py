"""Kernels: the loops over time, on arrays."""

from collections.abc import Mapping

from ..cells import Cell
from .kernel import Cache, Kernel, OutputGradient
from .numpy import NUMPY_KERNELS

KERNELS: dict[str, Mapping[type[Cell], type[Kernel]]] = {"numpy": NUMPY_KERNELS}
"""Sets of kernels by name, each with one for every cell."""


def kernel_of(cell: Cell) -> Kernel:
    """Make the kernel of a cell."""
    return KERNELS["numpy"][type(cell)](cell)


__all__ = ["KERNELS", "Cache", "Kernel", "OutputGradient", "kernel_of"]
