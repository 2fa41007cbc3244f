"""Fitted estimators as plain values: what a pickle, or a file of joblib or skops, holds of them.

Numbers, strings, arrays, and lists and dicts of those: no class of the engine, and nothing that depends on the machine.
So a file outlives a move of a module, and needs no more trust than the estimator's own class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ._fitted import Fitted, R, ResumePoint
from ._version import __version__
from .core.model.network import Network
from .core.training.loop import TrainingState
from .core.training.monitor import TrainingMonitor
from .core.training.optimizers import OptimizerState

FORMAT = 1
"""Number of the format; another one for every change after which older versions could not read a file."""

TRUSTED_TYPES = (
    "numpy.dtype",  # as a parameter `dtype`
    "skrnn.EarlyClassifier",
    "skrnn.RNNNextTokenModel",
    "skrnn.RNNSequenceAnomalyDetector",
    "skrnn.RNNSequenceClassifier",
    "skrnn.RNNSequenceRegressor",
    "skrnn.RNNSequenceTagger",
    "skrnn.SequenceStream",
    "skrnn.TokenStream",
    "skrnn.preprocessing.SequenceImputer",
    "skrnn.preprocessing.SequenceScaler",
    "skrnn.preprocessing.SequenceSummarizer",
    "skrnn.preprocessing.StepTransformer",
)
"""Names of all types that files of skops hold of skrnn, for ``skops.io.load(file, trusted=skrnn.TRUSTED_TYPES)``.

They hold plain values, and reading them calls nothing that a file could choose.
"""


def with_format(values: dict[str, Any]) -> dict[str, Any]:
    """Return plain values with what tells how to read them."""
    return {"format": FORMAT, "skrnn_version": __version__, **values}


@contextmanager
def reading_values(state: Any, name: str) -> Iterator[None]:
    """Raise one error for all that is wrong with what a file holds of an object; `name` is that of its class."""
    _check_format(state, name)
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"The file holds a {name} in format {FORMAT}, but its values do not fit together: "
            f"{type(error).__name__}: {error}. They are damaged, or those of another class. Write the file again from "
            f"the {name} that it was made of, or fit that again."
        ) from error


def _check_format(state: Any, name: str) -> None:
    """Raise unless this version reads what a file holds of an object."""
    if not isinstance(state, dict) or "format" not in state:
        raise ValueError(
            f"The file holds a {name} in no known format: it was not written by skrnn, or before its format 1. "
            f"skrnn {__version__} reads format {FORMAT}. Fit the {name} again, and write it anew."
        )
    if type(state["format"]) is not int or state["format"] != FORMAT:
        raise ValueError(
            f"The file holds a {name} in format {state['format']!r}, written by skrnn {state.get('skrnn_version')}, "
            f"but skrnn {__version__} reads format {FORMAT}. Read it with that version, or fit the {name} again."
        )


def fitted_to_values(fitted: Fitted[Any]) -> dict[str, Any]:
    """Return what a fit left as plain values."""
    values = {
        "reading": fitted.reading.to_values(),
        "network": dict(fitted.arguments),
        "params": fitted.params,
        "training": None if fitted.training is None else training_to_values(fitted.training),
    }
    return values if fitted.resume is None else {**values, "resume": asdict(fitted.resume)}


def fitted_from_values(
    values: dict[str, Any], reading_type: type[R], shape: BaseEstimator, build: Callable[..., Network]
) -> Fitted[R]:
    """Make what a fit left of plain values; `build` makes its network, and `shape` has nothing yet."""
    network, training = build(**values["network"]), values["training"]
    size = network.layout.size
    return Fitted(
        reading_type.from_values(shape, values["reading"]),
        network,
        values["network"],
        _read_vector(values["params"], size),
        None if training is None else training_from_values(training, size),
        ResumePoint(**values["resume"]) if "resume" in values else None,
    )


def training_to_values(state: TrainingState) -> dict[str, Any]:
    """Return where a training stands as plain values."""
    return {
        "params": state.params,
        "n_updates": state.optimizer_state.n_updates,
        "moments": dict(state.optimizer_state.moments),
        "monitor": {field.name: getattr(state.monitor, field.name) for field in fields(TrainingMonitor)},
        "random_state": state.rng.bit_generator.state,
        "split_seed": state.split_seed,
        "lasting": dict(state.lasting),
    }


def training_from_values(values: dict[str, Any], size: int) -> TrainingState:
    """Make of plain values where a training of `size` parameters stands."""
    monitor = TrainingMonitor(**values["monitor"])
    if monitor.best_params is not None:
        monitor.best_params = _read_vector(monitor.best_params, size)
    moments = {name: _read_vector(moment, size) for name, moment in values["moments"].items()}
    rng = np.random.Generator(np.random.PCG64())
    rng.bit_generator.state = values["random_state"]
    return TrainingState(
        params=_read_vector(values["params"], size),
        optimizer_state=OptimizerState(values["n_updates"], moments),
        monitor=monitor,
        rng=rng,
        split_seed=values["split_seed"],
        lasting=values["lasting"],
    )


def _read_vector(values: Any, size: int) -> np.ndarray:
    """Return a vector with an entry for each of `size` parameters, in its place; raise where it is none."""
    vector = np.asarray(values)
    if vector.shape != (size,) or vector.dtype.kind != "f":
        raise ValueError(f"an array of shape {vector.shape} and dtype {vector.dtype} for {size} parameters")
    return vector
