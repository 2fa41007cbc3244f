"""What classifier, regressor and tagger have in common: they read each sequence as a whole."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions  # as in _base.py

from ._base import BaseRecurrent, Examples, Passed
from ._config import SequenceConfig, as_python
from ._fitted import Fitted, R
from ._hold_out import Validation, check_scorer_name
from ._parallel.sharding import predict_in_shards
from ._validation.values import array_of_objects
from .core.data.dataset import Dataset
from .core.data.samplers import Minibatches
from .core.data.sequences import Sequences
from .core.model.network import Network
from .core.model.pooling import POOLINGS
from .core.workspace import Workspace


class BaseSequenceEstimator(BaseRecurrent[R]):
    """Base class of classifier, regressor and tagger."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseRecurrent._parameter_constraints,
        "bidirectional": ["boolean"],
        "input_type": [StrOptions({"auto", "features", "tokens"})],
        "embedding_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "pooling": [StrOptions(set(POOLINGS))],
        "scoring": [str, callable, None],
        "recompute": ["boolean", StrOptions({"auto"})],
        "bptt_steps": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]  # the type of the tags is not public
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

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

    def _make_validation(self, config: SequenceConfig, fitted: Fitted[R], held_out: Examples) -> Validation:
        """Return the score of parameters on what was held out; raises for a scorer that cannot read such a y."""
        if held_out.data.is_per_step and isinstance(config.scoring, str) and config.scoring != "loss":
            check_scorer_name(config.scoring)
            raise ValueError(
                f"scoring={config.scoring!r} needs a y of one entry for each sequence, but y has one for each step. "
                "Use 'loss', None for the default score, or a callable of the estimator, X and y."
            )
        return super()._make_validation(config, fitted, held_out)

    def _initialize(self, reading: R, network: Network, params: np.ndarray, data: Dataset) -> None:
        """Let what training never shows say nothing."""
        network.silence_unseen(params, data.sequences)

    def _make_sampler(self, config: SequenceConfig) -> Minibatches:
        return Minibatches()

    def _predict_raw(self, fitted: Fitted[R], sequences: Sequences) -> np.ndarray:
        """Return what the network predicts: (n, K), or for steps an object array (n,) of arrays (n_steps_i, K)."""
        network, params = fitted.network, fitted.params

        def predict(part: Sequences, workspace: Workspace) -> np.ndarray:
            predicted = network.predict(params, part, workspace)
            if not network.readout.is_per_step:
                return predicted
            return array_of_objects(np.split(predicted, np.cumsum(part.lengths)[:-1]))

        n_jobs = as_python(self.n_jobs)
        return predict_in_shards(predict, sequences, network.stack.cell.hidden_size, params.dtype, n_jobs)
