"""Fitted estimators as plain values: what a pickle, or a file of joblib or skops, holds of them.

Numbers, strings, arrays, and lists and dicts of those: no class of the engine, and nothing that depends on the machine.
So a file outlives a move of a module, and needs no more trust than the estimator's own class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ._fitted import Fitted, R
from ._version import __version__
from .core.model.network import Network
from .core.training.loop import TrainingState
from .core.training.monitor import TrainingMonitor
from .core.training.optimizers import OptimizerState

FORMAT = 1
"""Number of the format; another one for every change after which older versions could not read a file."""


def with_format(values: dict[str, Any]) -> dict[str, Any]:
    """Return plain values with what tells how to read them."""
    return {"format": FORMAT, "skrnn_version": __version__, **values}


def check_format(state: Any, name: str) -> None:
    """Raise unless this version reads what a file holds of an object; `name` is that of its class."""
    if not isinstance(state, dict) or "format" not in state:
        raise ValueError(
            f"The file holds a {name} in no known format: it was not written by skrnn, or before its format 1. "
            f"skrnn {__version__} reads format {FORMAT}. Fit the {name} again, and write it anew."
        )
    if state["format"] != FORMAT:
        raise ValueError(
            f"The file holds a {name} in format {state['format']}, written by skrnn {state.get('skrnn_version')}, but "
            f"skrnn {__version__} reads format {FORMAT}. Read it with that version, or fit the {name} again."
        )


def fitted_to_values(fitted: Fitted[Any]) -> dict[str, Any]:
    """Return what a fit left as plain values."""
    return {
        "reading": fitted.reading.to_values(),
        "network": dict(fitted.arguments),
        "params": fitted.params,
        "training": None if fitted.training is None else training_to_values(fitted.training),
    }


def fitted_from_values(
    values: dict[str, Any], reading_type: type[R], shape: BaseEstimator, build: Callable[..., Network]
) -> Fitted[R]:
    """Make what a fit left of plain values; `build` makes its network, and `shape` has nothing yet."""
    return Fitted(
        reading_type.from_values(shape, values["reading"]),
        build(**values["network"]),
        values["network"],
        np.asarray(values["params"]),
        None if values["training"] is None else training_from_values(values["training"]),
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


def training_from_values(values: dict[str, Any]) -> TrainingState:
    """Make of plain values where a training stands."""
    rng = np.random.Generator(np.random.PCG64())
    rng.bit_generator.state = values["random_state"]
    return TrainingState(
        params=values["params"],
        optimizer_state=OptimizerState(values["n_updates"], values["moments"]),
        monitor=TrainingMonitor(**values["monitor"]),
        rng=rng,
        split_seed=values["split_seed"],
        lasting=values["lasting"],
    )
