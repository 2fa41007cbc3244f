"""What classifier, regressor and tagger have in common: they read each sequence as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import log2
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions  # as in _base.py

from ._base import BaseRecurrent, Examples, Passed
from ._config import SequenceConfig, as_python
from ._fitted import Fitted
from ._hold_out import Validation, check_scorer_name
from ._parallel.sharding import predict_in_shards
from ._sequence_reading import S
from ._source import copy_layers, read_source
from ._streams import SequenceStream
from ._validation.values import array_of_objects
from .core.data.dataset import Dataset
from .core.data.samplers import Minibatches
from .core.data.sequences import Sequences
from .core.model.network import Network
from .core.model.pooling import POOLINGS
from .core.workspace import Workspace


def automatic_timescale(data: Dataset) -> float:
    """Return a tenth of the mean length of weighted sequences, as a power of 2, to be the same for any rounding.

    Measured by cross-validation (docs/design.md): more harms sequences of 30 steps, less those of 300.
    """
    mean_length = float(np.average(data.sequences.lengths, weights=data.weights / data.weights.max()))
    return max(1.0, 2.0 ** round(log2(mean_length / 10)))


def by_sequence(values: np.ndarray, sequences: Sequences) -> np.ndarray:
    """Cut values (N, ...) of all steps into an object array (n,) of arrays (n_steps_i, ...)."""
    ends = np.cumsum(sequences.lengths).tolist()
    return array_of_objects([values[first:last] for first, last in zip([0, *ends[:-1]], ends, strict=True)])


class BaseSequenceEstimator(BaseRecurrent[S]):
    """Base class of classifier, regressor and tagger."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseRecurrent._parameter_constraints,
        "bidirectional": ["boolean"],
        "input_type": [StrOptions({"auto", "features", "tokens"})],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
        "embedding_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "scoring": [str, callable, None],
        "initial_timescale": [Interval(Real, 1, None, closed="left"), StrOptions({"auto"}), None],
        "recompute": ["boolean", StrOptions({"auto"})],
    }

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]  # the type of the tags is not public
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def start(self, max_streams: int | None = None) -> SequenceStream:
        """Begin to read sequences that arrive step by step.

        Parameters
        ----------
        max_streams : int, default=None
            How many sequences can be open at a time; no limit by default.

        Returns
        -------
        stream : SequenceStream
            Its ``update({key: step})`` reads the next step of some sequences, and returns what is predicted then.

        Raises
        ------
        ValueError
            If the model is bidirectional, or predicts a chain of labels: both need the last step first.
        """
        fitted, name = self._check_fitted(), type(self).__name__
        if fitted.network.stack.bidirectional:
            raise ValueError(
                f"start needs a model that reads forwards, but this {name} was fitted with bidirectional=True, and "
                "also reads from the end. Fit it with bidirectional=False."
            )
        if fitted.network.loss.couples_steps:
            raise ValueError(
                f"start needs a model whose labels do not depend on later steps, but this {name} was fitted with "
                "loss='crf'. Fit it with loss='log_loss'."
            )
        return SequenceStream(self, fitted, max_streams)

    def _told_of_steps(self, fitted: Fitted[S], predicted: np.ndarray) -> np.ndarray:
        """Return what a stream tells of what the network predicts (n, K) after a step: probabilities."""
        return np.exp(predicted)

    @staticmethod
    def _passed_to_validate(config: SequenceConfig, passed: Passed) -> Passed | None:
        """Return what is passed to validate on, None for nothing; raises where a part of it is missing."""
        if (passed.X is None) != (passed.y is None):
            given, missing = ("X_val", "y_val") if passed.y is None else ("y_val", "X_val")
            raise ValueError(f"{given} is provided, but {missing} was not provided. Pass both.")
        if passed.sample_weight is not None and passed.X is None:
            raise ValueError("sample_weight_val is provided, but X_val was not provided. Pass X_val and y_val, too.")
        config.check_compatible(None if passed.X is None else "X_val and y_val are")
        return None if passed.X is None else passed

    def _with_source(self, config: Any, init_from: Any) -> Any:
        """Return the parameters of a fit that begins at another estimator; raises where it cannot."""
        if init_from is None:
            return config
        if self.__sklearn_is_fitted__() and self._fitted.resume:
            raise ValueError("init_from begins a fit, but this one continues from a checkpoint. Leave it out.")
        if self.warm_start and self.__sklearn_is_fitted__():
            raise ValueError("init_from begins a fit, but this one continues the last. Use warm_start=False.")
        return replace(config, init_from=read_source(init_from, config))

    def _make_validation(self, config: SequenceConfig, fitted: Fitted[S], held_out: Examples) -> Validation:
        """Return the score of parameters on what was held out; raises for a scorer that cannot read such a y."""
        if held_out.data.is_per_step and isinstance(config.scoring, str) and config.scoring != "loss":
            check_scorer_name(config.scoring)
            raise ValueError(
                f"scoring={config.scoring!r} needs a y of one entry for each sequence, but y has one for each step. "
                "Use 'loss', None for the default score, or a callable of the estimator, X and y."
            )
        return super()._make_validation(config, fitted, held_out)

    def _initialize(
        self, config: SequenceConfig, reading: S, network: Network, params: np.ndarray, data: Dataset
    ) -> dict[str, Any]:
        """Let what training never shows say nothing, and gates keep a state as long as the data ask for."""
        network.silence_unseen(params, data.sequences)
        timescale = config.initial_timescale
        if isinstance(timescale, str):
            timescale = None if data.is_per_step else automatic_timescale(data)
        if timescale is not None:
            network.remember(params, timescale)
        if config.init_from is not None:
            copy_layers(config.init_from, network, params)
        return {"initial_timescale_": timescale}

    def _make_sampler(self, config: SequenceConfig) -> Minibatches:
        return Minibatches()

    def _predict_network(self, fitted: Fitted[S], sequences: Sequences) -> np.ndarray:
        """Return what the network predicts: (n, K), or for steps an object array (n,) of arrays (n_steps_i, K)."""
        network, params = fitted.network, fitted.params

        def predict(part: Sequences, workspace: Workspace) -> np.ndarray:
            predicted = network.predict(params, part, workspace)
            if not network.readout.is_per_step:
                return predicted
            return by_sequence(predicted, part)

        return self._in_shards(fitted, predict, sequences)

    def _in_shards(
        self, fitted: Fitted[S], predict: Callable[[Sequences, Workspace], np.ndarray], sequences: Sequences
    ) -> np.ndarray:
        """Return what ``predict(sequences, workspace) -> (n, ...)`` gives, large predictions on threads."""
        hidden_size, n_jobs = fitted.network.stack.cell.hidden_size, as_python(self.n_jobs)
        return predict_in_shards(predict, sequences, hidden_size, fitted.params.dtype, n_jobs)


class BasePoolingEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseSequenceEstimator[S]):
    """Base class of classifier and regressor, which can pool the states of a sequence."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseSequenceEstimator._parameter_constraints,
        "pooling": [StrOptions(set(POOLINGS))],
        "bptt_steps": [Interval(Integral, 1, None, closed="left"), None],
    }

    def transform(self, X: Any) -> np.ndarray:
        """Pooled state of the top layer of each sequence, from which the head predicts: features for other estimators.

        Parameters
        ----------
        X : as in `fit`
            The sequences.

        Returns
        -------
        states : ndarray of shape (n_sequences, n_states)
            `hidden_size` numbers of each direction.

        Raises
        ------
        ValueError
            If the model was fitted on a y for each step, so that nothing is pooled.
        """
        fitted = self._check_fitted()
        if fitted.network.readout.is_per_step:
            raise ValueError(
                f"transform needs a model that pools, but this {type(self).__name__} was fitted on a y for each step. "
                "Fit it on a y for each sequence."
            )
        return self._in_shards(fitted, partial(fitted.network.pool, fitted.params), fitted.reading.to_predict(X))

    @property
    def _n_features_out(self) -> int:
        return self._check_fitted().built.head.n_inputs

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]  # the type of the tags is not public
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
