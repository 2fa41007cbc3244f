"""The state of a stack of layers: what is carried from step to step, for every sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ..arrays import Floats, Ints


@dataclass(frozen=True)
class State:
    """The state of every layer, one column a sequence.

    Attributes
    ----------
    layers : tuple of tuple of ndarray of shape (H, n)
        From the input upwards: h, and c for the LSTM.
    carried : tuple of ndarray of shape (rows, n), default=()
        What a readout of sequences that are read step by step carries on.

    Examples
    --------
    >>> state = State.zeros(n_layers=2, n_arrays=1, hidden_size=3, n=4, dtype="float64")
    >>> later = state.take([0, 3])
    >>> later.layers[0][0][:] = 5
    >>> state.put([0, 3], later)
    >>> state.layers[0][0][0]
    array([5., 0., 0., 5.])
    """

    layers: tuple[tuple[Floats, ...], ...]
    carried: tuple[Floats, ...] = ()

    @classmethod
    def zeros(cls, n_layers: int, n_arrays: int, hidden_size: int, n: int, dtype: np.dtype | type | str) -> State:
        """Make the state before the first step: of n sequences in `n_layers` layers of `hidden_size` units.

        `n_arrays` is the number of arrays of each layer: 2 for the LSTM, else 1.
        """
        shape = (hidden_size, n)
        return cls(tuple(tuple(np.zeros(shape, dtype) for _ in range(n_arrays)) for _ in range(n_layers)))

    def __len__(self) -> int:
        return int(self.layers[0][0].shape[1])

    def take(self, columns: Ints | list[int]) -> State:
        """Copy the state of the sequences at `columns` (m,), in that order."""
        return self._map(lambda v: v[:, columns])

    def put(self, columns: Ints | list[int], state: State) -> None:
        """Overwrite the state of the sequences at `columns` (m,) with `state`, theirs in the same order."""
        for v, v_of_columns in zip(self._arrays(), state._arrays(), strict=True):
            v[:, columns] = v_of_columns

    def copy(self) -> State:
        """Copy all arrays."""
        return self._map(np.copy)

    def _map(self, function: Callable[[Floats], Floats]) -> State:
        """Apply a function to each array."""
        layers = tuple(tuple(function(v) for v in layer) for layer in self.layers)
        return State(layers, tuple(function(v) for v in self.carried))

    def _arrays(self) -> Iterator[Floats]:
        """Give all arrays."""
        return chain(*self.layers, self.carried)
