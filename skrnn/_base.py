"""What every recurrent estimator is: the template of a fit, and the one object that it leaves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.utils._param_validation import (  # private, but in place since 1.2: docs/design.md
    Interval,
    Options,
    StrOptions,
)
from sklearn.utils.validation import check_is_fitted

from ._config import FitConfig
from ._fitting import begin_training, continue_training, run_training
from ._floating_point import without_warnings
from ._hold_out import Validation, check_scorer_name
from ._warnings import warn_caller
from .core.cells import CELLS
from .core.data.dataset import Dataset
from .core.data.samplers import Sampler
from .core.model.network import Network
from .core.training.loop import TrainingState
from .core.training.monitor import TrainingMonitor


class Passed(NamedTuple):
    """What a user passes to learn from, or to validate on."""

    X: Any
    y: Any = None
    sample_weight: Any = None


@dataclass(frozen=True, eq=False, repr=False)
class Reading:
    """How X and y are read: what the first fit found out about them, and later data are held against."""

    shape: BaseEstimator
    """An estimator that has nothing but what scikit-learn's validation sets and reads: `n_features_in_` and so on."""
    dtype: np.dtype
    """Of the parameters and the data."""

    def attributes(self) -> dict[str, Any]:
        """Return the public attributes that tell of X and y."""
        return {name: value for name, value in vars(self.shape).items() if not name.startswith("_")}

    def without_names(self: R) -> R:
        """Return the same for data that have no column names any more."""
        shape = copy(self.shape)
        vars(shape).pop("feature_names_in_", None)
        return replace(self, shape=shape)


R = TypeVar("R", bound=Reading)


@dataclass(frozen=True)
class Examples(ABC):
    """What X, y and weights became: to learn from, or to score."""

    data: Dataset
    is_weighted: bool
    """Whether a scorer is given the weights, too."""

    @abstractmethod
    def hold_out(self, fraction: float, seed: int) -> tuple[Dataset, Examples]:
        """Return what is left to learn from, and what is held out."""

    @abstractmethod
    def for_scorer(self) -> tuple[Any, ...]:
        """Return X, and y if there is one, as a scorer gets them."""


@dataclass(frozen=True, eq=False, repr=False)
class Fitted(Generic[R]):
    """Everything that a fit leaves: set in one step, and read once by each prediction."""

    reading: R
    network: Network
    params: np.ndarray
    training: TrainingState | None
    """Where training continues; None for a candidate, which is only scored."""

    def named_weights(self) -> dict[str, np.ndarray]:
        """Return the parameters by name, views of one vector."""
        views = self.network.layout.views(self.params)
        return {f"{part}.{name}": array for part, arrays in views.items() for name, array in arrays.items()}


