"""Kernels in NumPy: the reference, and what runs everywhere."""

from ...cells import Cell, ElmanCell, GRUCell, LSTMCell
from .elman import ElmanKernel
from .gru import GRUKernel
from .kernel import NumpyKernel
from .lstm import LSTMKernel

NUMPY_KERNELS: dict[type[Cell], type[NumpyKernel]] = {
    ElmanCell: ElmanKernel,
    GRUCell: GRUKernel,
    LSTMCell: LSTMKernel,
}

__all__ = ["NUMPY_KERNELS"]
