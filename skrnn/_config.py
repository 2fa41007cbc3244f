"""The parameters of an estimator as Python's own numbers, read once at the beginning of a fit."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, ClassVar, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import validate_parameter_constraints

from ._validation.values import shown

Config = TypeVar("Config", bound="FitConfig")


@dataclass(frozen=True)
class FitConfig:
    """What `fit` and `partial_fit` read of a recurrent estimator's parameters.

    The fields are those of the estimator, whose documentation tells what they mean; a subclass adds its own.
    """

    LASTING: ClassVar[tuple[str, ...]] = ("cell", "hidden_size", "n_layers")
    """Which parameters give the learned weights their meaning, and cannot change while training goes on."""

    estimator_name: str
    is_partial: bool
    """Whether it is a `partial_fit`: one epoch, which stops for no plateau and keeps nothing if it breaks off."""

    hidden_size: int
    cell: str
    n_layers: int
    dropout: float
    bptt_steps: int | None
    solver: str
    alpha: float
    batch_size: int | str
    learning_rate: str
    learning_rate_init: float
    max_iter: int
    shuffle: bool
    random_state: int | np.random.RandomState | None
    tol: float
    verbose: int
    momentum: float
    nesterovs_momentum: bool
    beta_1: float
    beta_2: float
    epsilon: float
    max_grad_norm: float | None
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: float
    scoring: Any
    n_jobs: int | None

    @classmethod
    def read(cls: type[Config], estimator: BaseEstimator, is_partial: bool = False) -> Config:
        """Return the parameters of `estimator`; raises as scikit-learn does where one is not valid."""
        estimator_name = type(estimator).__name__
        parameters = {name: as_python(value) for name, value in estimator.get_params(deep=False).items()}
        for name, value in parameters.items():
            if isinstance(value, int) and abs(value) > sys.float_info.max:
                raise ValueError(f"{name} is {shown(value)}, beyond all floats. Pass a number nearer to 0.")
        validate_parameter_constraints(estimator._parameter_constraints, parameters, estimator_name)
        names = {field.name for field in fields(cls)} - {"estimator_name", "is_partial"}
        return cls(estimator_name, is_partial, **{name: parameters[name] for name in names})

    @property
    def n_epochs(self) -> int:
        """Largest number of epochs of this call."""
        return 1 if self.is_partial else self.max_iter

    @property
    def lasting(self) -> dict[str, Any]:
        """The parameters that cannot change while training goes on, by name."""
        return {name: getattr(self, name) for name in self.LASTING}


def as_python(value: Any) -> Any:
    """Return a scalar of NumPy as Python's own, which neither overflows nor rounds; others as they are."""
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    return int(value) if isinstance(value, Integral) else float(value)