class BaseRecurrent(BaseEstimator, ABC, Generic[R]):
    """Base class of the recurrent estimators.

    `_learn` is the template of `fit` and `partial_fit`. An estimator says how X and y are read, what network learns
    from them in which batches, and what the default score is. It changes in one step, after all has gone well.
    """

    _config_type: ClassVar[type[FitConfig]]
    _fitted: Fitted[R]

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "cell": [StrOptions(set(CELLS))],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "solver": [StrOptions({"adam", "sgd", "rmsprop", "lbfgs"})],
        "alpha": [Interval(Real, 0, np.inf, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "adaptive", "cosine"})],
        "learning_rate_init": [Interval(Real, 0, np.inf, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterovs_momentum": ["boolean"],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, np.inf, closed="neither")],
        "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "n_jobs": [Integral, None],
    }

    @property
    def weights_(self) -> dict[str, np.ndarray]:
        """Parameters by name: views of one vector."""
        return self._check_fitted().named_weights()

    def __sklearn_is_fitted__(self) -> bool:
        return "_fitted" in vars(self)

    # What an estimator says

    @abstractmethod
    def _read(self, config: Any, passed: Passed, reading: R | None, announced: Any) -> tuple[R, Examples]:
        """Read X and y as `reading` says, or find out how; `announced` is what a first `partial_fit` is told of y."""

    @abstractmethod
    def _read_validation(self, config: Any, passed: Passed, reading: R) -> Examples:
        """Read what the caller passes to validate on."""

    @abstractmethod
    def _make_network(self, config: Any, reading: R) -> Network:
        """Return the network for such data; raises where parameters contradict each other."""

    @abstractmethod
    def _make_sampler(self, config: Any) -> Sampler:
        """Return what makes batches of the data."""

    @abstractmethod
    def _mean_log_proba(self, reading: R, network: Network, data: Dataset) -> Callable[[np.ndarray], float]:
        """Return the default score of parameters, of which the training loss is minus the expected value."""

    def _initialize(self, reading: R, network: Network, params: np.ndarray) -> None:
        """Change parameters that were drawn at random, in place."""

    def _resolve(self, config: Any, reading: R) -> Any:
        """Return the parameters with what the data say of those that were left open."""
        return config

    # What all have in common

    def _check_fitted(self) -> Fitted[R]:
        """Return what a fit left; raises NotFittedError before one."""
        try:
            return self._fitted
        except AttributeError:
            check_is_fitted(self)
            return self._fitted  # a fit on another thread has just come to its end

    def _has_partial_fit(self) -> bool:
        """Whether the solver has a `partial_fit`; raises where it has not, as ``available_if`` wants it."""
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit needs a stochastic solver: adam, sgd or rmsprop. solver='lbfgs' is not one."
            )
        return True

    def _read_config(self, is_partial: bool = False) -> Any:
        """Return the parameters; raises where one is not valid, or has no meaning in a `partial_fit`."""
        name, parameters = type(self).__name__, self.get_params(deep=False)
        config = self._config_type.read(name, parameters, self._parameter_constraints, is_partial)
        if is_partial and config.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True. Use fit, or early_stopping=False.")
        return config

    def _make_shape(self) -> BaseEstimator:
        """Return an estimator of this class that has nothing, not even parameters, for `Reading`."""
        return object.__new__(type(self))

    @without_warnings
    def _learn(self, config: Any, passed: Passed, to_validate: Passed | None = None, announced: Any = None) -> None:
        """Train on what was passed, and take what came of it in one step."""
        with _kept_on_error(config.random_state):
            before = vars(self).get("_fitted") if config.is_partial or config.warm_start else None
            training = before.training if before else None
            reading, examples = self._read(config, passed, before.reading if before and training else None, announced)
            config = self._resolve(config, reading)
            network = self._make_network(config, reading)
            if training:
                state = continue_training(config, training)
            else:
                state = begin_training(config, network, reading.dtype)
                self._initialize(reading, network, state.params)
            data, validation = examples.data, None
            if config.early_stopping:
                if to_validate is None:
                    data, held_out = examples.hold_out(config.validation_fraction, state.split_seed)
                else:
                    held_out = self._read_validation(config, to_validate, reading)
                validation = self._make_validation(config, reading, network, held_out)
            params, problem = run_training(config, network, state, data, self._make_sampler(config), validation)
            if problem:
                warn_caller(problem, ConvergenceWarning)  # before anything changes: it may be an error
            self._take(Fitted(reading, network, params, state), _history(state.monitor, config.early_stopping))

    def _make_validation(self, config: Any, reading: R, network: Network, held_out: Examples) -> Validation:
        """Return the score of parameters on what was held out: minus the mean loss, or what `scoring` names."""
        digest = f"{held_out.data.digest()}, {held_out.is_weighted}"
        if config.scoring == "loss":
            return Validation(self._mean_log_proba(reading, network, held_out.data), digest)
        check_scorer_name(config.scoring)
        scorer = check_scoring(self, scoring=config.scoring)
        weights = {"sample_weight": held_out.data.weights} if held_out.is_weighted else {}
        arguments, candidate, reading = held_out.for_scorer(), copy(self), reading.without_names()

        def score(params: np.ndarray) -> Any:
            candidate._take(Fitted(reading, network, params.copy(), None))  # the scorer may keep the estimator
            return scorer(candidate, *arguments, **weights)

        return Validation(score, digest)

    def _take(self, fitted: Fitted[R], history: dict[str, Any] | None = None) -> None:
        """Become fitted; other threads see all of it, or all of what was before."""
        attributes = dict(vars(self))  # the parameters as they are now, and whatever else the user has set
        before = attributes.get("_fitted")
        for name in before.reading.attributes() if before else ():
            attributes.pop(name, None)
        self.__dict__ = {**attributes, **fitted.reading.attributes(), **(history or {}), "_fitted": fitted}


def _history(monitor: TrainingMonitor, is_validated: bool) -> dict[str, Any]:
    """Return the public attributes that tell of a training."""
    return {
        "n_iter_": monitor.n_epochs,
        "loss_curve_": list(monitor.loss_curve),
        "loss_": monitor.loss_curve[-1],
        "best_loss_": None if is_validated else -monitor.best_score,
        "validation_scores_": list(monitor.validation_scores) if is_validated else None,
        "best_validation_score_": monitor.best_score if is_validated else None,
    }


@contextmanager
def _kept_on_error(random_state: Any) -> Iterator[None]:
    """Give a generator of random numbers its state back if the block raises."""
    before = random_state.get_state() if isinstance(random_state, np.random.RandomState) else None
    try:
        yield
    except BaseException:
        if before is not None:
            random_state.set_state(before)
        raise
