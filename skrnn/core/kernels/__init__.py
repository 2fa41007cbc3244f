"""Kernels: the loops over time, on arrays."""

from ..cells import Cell
from .kernel import Cache, Kernel, OutputGradient
from .numpy import NUMPY_KERNELS


def kernel_of(cell: Cell) -> Kernel:
    """Make the kernel of a cell."""
    return NUMPY_KERNELS[type(cell)](cell)


__all__ = ["Cache", "Kernel", "OutputGradient", "kernel_of"]
