"""What every recurrent estimator is: the template of a fit, and the one object that it leaves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from inspect import signature
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.utils._param_validation import (  # private, but in place since 1.2: docs/design.md
    Interval,
    Options,
    RealNotInt,
    StrOptions,
)
from sklearn.utils.validation import check_is_fitted

from ._callbacks import CallbackSupportMixin, FitTask, lasting_attributes, with_callbacks
from ._checkpoints import Checkpoint
from ._config import FitConfig
from ._documentation import DocLinkMixin
from ._files import fitted_from_values, fitted_to_values, reading_values, with_format
from ._fitted import Fitted, R, Reading
from ._fitting import begin_training, continue_training
from ._floating_point import without_warnings
from ._hold_out import Validation, check_scorer_name
from ._kernels import chosen_kernels
from ._learning import Learning
from ._warnings import warn_caller
from .core.cells import CELLS
from .core.data.dataset import Dataset
from .core.data.samplers import Sampler
from .core.model.network import Network

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on


class Passed(NamedTuple):
    """What a user passes to learn from, or to validate on."""

    X: Any
    y: Any = None
    sample_weight: Any = None


@dataclass(frozen=True)
class Examples(ABC):
    """What X, y and weights became: to learn from, or to score."""

    data: Dataset
    is_weighted: bool
    """Whether a scorer is given the weights, too."""
    items: Any
    """The sequences as they were passed, a list of them in training, where `data` do not hold what was passed."""

    def take(self, indices: np.ndarray) -> Self:
        """Return some of the sequences, in the order of `indices`."""
        items = None if self.items is None else [self.items[i] for i in indices]
        return replace(self, data=self.data.take(indices), items=items)

    def that_weigh(self, counts: np.ndarray | None = None) -> Self:
        """Return those whose weight is not 0, and of which not 0 targets (n,) are known."""
        weights = self.data.weights if counts is None else self.data.weights * counts
        return self if weights.all() else self.take(np.flatnonzero(weights))

    def X_for_scorer(self) -> Any:
        """Return the sequences as a scorer gets them."""
        return self.data.sequences.arrays() if self.items is None else self.items

    @abstractmethod
    def hold_out(self, fraction: float, seed: int) -> tuple[Dataset, Examples]:
        """Return what is left to learn from, and what is held out."""

    @abstractmethod
    def for_scorer(self) -> tuple[Any, ...]:
        """Return X, and y if there is one, as a scorer gets them."""


class BaseRecurrent(DocLinkMixin, CallbackSupportMixin, BaseEstimator, ABC, Generic[R]):
    """Base class of the recurrent estimators.

    `_learn` is the template of `fit` and `partial_fit`. An estimator says how X and y are read, what network learns
    from them in which batches, and what the default score is. It changes in one step, after all has gone well.
    """

    _config_type: ClassVar[type[FitConfig]]
    _reading_type: ClassVar[type[Reading]]
    _build_network: ClassVar[Callable[..., Network]]
    """Makes the network from what `_network_arguments` returns."""
    _fitted: Fitted[R]
    _resumable: Fitted[R] | None
    """What a checkpoint holds: of an estimator that a callback gets."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "cell": [StrOptions(set(CELLS))],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "vocabulary": ["array-like", None],
        "min_frequency": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            None,
        ],
        "max_tokens": [Interval(Integral, 1, None, closed="left"), None],
        "handle_unknown": [StrOptions({"use_unknown", "error"})],
        "dtype": [
            StrOptions({"auto", "float64", "float32"}),
            Options(type, {np.float64, np.float32}),
            np.dtype,
        ],
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

    def without_training_state(self) -> Self:
        """Return a copy that predicts the same in a quarter of the memory, and cannot continue training.

        What it leaves out are the moments of the solver, the best parameters so far and the last ones, and the state of
        the random numbers.

        Returns
        -------
        model : estimator
            Shares the parameters with this one. `fit` begins anew; with `warm_start`, and in `partial_fit`, it raises a
            ValueError.

        Raises
        ------
        NotFittedError
            Before a fit.

        Examples
        --------
        >>> import pickle
        >>> from skrnn import RNNSequenceClassifier
        >>> model = RNNSequenceClassifier(max_iter=300, random_state=0).fit([[0.0, 1.0], [1.0, 0.0]] * 4, [0, 1] * 4)
        >>> small = model.without_training_state()
        >>> small.predict([[0.2, 0.9]])
        array([0])
        >>> len(pickle.dumps(small)) < len(pickle.dumps(model)) / 3
        True
        """
        fitted, model = self._check_fitted(), copy(self)
        model._take(replace(fitted, training=None, resume=None))
        return model

    def set_callbacks(self, *callbacks: Any) -> Self:
        """Set what is told of each epoch of `fit`, and may end it: a progress bar, for example.

        Parameters
        ----------
        *callbacks : callbacks
            Those of scikit-learn or of `skrnn.callbacks`, in the order in which they are called; without any, those
            that are set are taken away. Copies and clones keep them.

        Returns
        -------
        self : estimator
            With these callbacks and no others.

        Raises
        ------
        ImportError
            If scikit-learn is older than 1.9, which has no callbacks.
        TypeError
            If one of them is no callback.
        """
        super().set_callbacks(*callbacks)
        for callback in callbacks:
            if isinstance(callback, Checkpoint):
                callback._belong_to(self)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return "_fitted" in vars(self)

    def __copy__(self) -> Self:
        copied = object.__new__(type(self))
        copied.__dict__ = lasting_attributes(self)  # what is fitted is shared
        return copied

    def __getstate__(self) -> dict[str, Any]:
        attributes = lasting_attributes(self)
        fitted = attributes.pop("_fitted", None)
        for name in fitted.reading.attributes() if fitted else ():
            attributes.pop(name, None)
        return with_format({"attributes": attributes, "fitted": fitted_to_values(fitted) if fitted else None})

    def __setstate__(self, state: dict[str, Any]) -> None:
        with reading_values(state, type(self).__name__):
            defaults = {name: value.default for name, value in signature(type(self)).parameters.items()}
            attributes, values = {**defaults, **state["attributes"]}, state["fitted"]  # of files before a parameter
            if values is not None:
                build = type(self)._build_network
                fitted = fitted_from_values(values, self._reading_type, self._make_shape(), build)
                attributes |= {**fitted.reading.attributes(), "_fitted": fitted}
        self.__dict__ = attributes

    # What an estimator says

    @abstractmethod
    def _read(self, config: Any, passed: Passed, reading: R | None, announced: Any) -> tuple[R, Examples]:
        """Read X and y as `reading` says, or find out how; `announced` is what a first `partial_fit` is told of y."""

    @abstractmethod
    def _read_validation(self, config: Any, passed: Passed, reading: R) -> Examples:
        """Read what the caller passes to validate on."""

    @abstractmethod
    def _network_arguments(self, config: Any, reading: R, data: Dataset) -> dict[str, Any]:
        """Return what the network for such data is built from; raises where parameters contradict each other."""

    @abstractmethod
    def _make_sampler(self, config: Any) -> Sampler:
        """Return what makes batches of the data."""

    @abstractmethod
    def _default_score(self, reading: R, network: Network, data: Dataset) -> Callable[[np.ndarray], float]:
        """Return the score of parameters that scoring="loss" means: minus the mean loss."""

    def _initialize(
        self, config: Any, reading: R, network: Network, params: np.ndarray, data: Dataset
    ) -> dict[str, Any]:
        """Change parameters that were drawn at random, in place, to suit the data that they are to learn.

        Returns the public attributes that tell of it.
        """
        return {}

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

    @with_callbacks
    @without_warnings
    def _learn(self, config: Any, passed: Passed, to_validate: Passed | None = None, announced: Any = None) -> None:
        """Train on what was passed, and take what came of it in one step."""
        with kept_on_error(config.random_state):
            before = self._before(config)
            if before and not config.is_partial:
                config = replace(config, resume=before.resume)
            task = self._begin_task(config, passed)
            learning = self._prepare(config, passed, before, to_validate, announced)
            task.snapshot = lambda has_converged: self._left_by(learning.copy(), has_converged)
            trained = learning.run(self._make_sampler(learning.config), task)
            if trained.problem:
                warn_caller(trained.problem, ConvergenceWarning)  # before anything changes: it may be an error
            learned = replace(learning, fitted=replace(learning.fitted, params=trained.params))
            task.end(lambda: self._left_by(learned, None if trained.is_broken_off else task.has_converged))
            self._take(learned.fitted, learned.attributes())

    def _prepare(
        self, config: Any, passed: Passed, before: Fitted[R] | None, to_validate: Passed | None, announced: Any
    ) -> Learning[R]:
        """Read what was passed, and make what learns from it: the network of `before`, or another one."""
        reading, examples = self._read(config, passed, before.reading if before else None, announced)
        config = self._resolve(config, reading)
        arguments = self._network_arguments(config, reading, examples.data)
        network = type(self)._build_network(**arguments).using(chosen_kernels())
        if before and before.training:
            state = continue_training(config, before.training)
        else:
            state = begin_training(config, network, reading.dtype)
        fitted = Fitted(reading, network, arguments, state.params, state)
        data, validation = examples.data, None
        if config.early_stopping:
            if to_validate is None:
                data, held_out = examples.hold_out(config.validation_fraction, state.split_seed)
            else:
                held_out = self._read_validation(config, to_validate, reading)
            validation = self._make_validation(config, fitted, held_out)
        initial = {} if before else self._initialize(config, reading, network, state.params, data)
        n_before = state.monitor.n_epochs - (config.resume.n_epochs if config.resume else 0)
        return Learning(config, fitted, state, data, validation, initial, n_before)

    def _begin_task(self, config: Any, passed: Passed) -> FitTask:
        """Tell the callbacks that a fit begins; a `partial_fit` has none, as in scikit-learn."""
        if not config.is_partial:
            context = self._init_callback_context(max_subtasks=config.n_epochs)
            task = FitTask(context, "lbfgs-iter" if config.solver == "lbfgs" else "epoch", self, *passed)
            task.has_converged = bool(config.resume and config.resume.has_converged)
            return task
        if any(isinstance(callback, Checkpoint) for callback in getattr(self, "_skl_callbacks", ())):
            raise ValueError(
                "partial_fit calls no callbacks, so it would write no checkpoint. Pickle the estimator after it, and "
                "take the checkpoint away with set_callbacks()."
            )
        return FitTask.silent()

    def _left_by(self, learning: Learning[R], has_converged: bool | None) -> dict[str, Any] | None:
        """Return the attributes of the estimator if the fit ended so, as callbacks want them; None before an epoch.

        Unless `has_converged` is None, a checkpoint can be made of them.
        """
        if not learning.state.monitor.n_epochs:
            return None
        left = copy(self)
        left._take(learning.fitted, learning.attributes())
        left._resumable = None if has_converged is None else learning.resumable(has_converged)
        return {"__dict__": vars(left)}  # all at once: what an earlier fit found out of X may have to go

    def _before(self, config: Any) -> Fitted[R] | None:
        """Return what is continued, None to begin anew; raises where there is nothing to continue from."""
        before: Fitted[R] | None = vars(self).get("_fitted")
        if before is None or not (config.is_partial or config.warm_start or before.resume):
            return None
        if before.training is None:
            method = "partial_fit" if config.is_partial else "fit with warm_start=True"
            raise ValueError(
                f"{method} cannot continue this {config.estimator_name}: it has no training state, which "
                "without_training_state() leaves out. Continue the estimator that it was made from, or call fit with "
                "warm_start=False."
            )
        return before

    def _make_validation(self, config: Any, fitted: Fitted[R], held_out: Examples) -> Validation:
        """Return the score of parameters on what was held out: minus the mean loss, or what `scoring` names."""
        digest = f"{held_out.data.digest()}, {held_out.is_weighted}"
        if config.scoring == "loss":
            return Validation(self._default_score(fitted.reading, fitted.network, held_out.data), digest)
        check_scorer_name(config.scoring)
        scorer = check_scoring(self, scoring=config.scoring)
        weights = {"sample_weight": held_out.data.weights} if held_out.is_weighted else {}
        arguments, candidate = held_out.for_scorer(), copy(self)
        fitted = replace(fitted, reading=fitted.reading.without_names(), training=None)

        def score(params: np.ndarray) -> Any:
            candidate._take(replace(fitted, params=params.copy()))  # the scorer may keep the estimator
            return scorer(candidate, *arguments, **weights)

        return Validation(score, digest)

    def _take(self, fitted: Fitted[R], history: dict[str, Any] | None = None) -> None:
        """Become fitted; other threads see all of it, or all of what was before."""
        attributes = dict(vars(self))  # the parameters as they are now, and whatever else the user has set
        before = attributes.get("_fitted")
        for name in before.reading.attributes() if before else ():
            attributes.pop(name, None)
        self.__dict__ = {**attributes, **fitted.reading.attributes(), **(history or {}), "_fitted": fitted}


@contextmanager
def kept_on_error(random_state: Any) -> Iterator[None]:
    """Give a generator of random numbers its state back if the block raises."""
    before = random_state.get_state() if isinstance(random_state, np.random.RandomState) else None
    try:
        yield
    except BaseException:
        if before is not None:
            random_state.set_state(before)
        raise
