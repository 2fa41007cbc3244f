"""Decisions before a sequence has ended: as soon as the probability of a class is high enough."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval  # as in _base.py
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from ._callbacks import CallbackSupportMixin, fitting_part, with_callbacks
from ._documentation import DocLinkMixin
from ._step_probabilities import predict_proba_steps, split_classifier
from ._validation.indicators import read_indicators
from ._validation.values import shown
from ._validation.weights import check_sample_weight
from ._wrapped import unwrap


class Decisions(NamedTuple):
    """What was decided of n sequences."""

    proba: np.ndarray
    """Of each class, (n, n_classes), at the step of the decision."""
    steps: np.ndarray
    """How many steps were read until then, (n,)."""
    lengths: np.ndarray
    """How many there are, (n,)."""


class EarlyClassifier(DocLinkMixin, CallbackSupportMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Classifier that decides as soon as it is sure, and does not read the rest of a sequence.

    It decides at the first step at which the probability of one class, given the steps so far, has reached
    `probability_threshold`, at this and at the steps before it, `consecutive_predictions` in all. Where that never
    happens the whole sequence is read.

    Parameters
    ----------
    estimator : classifier
        With `predict_proba_steps`, such as :class:`RNNSequenceClassifier` that is not bidirectional; or a pipeline that
        ends with one, a fitted search for one, or a :class:`~sklearn.frozen.FrozenEstimator` of it. `fit` fits a clone.
        If it is fitted already, predictions need no `fit`.
    probability_threshold : float in [0, 1], default=0.85
        How high the probability of a class has to be.
    consecutive_predictions : int, default=1
        At how many steps in a row, for the same class.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        As of the fitted classifier.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        As of the fitted classifier, if it has any.

    See Also
    --------
    RNNSequenceClassifier.predict_proba_steps : The probabilities after every step.
    sklearn.model_selection.FixedThresholdClassifier : A threshold for two classes, of what is seen as a whole.

    Notes
    -----
    The transformers of a pipeline have to make a step of every step, and of those up to it, as
    :class:`~skrnn.preprocessing.SequenceScaler` does: one that uses a sequence as a whole would let decisions depend on
    steps that have not been read. Predictions raise a ValueError where arrays of numbers show that one does.

    The rule, and the names of its parameters, are those of aeon's ``ProbabilityThresholdEarlyClassifier``.

    References
    ----------
    Schäfer and Leser, *TEASER: early and accurate time series classification*, Data Mining and Knowledge Discovery 34
    (2020): earliness, and the harmonic mean by which early classifiers are compared.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import EarlyClassifier, RNNSequenceClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(2, size=200)
    >>> X = rng.normal(y[:, None], 1, size=(200, 20))
    >>> network = RNNSequenceClassifier(hidden_size=8, pooling="mean", learning_rate="cosine", random_state=0)
    >>> model = EarlyClassifier(network, probability_threshold=0.9).fit(X[:100], y[:100])
    >>> steps = model.decision_steps(X[100:])
    >>> bool(steps.mean() < 15), bool(model.score(X[100:], y[100:]) > 0.8)
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "probability_threshold": [Interval(Real, 0, 1, closed="both")],
        "consecutive_predictions": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, estimator: Any, *, probability_threshold: float = 0.85, consecutive_predictions: int = 1
    ) -> None:
        self.estimator = estimator
        self.probability_threshold = probability_threshold
        self.consecutive_predictions = consecutive_predictions

    @with_callbacks
    def fit(self, X: Any, y: Any, **fit_params: Any) -> EarlyClassifier:
        """Fit a clone of the estimator.

        Parameters
        ----------
        X : list of array-like of shape (n_steps_i, n_features), or what else the estimator takes
            The sequences.
        y : array-like of shape (n_sequences,)
            Their labels.
        **fit_params : dict
            Passed to the estimator's `fit`; with metadata routing, what it requests.

        Returns
        -------
        self : EarlyClassifier
            Fitted.

        Raises
        ------
        TypeError
            If the estimator has no `predict_proba_steps`.
        ValueError
            If y is an indicator matrix: a sequence may have one label only. Whatever else the estimator raises.
        """
        self._validate_params()
        if not isinstance(unwrap(self.estimator)[1], MetaEstimatorMixin):  # of a search, what it finds will be seen
            split_classifier(self.estimator)
        if read_indicators(y, "y") is not None:
            raise ValueError("y is an indicator matrix, but a decision is one label. Pass one label for each sequence.")
        if get_config()["enable_metadata_routing"]:
            fit_params = process_routing(self, "fit", **fit_params).estimator.fit
        task = self._init_callback_context(max_subtasks=1).call_on_fit_task_begin(estimator=self, X=X, y=y)
        estimator = clone(self.estimator)
        with fitting_part(task, self, estimator, X):
            estimator.fit(X, y, **fit_params)
        split_classifier(estimator)
        task.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes={"estimator_": estimator})
        self.estimator_ = estimator
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the class of each sequence from the steps up to its decision.

        Parameters
        ----------
        X : as in `fit`
            The sequences.

        Returns
        -------
        y : ndarray of shape (n_sequences,)
            Labels.
        """
        return self._labels(self._decide(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of each class from the steps up to the decision.

        Parameters
        ----------
        X : as in `fit`
            The sequences.

        Returns
        -------
        proba : ndarray of shape (n_sequences, n_classes)
            In the order of ``classes_``.
        """
        return self._decide(X).proba

    def decision_steps(self, X: Any) -> np.ndarray:
        """Return how many steps of each sequence are read.

        Parameters
        ----------
        X : as in `fit`
            The sequences.

        Returns
        -------
        steps : ndarray of shape (n_sequences,), dtype intp
            From 1 to the length of the sequence, which may also mean that it never came to a decision.
        """
        return self._decide(X).steps

    def early_score(self, X: Any, y: Any, sample_weight: Any = None, *, earliness_weight: float = 0.5) -> float:
        r"""Return the harmonic mean of accuracy and earliness.

        .. math:: \left(\frac{1 - w}{\text{accuracy}} + \frac{w}{1 - \text{earliness}}\right)^{-1}

        Earliness is the mean share of the steps that were read, from above 0 to 1. The method is also a scorer:
        ``GridSearchCV(model, grid, scoring=EarlyClassifier.early_score)``.

        Parameters
        ----------
        X : as in `fit`
            The sequences.
        y : array-like of shape (n_sequences,)
            Their labels.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence; 1 by default.
        earliness_weight : float in [0, 1], default=0.5
            The w of the formula: 0 is the accuracy, 1 the share of steps that were not read, 0.5 what the field uses.

        Returns
        -------
        score : float
            From 0 to 1, higher is better; 0 where all sequences are read as a whole, unless w is 0.

        Raises
        ------
        ValueError
            If `earliness_weight` is no number from 0 to 1, or a sample weight is negative, or all are zero.
        """
        w: Any = earliness_weight
        if not (isinstance(w, Real) and 0 <= float(w) <= 1):
            raise ValueError(f"earliness_weight is {shown(w)}, but it must be a number from 0 to 1.")
        decisions = self._decide(X)
        weights = check_sample_weight(sample_weight, len(decisions.steps))
        accuracy = accuracy_score(y, self._labels(decisions), sample_weight=weights)
        saved = 1 - np.average(decisions.steps / decisions.lengths, weights=weights)
        means = [(share, weight) for share, weight in ((accuracy, 1 - w), (saved, w)) if weight]
        if any(share <= 0 for share, _ in means):
            return 0.0
        return float(1 / sum(weight / share for share, weight in means))

    @property
    def classes_(self) -> np.ndarray:
        """The labels, sorted."""
        return self._fitted_estimator().classes_

    @property
    def n_features_in_(self) -> int:
        """As of the fitted classifier."""
        return self._fitted_estimator().n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """As of the fitted classifier; it may have none."""
        return self._fitted_estimator().feature_names_in_

    def __sklearn_is_fitted__(self) -> bool:
        try:
            self._fitted_estimator()
        except NotFittedError:
            return False
        return True

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]  # the type of the tags is not public
        tags, of_estimator = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags, tags.non_deterministic = of_estimator.input_tags, of_estimator.non_deterministic
        tags.input_tags.three_d_array = True  # which a pipeline does not say of its steps
        tags.classifier_tags.poor_score = True  # on tables of two columns, if the first is enough to be sure
        return tags

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata the estimator's `fit` gets.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's guide on metadata routing.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add_self_request(self).add(estimator=self.estimator, method_mapping=mapping)

    def _fitted_estimator(self) -> Any:
        """Return the clone that was fitted, or an estimator that was fitted before; raises NotFittedError."""
        if "estimator_" in vars(self):
            return self.estimator_
        try:
            check_is_fitted(self.estimator)
        except NotFittedError:
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments, or "
                "pass an estimator that is fitted."
            ) from None
        return self.estimator

    def _labels(self, decisions: Decisions) -> np.ndarray:
        return self.classes_[decisions.proba.argmax(axis=1)]

    def _decide(self, X: Any) -> Decisions:
        """Read each sequence up to its decision."""
        estimator = self._fitted_estimator()
        self._validate_params()
        proba_of_sequences = predict_proba_steps(estimator, X)
        lengths = np.fromiter(map(len, proba_of_sequences), np.intp)
        proba = np.concatenate(proba_of_sequences)  # (N, n_classes), sequence after sequence
        if not np.allclose(proba.sum(axis=1), 1, atol=1e-3):
            raise ValueError(
                f"The {type(estimator).__name__} gives a sequence several labels, but a decision is one label. Fit it "
                "on one label for each sequence."
            )
        first = np.cumsum(lengths) - lengths
        last = first + _first_sure(proba, first, self.probability_threshold, self.consecutive_predictions, lengths)
        return Decisions(proba[last], last - first + 1, lengths)


def _first_sure(
    proba: np.ndarray, first: np.ndarray, threshold: float, n_in_a_row: int, lengths: np.ndarray
) -> np.ndarray:
    """Return the step (n,) at which each sequence is decided, its last one by default.

    `proba` (N, n_classes) is of all steps, and `first` (n,) is where those of each sequence begin.
    """
    likeliest = proba.argmax(axis=1)
    is_high = proba.max(axis=1) >= threshold
    breaks = ~is_high
    breaks[1:] |= ~is_high[:-1] | (likeliest[1:] != likeliest[:-1])
    breaks[first] = True
    place = np.arange(len(proba))
    n_so_far = place - np.maximum.accumulate(np.where(breaks, place, 0)) + 1  # steps in a row that agree
    step = place - np.repeat(first, lengths)
    is_sure = is_high & (n_so_far >= n_in_a_row)
    return np.minimum.reduceat(np.where(is_sure, step, np.repeat(lengths - 1, lengths)), first)
