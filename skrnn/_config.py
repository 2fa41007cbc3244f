"""The parameters of the estimators as Python's own numbers, read once at the beginning of a fit."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any, ClassVar, TypeVar

import numpy as np
from sklearn.utils._param_validation import validate_parameter_constraints

from ._fitted import Fitted, ResumePoint
from ._validation.values import as_list, shown

Config = TypeVar("Config", bound="FitConfig")


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """What `fit` and `partial_fit` read of a recurrent estimator's parameters.

    The fields are those of the estimator, whose documentation tells what they mean; a subclass adds its own.
    """

    warms_up: ClassVar[bool] = False
    """Whether the learning rate rises during the first epoch."""

    estimator_name: str
    is_partial: bool
    """Whether it is a `partial_fit`: one epoch, which stops for no plateau and keeps nothing if it breaks off."""
    resume: ResumePoint | None = None
    """Where the fit stood of whose checkpoint it continues."""

    hidden_size: int
    cell: str
    n_layers: int
    dropout: float
    bptt_steps: int | None = None
    vocabulary: Any
    min_frequency: float | None
    max_tokens: int | None
    handle_unknown: str
    embedding_size: int | str | None
    dtype: Any
    solver: str
    alpha: float
    batch_size: int | str
    learning_rate: str
    learning_rate_init: Any
    max_iter: int
    shuffle: bool
    random_state: int | np.random.RandomState | None
    tol: float
    verbose: int
    warm_start: bool
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
    def read(
        cls: type[Config],
        estimator_name: str,
        parameters: dict[str, Any],
        constraints: dict[str, list[Any]],
        is_partial: bool,
    ) -> Config:
        """Return the parameters of an estimator; raises as scikit-learn does where one is not valid."""
        parameters = {name: as_python(value) for name, value in parameters.items()}
        for name, value in parameters.items():
            if isinstance(value, int) and abs(value) > sys.float_info.max:
                raise ValueError(f"{name} is {shown(value)}, beyond all floats. Pass a number nearer to 0.")
        validate_parameter_constraints(constraints, parameters, estimator_name)
        if (dtype := parameters["dtype"]) != "auto":
            parameters["dtype"] = np.dtype(dtype).name  # the same for every byte order
            if parameters["dtype"] not in ("float64", "float32"):
                raise ValueError(f"dtype is {dtype!r}. Pass 'auto', np.float64 or np.float32, or their names.")
        names = {field.name for field in fields(cls)} & parameters.keys()
        return cls(estimator_name=estimator_name, is_partial=is_partial, **{name: parameters[name] for name in names})

    def check_compatible(self, given_to_validate: str | None) -> None:
        """Raise where parameters of `fit` that are valid one by one contradict each other."""
        if given_to_validate and not self.early_stopping:
            raise ValueError(
                f"{given_to_validate} passed to fit, but early_stopping is False. Set early_stopping=True."
            )
        if self.solver == "lbfgs" and self.early_stopping:
            raise ValueError("solver='lbfgs' does not support early_stopping=True. Use adam, sgd or rmsprop.")
        if self.solver == "lbfgs" and self.dropout > 0:
            raise ValueError(f"solver='lbfgs' needs dropout=0, got {self.dropout}. Use adam, sgd or rmsprop.")

    @property
    def n_epochs(self) -> int:
        """Largest number of epochs of this call."""
        if self.resume:
            return 0 if self.resume.has_converged else max(0, self.max_iter - self.resume.n_epochs)
        return 1 if self.is_partial else self.max_iter

    @property
    def fixed_dtype(self) -> np.dtype | None:
        """What `dtype` says, None where the data do."""
        return None if self.dtype == "auto" else np.dtype(self.dtype)

    @property
    def lasting(self) -> dict[str, Any]:
        """The parameters that give the learned weights their meaning, and cannot change while training continues."""
        return {
            "cell": self.cell,
            "hidden_size": self.hidden_size,
            "n_layers": self.n_layers,
            "vocabulary": _as_plain(self.vocabulary),
            "min_frequency": self.min_frequency,
            "max_tokens": self.max_tokens,
            "embedding_size": self.embedding_size,
            "dtype": self.dtype,
        }


@dataclass(frozen=True, kw_only=True)
class SequenceConfig(FitConfig):
    """What classifier, regressor and tagger have in common."""

    init_from: Fitted[Any] | None = None
    """What another estimator has learned, from which input and layers begin."""
    bidirectional: bool
    input_type: str
    categorical_features: Any
    initial_timescale: float | str | None
    recompute: bool | str

    def network_arguments(self) -> dict[str, Any]:
        """Return what their networks are built from; raises where parameters contradict each other."""
        return {
            "cell": self.cell,
            "hidden_size": self.hidden_size,
            "n_layers": self.n_layers,
            "bidirectional": self.bidirectional,
            "dropout": self.dropout,
            "recompute": self.recompute,
        }

    @property
    def lasting(self) -> dict[str, Any]:
        """The parameters that give the learned weights their meaning, see `FitConfig.lasting`."""
        return {
            **super().lasting,
            "bidirectional": self.bidirectional,
            "input_type": self.input_type,
            "categorical_features": _as_plain(self.categorical_features),
            "handle_unknown": self.handle_unknown,
        }


@dataclass(frozen=True, kw_only=True)
class PooledConfig(SequenceConfig):
    """What those have in common that can pool the states of a sequence."""

    pooling: str

    def network_arguments(self) -> dict[str, Any]:
        """Return what their networks are built from; raises where `bptt_steps` contradicts other parameters."""
        if self.bptt_steps is not None:
            advice = f"but bptt_steps={self.bptt_steps}. Use bptt_steps=None; recompute=True saves memory, too."
            if self.bidirectional:
                raise ValueError(f"bidirectional=True has no state before the last steps to begin from, {advice}")
            if self.solver == "lbfgs":
                raise ValueError(f"solver='lbfgs' needs exact gradients, {advice}")
        return {**super().network_arguments(), "pooling": self.pooling, "gradient_steps": self.bptt_steps}

    @property
    def lasting(self) -> dict[str, Any]:
        """The parameters that give the learned weights their meaning, `pooling` included."""
        return {**super().lasting, "pooling": self.pooling}


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig(PooledConfig):
    """The parameters of `RNNSequenceClassifier`."""

    class_weight: Any


@dataclass(frozen=True, kw_only=True)
class TaggerConfig(SequenceConfig):
    """The parameters of `RNNSequenceTagger`."""

    loss: str
    class_weight: Any
    ignore_label: Any

    def check_compatible(self, given_to_validate: str | None) -> None:
        """Raise where parameters of `fit` that are valid one by one contradict each other."""
        super().check_compatible(given_to_validate)
        if self.class_weight is not None and self.loss == "crf":
            raise ValueError(
                "class_weight needs loss='log_loss': a chain has no loss of each label by itself. Use that, or "
                "class_weight=None and sample_weight."
            )

    @property
    def lasting(self) -> dict[str, Any]:
        """What cannot change while training continues, `loss` and `ignore_label` included."""
        return {**super().lasting, "loss": self.loss, "ignore_label": self.ignore_label}


@dataclass(frozen=True, kw_only=True)
class RegressorConfig(PooledConfig):
    """The parameters of `RNNSequenceRegressor`."""

    loss: str
    huber_delta: float
    quantile: float | None

    @classmethod
    def read(
        cls, estimator_name: str, parameters: dict[str, Any], constraints: dict[str, list[Any]], is_partial: bool
    ) -> RegressorConfig:
        """Return the parameters of an estimator; raises if one is wrong."""
        config = super().read(estimator_name, parameters, constraints, is_partial)
        if config.loss == "quantile" and config.quantile is None:
            raise ValueError("loss='quantile' needs a quantile, a number between 0 and 1. Pass quantile=0.5, say.")
        return config

    @property
    def lasting(self) -> dict[str, Any]:
        """The parameters that give the learned weights their meaning, see `FitConfig.lasting`."""
        return {**super().lasting, "loss": self.loss, "huber_delta": self.huber_delta, "quantile": self.quantile}


@dataclass(frozen=True, kw_only=True)
class NextTokenConfig(FitConfig):
    """The parameters of `RNNNextTokenModel`."""

    warms_up = True

    bptt_steps: int
    tie_weights: bool
    add_end_token: bool | str

    @classmethod
    def read(
        cls,
        estimator_name: str,
        parameters: dict[str, Any],
        constraints: dict[str, list[Any]],
        is_partial: bool,
    ) -> NextTokenConfig:
        """Return the parameters of an estimator, with what "auto" means of them; raises if one is wrong."""
        config = super().read(estimator_name, parameters, constraints, is_partial)
        if config.embedding_size == "auto":
            config = replace(config, embedding_size=config.hidden_size)
        if isinstance(config.learning_rate_init, str):  # "auto", measured: docs/design.md
            config = replace(config, learning_rate_init=0.005 if config.cell == "gru" else 0.01)
        if config.tie_weights and config.embedding_size != config.hidden_size:
            raise ValueError(
                f"tie_weights=True needs embedding_size={config.hidden_size}, that of hidden_size, got "
                f"{config.embedding_size}."
            )
        return replace(config, scoring="loss" if config.scoring is None else config.scoring)

    @property
    def lasting(self) -> dict[str, Any]:
        """The parameters that give the learned weights their meaning, see `FitConfig.lasting`."""
        return {
            **super().lasting,
            "tie_weights": self.tie_weights,
            "add_end_token": self.add_end_token,
        }

    def with_end_token(self, has_end: bool) -> NextTokenConfig:
        """Return the same with what "auto" means for the data."""
        return replace(self, add_end_token=has_end) if self.add_end_token == "auto" else self


def _as_plain(values: Any) -> Any:
    """Return an array-like parameter as a list, which can be compared; names and None as they are."""
    return values if values is None or isinstance(values, str) else as_list(values)


def as_python(value: Any) -> Any:
    """Return a scalar of NumPy as Python's own, which neither overflows nor rounds; others as they are."""
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    return int(value) if isinstance(value, Integral) else float(value)
