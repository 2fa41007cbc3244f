"""Kernels: the loops over time, on arrays."""

from collections.abc import Callable, Mapping

from ..cells import Cell
from .kernel import Cache, GradientSums, Kernel, OutputGradient
from .numpy import NUMPY_KERNELS

KernelSet = Mapping[type[Cell], type[Kernel]]
"""A kernel for every cell."""


def _load_numba() -> KernelSet:
    """Import the compiled kernels, which takes as long as numba itself."""
    from .numba import NUMBA_KERNELS

    return NUMBA_KERNELS


KERNELS: dict[str, Callable[[], KernelSet]] = {"numpy": lambda: NUMPY_KERNELS, "numba": _load_numba}
"""Sets of kernels by name; a set is imported when it is called for."""


def kernel_of(cell: Cell, kernels: str = "numpy") -> Kernel:
    """Make the kernel of a cell, of the set of that name."""
    return KERNELS[kernels]()[type(cell)](cell)


__all__ = ["KERNELS", "Cache", "GradientSums", "Kernel", "KernelSet", "OutputGradient", "kernel_of"]
