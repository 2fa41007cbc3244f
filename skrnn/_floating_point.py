"""The settings of NumPy's floating-point warnings, which no interrupt leaves changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


def without_warnings(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function to run without warnings of the floating-point unit.

    The settings are back however it ends. ``np.errstate`` is a context manager, which Ctrl-C may leave without an end;
    here the second `finally` does what an interrupt keeps the first from.
    """

    @wraps(function)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> R:
        before = np.geterr()
        try:
            try:
                np.seterr(all="ignore")
                return function(*args, **kwargs)
            finally:
                np.seterr(**before)
        finally:
            np.seterr(**before)

    return quiet
