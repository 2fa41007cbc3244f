"""What a report of a problem, or of a speed, should say of the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from threadpoolctl import threadpool_info

from ._kernels import VARIABLE, numba_obstacle

PACKAGES = ("skrnn", "numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl", "pandas", "matplotlib", "numba")
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Environment variables that choose OpenBLAS's kernels."""


PROBE = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
names = [f"{a}openblas_get_corename{b}" for a in ("", "scipy_") for b in ("", "64_", "_64")]
corename = next(getattr(library, name) for name in names if hasattr(library, name))
corename.restype = ctypes.c_char_p
print(corename().decode())
"""
"""Prints what kernels the OpenBLAS in a file runs."""

PROBE_SECONDS = 30


def show_versions(*, probe_blas: bool = False) -> None:
    """Print the versions of Python, packages and BLAS, the kernels that compute, those that BLAS runs, and its threads.

    One more line names the environment variables, such as ``OPENBLAS_CORETYPE``, that may keep BLAS from the kernels
    that it would choose for this CPU itself: products may then take twice the time.

    Parameters
    ----------
    probe_blas : bool, default=False
        Where such a variable is set, also find out what BLAS would choose without. That starts another Python, isolated
        from the working directory, the environment's paths and installed packages, for at most half a minute for each
        BLAS library.

    Examples
    --------
    >>> import skrnn
    >>> skrnn.show_versions()  # doctest: +ELLIPSIS
    python: ...
    """
    print(f"python: {platform.python_version()} on {platform.platform()}")
    for package in PACKAGES:
        try:
            print(f"{package}: {version(package)}")
        except PackageNotFoundError:
            print(f"{package}: not installed")
    print(f"kernels: {_kernels()}")
    pools = threadpool_info()
    for pool in pools:
        kernels = f"{pool['version']}, {pool['architecture']} kernels, " if "architecture" in pool else ""
        print(f"{pool['prefix']}: {kernels}threads: {pool['num_threads']}")
    pins = " and ".join(f"{name}={os.environ[name]}" for name in PINS if name in os.environ)
    if pins and not probe_blas:
        print(f"{pins}: BLAS may be held below this CPU. skrnn.show_versions(probe_blas=True) finds out.")
    elif pins:
        print(f"{pins}: {_effect_of_pins([pool for pool in pools if pool['internal_api'] == 'openblas'])}")


def _kernels() -> str:
    """Name the kernels that compute, and why."""
    asked, obstacle = os.environ.get(VARIABLE) or "auto", numba_obstacle()
    if asked != "auto":
        return f"{asked}, as {VARIABLE} says"
    return "numba" if obstacle is None else f"numpy, since {obstacle.reason}"


def _effect_of_pins(pools: list[dict[str, Any]]) -> str:
    """What the variables do to these libraries, as against a process without them."""
    here = ", ".join(sorted({pool["architecture"] for pool in pools}))
    chosen = {_kernels_without_pins(pool["filepath"]) for pool in pools}
    free = ", ".join(sorted(chosen))
    if not chosen or "" in chosen:
        return "what BLAS would choose without could not be found out"
    if here == free:
        return f"BLAS runs the kernels that it would choose without, {here}"
    return f"BLAS is held at {here} kernels, but would choose {free} on this CPU. Unset to let it."


def _kernels_without_pins(path: str) -> str:
    """Name of the kernels that the OpenBLAS in a file runs in a process without pins; empty where it cannot be had.

    The other Python loads this one file: it imports nothing but its own standard library, wherever it is started.
    """
    if not sys.executable or getattr(sys, "frozen", False):  # no Python to start, or a program that is none
        return ""
    environment = {name: value for name, value in os.environ.items() if name not in PINS}
    try:
        child = subprocess.run(
            [sys.executable, "-I", "-S", "-c", PROBE, path],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return child.stdout.strip()
