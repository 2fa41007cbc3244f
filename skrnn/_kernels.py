"""Which kernels compute: NumPy's, or compiled ones where numba is installed."""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import NamedTuple

import numpy as np

from .core.kernels import KERNELS

VARIABLE = "SKRNN_KERNELS"
"""Environment variable that says which; child processes have it from their parent."""

MIN_NUMBA = (0, 60)


class Obstacle(NamedTuple):
    """Why the compiled kernels cannot be used."""

    reason: str
    is_silent: bool
    """Whether this is nothing to tell of, unless the user asked for them."""


def chosen_kernels() -> str:
    """Name the kernels to compute with, as the environment says at this moment.

    With "auto", the default, compiled ones where they work. What is wrong with an installed numba is told once.
    """
    asked = os.environ.get(VARIABLE) or "auto"
    if asked not in ("auto", *KERNELS):
        raise ValueError(f"The environment variable {VARIABLE} is {asked!r}, but must be 'auto', 'numpy' or 'numba'.")
    if asked == "numpy":
        return "numpy"
    obstacle = numba_obstacle()
    if obstacle is None:
        return "numba"
    if asked == "numba":
        raise RuntimeError(
            f"The environment variable {VARIABLE} is 'numba', but {obstacle.reason}. Mend that, or set it to 'numpy'."
        )
    if not obstacle.is_silent:
        _tell(obstacle.reason)
    return "numpy"


@cache
def _tell(reason: str) -> None:
    """Warn, once in a process."""
    warnings.warn(
        f"skrnn computes with NumPy, since {reason}. Mend that, or set the environment variable {VARIABLE} to 'numpy' "
        "to have no such warning.",
        RuntimeWarning,
        stacklevel=2,
    )


@cache
def numba_obstacle() -> Obstacle | None:
    """Try the compiled kernels: what is in their way, None if nothing is."""
    try:
        import numba
    except ImportError as error:  # also where numba refuses a NumPy that is newer than it knows
        return Obstacle(f"numba cannot be imported ({error}): pip install 'skrnn[fast]'", is_silent=True)
    except Exception as error:
        return Obstacle(f"importing numba fails ({type(error).__name__}: {error})", is_silent=False)
    try:
        if tuple(map(int, numba.__version__.split(".")[:2])) < MIN_NUMBA:
            needed = ".".join(map(str, MIN_NUMBA))
            return Obstacle(f"numba {numba.__version__} is older than {needed}", is_silent=False)
        if numba.config.DISABLE_JIT:
            return Obstacle("NUMBA_DISABLE_JIT is set", is_silent=True)
        from .core.kernels.numba.loops import works

        if not works(np.dtype(np.float32)):
            return Obstacle("what numba compiles gives wrong results", is_silent=False)
    except Exception as error:  # numba's own are of many kinds, and no fit should fail for want of speed
        what = str(error).strip().splitlines() or [""]
        if "no locator available" in what[0]:
            return Obstacle(
                "numba has no folder to keep compiled code in, and would compile it in every process: let it write to "
                "the folder that the environment variable NUMBA_CACHE_DIR names",
                is_silent=False,
            )
        return Obstacle(f"numba does not work here ({type(error).__name__}: {what[0]})", is_silent=False)
    return None
