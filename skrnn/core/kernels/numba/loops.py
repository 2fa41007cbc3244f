"""How loops are compiled: for each dtype when they are first called for, and kept on disk."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit, types

from ...arrays import Floats

_OPTIONS = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    # no more: to reorder would undo the exact parts of exp, to suppose that all is finite would hide a loss that is not
    "fastmath": {"contract", "nsz"},
}

part = njit(**_OPTIONS)
"""Decorates a function that loops call."""


class Loop:
    """A function on arrays that is compiled for a dtype when it is first called for, and for these types only.

    Parameters
    ----------
    function : callable
        What is compiled; returns nothing.
    kinds : str
        A letter for each argument: a number of dimensions for a C-contiguous array of the dtype, "v" for one of three
        dimensions and any strides, "i" for a C-contiguous matrix of integers, "d" for a float64 vector, "x" for a
        number of the dtype, "n" for an integer.
    """

    def __init__(self, function: Callable[..., None], kinds: str) -> None:
        self._dispatcher, self._kinds = part(function), kinds
        self._compiled: dict[np.dtype, Callable[..., None]] = {}

    def of(self, dtype: np.dtype) -> Callable[..., None]:
        """Give the compiled function for arrays of a dtype; it takes its arguments without looking at their types."""
        compiled = self._compiled.get(dtype)
        if compiled is None:
            number = types.float32 if dtype == np.float32 else types.float64
            signature = tuple(_type_of(kind, number) for kind in self._kinds)
            with _one_process_at_a_time(Path(self._dispatcher.stats.cache_path)):
                self._dispatcher.compile(signature)
            compiled = self._compiled[dtype] = self._dispatcher.get_overload(signature)
        return compiled


def loop(kinds: str) -> Callable[[Callable[..., None]], Loop]:
    """Decorate a function to be a `Loop` of arguments of these kinds."""
    return lambda function: Loop(function, kinds)


def _type_of(kind: str, number: Any) -> Any:
    """What numba calls a kind of argument."""
    others = {
        "v": types.Array(number, 3, "A"),
        "i": types.Array(types.intp, 2, "C"),
        "d": types.Array(types.float64, 1, "C"),
        "x": number,
        "n": types.intp,
    }
    return others[kind] if kind in others else types.Array(number, int(kind), "C")


@contextmanager
def _one_process_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until no other process compiles: numba's cache has broken where two wrote to it (its issue 4807)."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "skrnn.lock", "a+b") as file:  # the system releases it, even of a process that was killed
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@loop("1x")
def _scale(a: Floats, factor: float) -> None:
    """Multiply a (n,) by a number."""
    for k in range(a.size):
        a[k] *= factor


def works(dtype: np.dtype) -> bool:
    """Whether compiled code can be made, kept and called here."""
    a = np.arange(9, dtype=dtype)
    _scale.of(dtype)(a, 2.0)
    return bool(np.array_equal(a, 2 * np.arange(9)))
