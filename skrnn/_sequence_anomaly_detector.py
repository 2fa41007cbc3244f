"""The anomaly detector: from the probabilities of steps to normal and abnormal sequences."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions  # as in _base.py
from sklearn.utils.validation import check_is_fitted

from ._base import kept_on_error
from ._callbacks import CallbackSupportMixin, fitting_part, lasting_attributes, with_callbacks
from ._documentation import DocLinkMixin
from ._hold_out import hold_out_any
from ._next_token import RNNNextTokenModel
from ._sequence_regressor import RNNSequenceRegressor
from ._step_likelihoods import StepLikelihoods, SurprisingStep, SurprisingToken, likelihoods_of
from ._validation.input_types import holds_text
from ._validation.sequence_column import as_column
from ._validation.weights import check_sample_weight

CONTAMINATION, HELD_OUT = 0.05, 0.2
"""What "auto" means."""

ROUNDING = 1e-6
"""What the scores of a sequence differ by at most, relative or in nats, when it is scored beside others."""

AGGREGATIONS: dict[str, Callable[[np.ndarray], Any]] = {"mean": np.mean, "sum": np.sum, "max": np.min}
"""Of log-probabilities: the largest surprise is the smallest of them."""


class RNNSequenceAnomalyDetector(DocLinkMixin, CallbackSupportMixin, OutlierMixin, BaseEstimator):
    """Detector of abnormal sequences, and of the step at which each is most surprising.

    A recurrent network learns from normal sequences what comes next. A sequence is abnormal if its steps are less
    probable than those of normal sequences that the network has not learned from.

    X is a list of sequences: of tokens, such as the events of a session, or of numbers, arrays of shape (n_steps_i,
    n_features). 2-D and 3-D arrays of numbers are sequences of equal lengths, as for :class:`RNNSequenceRegressor`,
    which wants them scaled, for example with :class:`skrnn.preprocessing.SequenceScaler`. Of tokens each is scored,
    and the end of the sequence; of numbers each step but the first, which has no forecast: two steps is the shortest
    sequence.

    Parameters
    ----------
    estimator : estimator, default=None
        What gives the steps their probabilities: an :class:`RNNNextTokenModel`, or a regressor with
        ``loss="gaussian"`` that is fitted on :func:`skrnn.sequences.to_forecasting`, such as
        :class:`RNNSequenceRegressor`, a pipeline that ends with one, or a search for one. None is
        ``RNNNextTokenModel()`` for text, and ``RNNSequenceRegressor(loss="gaussian", early_stopping=True)`` for
        numbers; for numbers that name something pass the former. A fitted one in a
        :class:`sklearn.frozen.FrozenEstimator` is used as it is.
    contamination : float in (0, 0.5] or "auto", default="auto"
        Share of the sequences that `offset_` makes abnormal, at most: of those that are held out, or of X where none
        are. "auto" is 0.05.
    aggregation : {"mean", "sum", "max", "rank"}, default="mean"
        What of the log-probabilities of its steps scores a sequence: their mean; their sum, the log-likelihood, which
        falls with the length; with "max" that of the most surprising step, the lowest one. "rank", for tokens, is minus
        the worst rank of a token among all candidates (Du et al., 2017); a token that is not in the vocabulary comes
        after all of them.
    n_candidates : int, default=None
        With "rank", a token that is not among so many likeliest makes a sequence abnormal, and nothing is held out.
    validation_fraction : float in (0, 1), "auto" or None, default="auto"
        Share of the sequences held out of the training to set `offset_`, at random. With None all of X trains the
        estimator and sets the offset, which is then too high for new sequences if the estimator overfits. "auto"
        is 0.2 with ``contamination="auto"``, and None with a number, which so is the share of X as for the detectors
        of scikit-learn. Unused with `n_candidates`, and for a frozen estimator, for which all of X sets the offset.
    random_state : int, RandomState instance or None, default=None
        Seed of what is held out, and of the estimator if it has none of its own.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.
    offset_ : float
        Scores below it are abnormal: ``decision_function(X) = score_samples(X) - offset_``.
    n_features_in_ : int
        Columns of X if it was 2-D, else features per step; of tokens only after a fit on 2-D X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a data frame or a list of data frames of numbers with only str as names.

    See Also
    --------
    RNNNextTokenModel : Probabilities and ranks of each token; streams.
    skrnn.sequences.sliding_windows : Cuts long series into sequences.
    sklearn.ensemble.IsolationForest : For samples without an order in them.

    Notes
    -----
    Scores of numbers are logarithms of densities, which may be positive and depend on the units of X.

    References
    ----------
    Du, Li, Zheng and Srikumar, *DeepLog: anomaly detection and diagnosis from system logs through deep learning*
    (2017), section 3.1: the rule of "rank". Malhotra, Vig, Shroff and Agarwal, *Long short term memory networks for
    anomaly detection in time series* (2015): a threshold on the likelihood of what was forecast.

    Examples
    --------
    >>> from skrnn import RNNNextTokenModel, RNNSequenceAnomalyDetector
    >>> normal = [["login", "read", "logout"], ["login", "write", "write", "logout"]] * 50
    >>> model = RNNNextTokenModel(hidden_size=16, learning_rate_init=0.05)
    >>> detector = RNNSequenceAnomalyDetector(model, aggregation="max", random_state=0).fit(normal)
    >>> sessions = [["login", "read", "logout"], ["login", "write", "read", "logout"]]
    >>> detector.predict(sessions)
    array([ 1, -1])
    >>> step = detector.locate(sessions)[1]
    >>> step.position, step.observed, step.expected
    (2, 'read', 'write')
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods("fit"), None],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "aggregation": [StrOptions({*AGGREGATIONS, "rank"})],
        "n_candidates": [Interval(Integral, 1, None, closed="left"), None],
        "validation_fraction": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="neither"), None],
        "random_state": ["random_state"],
    }
    __metadata_request__fit: ClassVar[dict[str, None]] = {"sample_weight": None}

    estimator_: Any
    offset_: float
    _aggregation: str
    """Of the last fit, to which the offset belongs."""
    _shape: BaseEstimator
    """Has what validation found out about the X of `fit`, and nothing else."""

    def __init__(
        self,
        estimator: Any = None,
        *,
        contamination: float | str = "auto",
        aggregation: str = "mean",
        n_candidates: int | None = None,
        validation_fraction: float | str | None = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.contamination = contamination
        self.aggregation = aggregation
        self.n_candidates = n_candidates
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    @with_callbacks
    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> RNNSequenceAnomalyDetector:
        """Learn what normal sequences are, and from which score on they are.

        Parameters
        ----------
        X : list of sequences of tokens, list of array-like of shape (n_steps_i, n_features), or array
            Normal sequences, or mostly normal ones; see the class.
        y : None
            Ignored.
        **fit_params : dict
            Passed to ``fit`` of the estimator. `sample_weight`, array-like of shape (n_sequences,), is split as X is,
            and also weighs the sequences that set the offset; of a pipeline ``rnnsequenceregressor__sample_weight``.

        Returns
        -------
        self : RNNSequenceAnomalyDetector
            Fitted.

        Raises
        ------
        TypeError, ValueError
            If X or a weight is not what it should be, parameters contradict each other, `estimator` cannot give steps a
            probability, or its ``fit`` raises. The detector is then as it was.
        """
        self._validate_params()
        self._check_compatible()
        task = self._init_callback_context(max_subtasks=1).call_on_fit_task_begin(estimator=self, X=X, y=y)
        with kept_on_error(self.random_state):
            split_seed, estimator_seed = check_random_state(self.random_state).randint(2**31 - 1, size=2).tolist()
            likelihoods = likelihoods_of(self._make_estimator(X, estimator_seed))
            if self.aggregation == "rank":
                likelihoods.check_has_ranks()
            shape = object.__new__(type(self))
            sequences = likelihoods.read(shape, X, reset=True)
            of_sequences = {
                name: check_sample_weight(values, len(sequences))
                for name, values in fit_params.items()
                if values is not None and name.rpartition("__")[2] == "sample_weight"
            }
            *_, weights = [np.ones(len(sequences)), *of_sequences.values()]
            train, to_calibrate = self._split(np.flatnonzero(weights), split_seed)
            fit_params |= {name: values[train] for name, values in of_sequences.items()}
            with fitting_part(task, self, likelihoods.estimator, X):
                likelihoods.fit(_subset(sequences, train), **fit_params)
            offset = self._calibrate(likelihoods, _subset(sequences, to_calibrate), weights[to_calibrate])
        left = copy(self)
        left._take(likelihoods.estimator, offset, shape)
        task.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes={"__dict__": lasting_attributes(left)}
        )
        self._take(likelihoods.estimator, offset, shape)
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Score sequences: what `aggregation` makes of the log-probabilities of their steps; low is abnormal.

        Parameters
        ----------
        X : as in `fit`
            The sequences, of any lengths unless both this X and that of `fit` are 2-D.

        Returns
        -------
        scores : ndarray of shape (n_sequences,), float64
            Nats, or minus a rank.

        Raises
        ------
        TypeError, ValueError
            If X is not what it should be, or a sequence has no step that is scored: one that is empty and whose end is
            not modelled, or one of a single step of numbers.
        """
        likelihoods, sequences = self._read(X)
        return _aggregate(likelihoods, sequences, self._aggregation)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return by how much the scores are above the offset; below 0 is abnormal.

        Parameters
        ----------
        X : as in `fit`
            The sequences.

        Returns
        -------
        decision : ndarray of shape (n_sequences,), float64
            ``score_samples(X) - offset_``.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Tell normal from abnormal sequences.

        Parameters
        ----------
        X : as in `fit`
            The sequences.

        Returns
        -------
        is_normal : ndarray of shape (n_sequences,), integer
            1 for normal, -1 for abnormal ones.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def locate(self, X: Any) -> list[SurprisingToken] | list[SurprisingStep]:
        """Find the most surprising step of each sequence, normal ones too, and what was expected in its place.

        Parameters
        ----------
        X : as in `fit`
            The sequences.

        Returns
        -------
        steps : list of n_sequences named tuples
            Of tokens :class:`SurprisingToken`, ``(position, observed, expected, log_proba, rank)``; `observed` or
            `expected` is END where the sequence ends. Of numbers :class:`SurprisingStep`, ``(position, observed,
            expected, std, log_proba)``. It is the step of the lowest log-probability, with ``aggregation="rank"`` of
            the worst rank; the first of equal ones.
        """
        likelihoods, sequences = self._read(X)
        log_proba = likelihoods.log_proba(sequences)
        worst = [-rank for rank in likelihoods.rank(sequences)] if self._aggregation == "rank" else log_proba
        return likelihoods.describe(sequences, [int(values.argmin()) for values in worst], log_proba)

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]  # the type of the tags is not public
        tags = super().__sklearn_tags__()
        estimator = vars(self).get("estimator")  # a shape has no parameters
        tags.input_tags = get_tags(RNNSequenceRegressor() if estimator is None else estimator).input_tags
        return tags

    @property
    def _contamination(self) -> float:
        return CONTAMINATION if isinstance(self.contamination, str) else self.contamination

    @property
    def _validation_fraction(self) -> float | None:
        """Share of the sequences that is held out, None where nothing is."""
        if self.n_candidates is not None or isinstance(self.estimator, FrozenEstimator):
            return None
        if not isinstance(self.validation_fraction, str):
            return self.validation_fraction
        return HELD_OUT if isinstance(self.contamination, str) else None

    def _check_compatible(self) -> None:
        """Raise where parameters contradict each other."""
        if self.n_candidates is None:
            return
        if self.aggregation != "rank":
            raise ValueError(
                f"n_candidates={self.n_candidates} needs aggregation='rank', but it is {self.aggregation!r}. Set "
                "n_candidates=None, or aggregation='rank'."
            )
        if not isinstance(self.contamination, str):
            raise ValueError(
                f"n_candidates={self.n_candidates} sets the offset, and so does contamination={self.contamination}. "
                "Pass one of both."
            )

    def _make_estimator(self, X: Any, seed: int) -> BaseEstimator:
        """Return what is to be fitted, of which no random numbers are left to chance."""
        if self.estimator is not None:
            estimator = clone(self.estimator)
        elif holds_text(as_column(X)):
            estimator = RNNNextTokenModel()
        else:
            estimator = RNNSequenceRegressor(loss="gaussian", early_stopping=True)
        params = estimator.get_params().items()
        open_ = [name for name, value in params if name.rpartition("__")[2] == "random_state" and value is None]
        return estimator.set_params(**dict.fromkeys(open_, seed)) if open_ else estimator

    def _split(self, indices: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the sequences that train, and those that set the offset."""
        fraction = self._validation_fraction
        if fraction is None:
            return indices, indices
        if len(indices) < 2:
            raise ValueError(
                f"X has one sequence (n_samples=1): too few to hold out validation_fraction={fraction} of them. Pass "
                "more, or validation_fraction=None."
            )
        train, held_out = hold_out_any(len(indices), fraction, seed)
        return indices[train], indices[held_out]

    def _calibrate(self, likelihoods: StepLikelihoods, sequences: Any, weights: np.ndarray) -> float:
        """Return the offset."""
        if self.n_candidates is not None:
            likelihoods.check_n_candidates(self.n_candidates)
            return -float(self.n_candidates)
        try:
            scores = _aggregate(likelihoods, sequences, self.aggregation)
        except ValueError as error:  # of a token that only these have, and that the estimator does not accept
            raise ValueError(f"Of the sequences that set the offset, {error}") from error
        return _highest_offset(scores, weights, self._contamination)

    def _take(self, estimator: Any, offset: float, shape: BaseEstimator) -> None:
        """Become fitted, in one assignment."""
        before = vars(self.__dict__.get("_shape", object.__new__(type(self))))
        kept = {name: value for name, value in vars(self).items() if name not in before}
        fitted = {"estimator_": estimator, "offset_": offset, "_aggregation": self.aggregation, "_shape": shape}
        self.__dict__ = {**kept, **fitted, **{k: v for k, v in vars(shape).items() if not k.startswith("_")}}

    def _read(self, X: Any) -> tuple[StepLikelihoods, Any]:
        """Return what scores X, and X as it is scored."""
        check_is_fitted(self)
        likelihoods = likelihoods_of(self.estimator_)
        return likelihoods, likelihoods.read(self._shape, X, reset=False)


