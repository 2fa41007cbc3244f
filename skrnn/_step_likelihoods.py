"""How likely the steps of sequences are: by a model of the next token, or by a forecast of the next step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import log, pi
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, is_regressor

from ._floating_point import without_warnings
from ._next_token import RNNNextTokenModel
from ._validation.features import validate_sequences
from ._validation.tokens import is_table, read_sequences
from ._validation.values import as_list
from ._vocabulary import END
from ._wrapped import check_reads_forwards, transform_by, unwrap
from .sequences import to_forecasting


class SurprisingToken(NamedTuple):
    """The most surprising token of a sequence, and what was expected in its place.

    Attributes
    ----------
    position : int
        Its place in the sequence, counted from 0; the number of tokens if it is the end.
    observed : str, int, float, bool or END
        What came.
    expected : str, int, float, bool or END
        The likeliest token there.
    log_proba : float
        Log-probability of what came, nats.
    rank : int
        Its rank among the candidates: 1 is the likeliest, what was expected.
    """

    position: int
    observed: Any
    expected: Any
    log_proba: float
    rank: int


class SurprisingStep(NamedTuple):
    """The most surprising step of a sequence of numbers, and what was expected in its place.

    Attributes
    ----------
    position : int
        Its place in the sequence, counted from 0; never 0, since the first step has no forecast.
    observed : ndarray of shape (n_features,)
        What came.
    expected : ndarray of shape (n_features,)
        Mean of the forecast.
    std : ndarray of shape (n_features,)
        Its standard deviation.
    log_proba : float
        Logarithm of the probability density of what came, nats, summed over the features.
    """

    position: int
    observed: np.ndarray
    expected: np.ndarray
    std: np.ndarray
    log_proba: float


@dataclass(frozen=True)
class StepLikelihoods(ABC):
    """Contract of what tells how likely the steps of sequences are; `shape` is as in `Reading`."""

    estimator: Any

    @abstractmethod
    def read(self, shape: BaseEstimator, X: Any, *, reset: bool) -> Any:
        """Return sequences for the methods below, a list or a table, held against the first ones or, `reset`, these."""

    @abstractmethod
    def fit(self, sequences: Any, **fit_params: Any) -> None:
        """Train the estimator."""

    @abstractmethod
    def log_proba(self, sequences: Any) -> list[np.ndarray]:
        """Return the log-probabilities (n_scored_steps_i,), at least one, of each sequence."""

    @abstractmethod
    def check_has_ranks(self) -> None:
        """Raise unless what comes is one of some candidates, among which it has a rank."""

    @abstractmethod
    def check_n_candidates(self, n_candidates: int) -> None:
        """Raise if no step can ever have a worse rank."""

    @abstractmethod
    def rank(self, sequences: Any) -> list[np.ndarray]:
        """Return the ranks (n_scored_steps_i,) of what came among all candidates."""

    @abstractmethod
    def describe(self, sequences: Any, steps: list[int], log_proba: list[np.ndarray]) -> list[Any]:
        """Return what came at one of the scored steps of each sequence, and what was expected there."""


@dataclass(frozen=True)
class TokenLikelihoods(StepLikelihoods):
    """Every token is scored, and the end where it is modelled."""

    estimator: RNNNextTokenModel

    def read(self, shape: BaseEstimator, X: Any, *, reset: bool) -> Any:
        sequences = read_sequences(shape, X, reset=reset)
        if reset:
            for _ in sequences:  # so that an error about what is no token names its place in X, not in a part of X
                pass
        if not is_table(X):
            return sequences.items
        return X if hasattr(type(X), "columns") else np.asarray(X)

    def fit(self, sequences: Any, **fit_params: Any) -> None:
        self.estimator.fit(sequences, y=None, **fit_params)

    def log_proba(self, sequences: Any) -> list[np.ndarray]:
        return [values.astype(np.float64) for values in _not_empty(self.estimator.token_log_proba(sequences))]

    def check_has_ranks(self) -> None:
        pass

    def check_n_candidates(self, n_candidates: int) -> None:
        n = self.estimator._check_fitted().reading.vocabulary.unknown
        if n_candidates > n:
            raise ValueError(
                f"n_candidates={n_candidates}, but there are {n} candidates, so that no known token could be abnormal. "
                f"Pass at most {n}."
            )

    def rank(self, sequences: Any) -> list[np.ndarray]:
        """UNKNOWN is a candidate only where it was learned; else it comes after all of them."""
        ranks, fitted = _not_empty(self.estimator.token_rank(sequences)), self.estimator._check_fitted()
        vocabulary, of_unknown = fitted.reading.vocabulary, fitted.reading.scores(fitted.network).unknown_probability
        if of_unknown is None:
            return ranks
        steps = fitted.reading.to_score(sequences, "use_unknown")
        are_unknown = steps.views(steps.next_ids == vocabulary.unknown)
        return [
            np.where(is_unknown, vocabulary.unknown + 1, r - (log_proba < log(of_unknown)))
            for is_unknown, r, log_proba in zip(are_unknown, ranks, self.log_proba(sequences), strict=True)
        ]

    def describe(self, sequences: Any, steps: list[int], log_proba: list[np.ndarray]) -> list[Any]:
        shape = self.estimator._check_fitted().reading.shape
        items = read_sequences(shape, sequences, reset=False).items
        prefixes = [item[:t] for item, t in zip(items, steps, strict=True)]
        expected = self.estimator.predict_top_k(prefixes, 1)[:, 0].tolist()
        ranks = self.rank(sequences)
        observed = [as_list(item[t : t + 1])[0] if t < len(item) else END for item, t in zip(items, steps, strict=True)]
        return [
            SurprisingToken(t, came, wanted, float(values[t]), int(r[t]))
            for t, came, wanted, values, r in zip(steps, observed, expected, log_proba, ranks, strict=True)
        ]


def _not_empty(scored: list[np.ndarray]) -> list[np.ndarray]:
    """Return what the tokens of each sequence have; raises where there is none."""
    empty = next((i for i, values in enumerate(scored) if not len(values)), None)
    if empty is not None:
        raise ValueError(
            f"X[{empty}] is empty and its end is not modelled, so nothing of it has a probability. Leave it out, or "
            "use a token model with add_end_token=True."
        )
    return scored


@dataclass(frozen=True)
class ForecastLikelihoods(StepLikelihoods):
    """Every step but the first is scored, by a normal distribution that was predicted from the steps before it."""

    def read(self, shape: BaseEstimator, X: Any, *, reset: bool) -> list[np.ndarray]:
        sequences = validate_sequences(shape, X, reset=reset)
        short = int(sequences.lengths.argmin())
        if sequences.lengths[short] < 2:
            found = f"n_features=1 (shape {np.shape(X)})" if is_table(X) else f"one step in X[{short}]"
            raise ValueError(
                f"Found {found}, but a sequence of numbers needs two steps or more to be scored: the first one has no "
                "forecast. Leave shorter ones out."
            )
        return sequences.arrays()

    def fit(self, sequences: list[np.ndarray], **fit_params: Any) -> None:
        self.estimator.fit(*to_forecasting(sequences), **fit_params)
        _check_forecasts(self.estimator)  # what a search found

    def log_proba(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        return list(map(_log_density, *self._forecast(sequences)))

    def check_has_ranks(self) -> None:
        raise ValueError(
            "aggregation='rank' needs tokens: numbers have no candidates among which one has a rank. Use 'max', or "
            "pass estimator=RNNNextTokenModel() if the numbers name something."
        )

    def check_n_candidates(self, n_candidates: int) -> None:
        self.check_has_ranks()

    def rank(self, sequences: Any) -> list[np.ndarray]:
        self.check_has_ranks()
        return []

    def describe(self, sequences: list[np.ndarray], steps: list[int], log_proba: list[np.ndarray]) -> list[Any]:
        return [
            SurprisingStep(t + 1, came[t], mean[t], std[t], float(values[t]))
            for t, came, mean, std, values in zip(steps, *self._forecast(sequences), log_proba, strict=True)
        ]

    def _forecast(self, sequences: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        """Return the next steps, their means and standard deviations, lists of arrays (n_steps_i - 1, n_features)."""
        before, after = to_forecasting(sequences)
        transformers, regressor = unwrap(self.estimator)
        mean, std = regressor.predict(transform_by(transformers, before), return_std=True)
        check_reads_forwards(transformers, before)
        is_per_step = mean.dtype == object
        if not is_per_step or mean[0].size != after[0].size:
            n = f"{mean[0].size // len(after[0])} numbers for each step" if is_per_step else "no numbers for each step"
            raise ValueError(
                f"estimator predicts {n}, but a step of X has {after[0].shape[1]}. Pass a regressor that was fitted on "
                "skrnn.sequences.to_forecasting(X)."
            )
        in_shape = [[y.reshape(x.shape) for y, x in zip(values, after, strict=True)] for values in (mean, std)]
        return after, in_shape[0], in_shape[1]


@without_warnings
def _log_density(x: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return the log-densities (T,), float64, of steps x (T, F) that are distributed normally."""
    std = std.astype(np.float64)
    squared = np.square((x.astype(np.float64) - mean) / std)
    return -0.5 * (squared + 2 * np.log(std) + log(2 * pi)).sum(axis=1)


def likelihoods_of(estimator: Any) -> StepLikelihoods:
    """Return what makes log-probabilities of steps with the estimator; raises where it has none to give."""
    if hasattr(estimator, "token_log_proba"):
        return TokenLikelihoods(estimator)
    if not is_regressor(estimator):
        raise ValueError(
            f"estimator is of type {type(estimator).__name__}, which gives steps no probability. Pass an "
            "RNNNextTokenModel, or an RNNSequenceRegressor with loss='gaussian'."
        )
    _check_forecasts(estimator)
    return ForecastLikelihoods(estimator)


def _check_forecasts(estimator: Any) -> None:
    """Raise unless it predicts a standard deviation, from steps that came before."""
    _, regressor = unwrap(estimator)
    values = {name.rpartition("__")[2]: value for name, value in regressor.get_params().items()}
    if values.get("loss", "gaussian") != "gaussian":
        raise ValueError(
            f"estimator has loss={values['loss']!r}, which predicts no standard deviation. Set loss='gaussian'."
        )
    if values.get("bidirectional"):
        raise ValueError(
            "estimator has bidirectional=True, and so would read the steps that it is to forecast. Set "
            "bidirectional=False."
        )
