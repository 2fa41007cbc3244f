"""Write down what the cases find and what the public names look like, as the code is now.

PYTHONPATH=tests python -W ignore -m golden.record

Run it where a result or a signature is meant to change, and say why in the commit.
"""

import importlib
import inspect
import json
import platform
from pathlib import Path

import numpy as np
import threadpoolctl
from golden import cases

from skrnn import RNNNextTokenModel, RNNSequenceClassifier

FOLDER = Path(__file__).parent
PUBLIC_MODULES = [
    "skrnn",
    "skrnn.callbacks",
    "skrnn.datasets",
    "skrnn.export",
    "skrnn.inspection",
    "skrnn.metrics",
    "skrnn.preprocessing",
    "skrnn.sequences",
]


def machine():
    """What the last bits of a result depend on."""
    blas = sorted((pool["internal_api"], str(pool["version"]), str(pool.get("architecture"))) for pool in blas_pools())
    return {"blas": [list(pool) for pool in blas], "cpu": cpu(), "numpy": np.__version__}


def blas_pools():
    return [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]


def cpu():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    described = sorted({line for line in lines if line.startswith(("model name", "flags"))})
    return " ".join(" ".join(described).split()) or platform.processor()


def public_names():
    """Signatures of everything public, with default values."""
    found = {}
    for module in map(importlib.import_module, PUBLIC_MODULES):
        for name in module.__all__:
            value = getattr(module, name)
            if not callable(value):
                continue
            found[f"{module.__name__}.{name}"] = str(inspect.signature(value))
            found |= {f"{module.__name__}.{name}.{method}": text for method, text in methods_of(value)}
    return found


def methods_of(value):
    """Names and signatures of the public methods that skrnn itself defines."""
    for name in dir(value) if inspect.isclass(value) else ():
        method = inspect.getattr_static(value, name)
        if not name.startswith("_") and inspect.isfunction(method) and method.__module__.startswith("skrnn"):
            yield name, str(inspect.signature(method))


def fitted_attributes():
    """What a fit leaves, by estimator."""
    models = [
        RNNSequenceClassifier(**cases.CLASSIFIER | {"max_iter": 1, "early_stopping": True}).fit(*cases.EQUAL),
        RNNNextTokenModel(**cases.TOKENS | {"max_iter": 1, "early_stopping": True}).fit(cases.WORDS),
    ]
    return {
        type(model).__name__: {
            name: type(getattr(model, name)).__name__
            for name in dir(model)
            if name.endswith("_") and not name.startswith("_") and hasattr(model, name)
        }
        for model in models
    }


def write(name, content):
    (FOLDER / name).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    found = {f"{case}: {key}": value for case in cases.CASES for key, value in cases.run(case).items()}
    np.savez_compressed(FOLDER / "results.npz", **found)
    write("machine.json", machine())
    write("names.json", {"signatures": public_names(), "fitted": fitted_attributes()})