def _subset(sequences: Any, indices: np.ndarray) -> Any:
    """Return some of the sequences of a list or table, in a container of its kind."""
    if isinstance(sequences, list):
        return [sequences[i] for i in indices]
    if hasattr(sequences, "iloc"):  # pandas
        return sequences.iloc[indices]
    return sequences.take(indices) if hasattr(sequences, "column_names") else sequences[indices]  # pyarrow


def _aggregate(likelihoods: StepLikelihoods, sequences: Any, aggregation: str) -> np.ndarray:
    """Return the scores (n,) of sequences."""
    if aggregation == "rank":
        return -np.array([rank.max() for rank in likelihoods.rank(sequences)], dtype=np.float64)
    aggregate = AGGREGATIONS[aggregation]
    return np.array([aggregate(values) for values in likelihoods.log_proba(sequences)], dtype=np.float64)


def _highest_offset(scores: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Return the highest offset below which are scores (n,) of at most `share` of the weights (n,).

    It is lower than the score there by what rounding may change, so that an equal sequence is not below it.
    """
    order = np.argsort(scores)
    cumulated = np.cumsum(weights[order])
    k = np.searchsorted(cumulated, share * cumulated[-1] * (1 + 1e-9), side="right")
    offset = float(scores[order[k]])
    return offset - ROUNDING * max(1, abs(offset))
