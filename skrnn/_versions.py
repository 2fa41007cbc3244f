"""What a report of a problem, or of a speed, should say of the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

from threadpoolctl import threadpool_info

PACKAGES = ("skrnn", "numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl", "pandas", "matplotlib")
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Environment variables that choose OpenBLAS's kernels."""


def show_versions() -> None:
    """Print the versions of Python, packages and BLAS, the kernels that BLAS runs, and its threads.

    One more line tells where an environment variable such as ``OPENBLAS_CORETYPE`` keeps BLAS from the kernels that it
    would choose for this CPU itself: products may then take twice the time.

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
    for pool in threadpool_info():
        kernels = f"{pool['version']}, {pool['architecture']} kernels, " if "architecture" in pool else ""
        print(f"{pool['prefix']}: {kernels}threads: {pool['num_threads']}")
    pinned = {name: os.environ[name] for name in PINS if name in os.environ}
    if pinned:
        print(_effect_of_pins(pinned))


def blas_architectures() -> set[str]:
    """Names of the kernels that the BLAS libraries of this process run."""
    return {pool["architecture"] for pool in threadpool_info() if "architecture" in pool}


def _effect_of_pins(pinned: dict[str, str]) -> str:
    """What the variables do, as against a process without them."""
    set_to = " and ".join(f"{name}={value}" for name, value in pinned.items())
    code = "import numpy, scipy.linalg, skrnn._versions as v; print(*sorted(v.blas_architectures()), sep=', ')"
    environment = {name: value for name, value in os.environ.items() if name not in PINS}
    child = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    here, free = ", ".join(sorted(blas_architectures())), child.stdout.strip()
    if child.returncode or not free:
        return f"{set_to}: what BLAS would choose without could not be found out"
    if here == free:
        return f"{set_to}: BLAS runs the kernels that it would choose without, {here}"
    return f"{set_to}: BLAS is held at {here} kernels, but would choose {free} on this CPU. Unset to let it."
