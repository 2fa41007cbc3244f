"""Recurrent cells, one module each: equations, gates, states and initial values."""

from collections.abc import Callable

from .cell import Cell
from .elman import ElmanCell
from .gru import GRUCell
from .lstm import LSTMCell

CELLS: dict[str, Callable[[int], Cell]] = {
    "tanh": lambda hidden_size: ElmanCell(hidden_size, activation="tanh"),
    "relu": lambda hidden_size: ElmanCell(hidden_size, activation="relu"),
    "gru": GRUCell,
    "lstm": LSTMCell,
}

__all__ = ["CELLS", "Cell", "ElmanCell", "GRUCell", "LSTMCell"]
