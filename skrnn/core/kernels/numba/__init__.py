"""Compiled kernels: the same steps as NumPy's, where numba is installed."""

from ...cells import Cell, ElmanCell, GRUCell, LSTMCell
from .elman import CompiledElmanKernel
from .gru import CompiledGRUKernel
from .kernel import CompiledKernel
from .lstm import CompiledLSTMKernel

NUMBA_KERNELS: dict[type[Cell], type[CompiledKernel]] = {
    ElmanCell: CompiledElmanKernel,
    GRUCell: CompiledGRUKernel,
    LSTMCell: CompiledLSTMKernel,
}

__all__ = ["NUMBA_KERNELS"]
