"""Statistics of each sequence, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._callbacks import CallbackSupportMixin, as_one_task
from .._documentation import DocLinkMixin
from .._floating_point import without_warnings
from .._validation.features import validate_sequences
from .._validation.sequence_column import is_fitted_on_column
from .._validation.values import is_unordered, shown
from ..core.data.sequences import FeatureSequences
from ._moments import means_and_deviations
from ._table_output import adopt

STATISTICS = ("mean", "std", "min", "max", "first", "last", "length")


class SequenceSummarizer(DocLinkMixin, CallbackSupportMixin, TransformerMixin, BaseEstimator):
    """Describe each sequence by statistics of its features: a table, for any estimator of scikit-learn.

    They tell next to nothing of the order of the steps. A linear model on them is the baseline that a recurrent network
    has to beat.

    Parameters
    ----------
    statistics : sequence of str, default=("mean", "std", "min", "max", "first", "last", "length")
        Some of these, in the order of the output. "std" divides by the number of steps; "first" and "last" are the
        features of these steps; "length" is the number of steps, and one column.

    Attributes
    ----------
    n_inputs_ : int
        Number of features per step; 1 for a 2-D input.
    n_features_in_ : int
        Number of columns of a 2-D input, 1 for a column of sequences, otherwise `n_inputs_`.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the columns, if X was a DataFrame or a list of DataFrames with only str as names; absent otherwise.

    See Also
    --------
    SequenceScaler : Standardise each feature over all steps.
    StepTransformer : Encode categories first.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrnn.preprocessing import SequenceSummarizer
    >>> X = [np.array([[1.0], [3.0]]), np.array([[5.0], [4.0], [0.0]])]
    >>> summarizer = SequenceSummarizer(["mean", "last", "length"])
    >>> summarizer.fit_transform(X)
    array([[2., 3., 2.],
           [3., 0., 3.]])
    >>> summarizer.get_feature_names_out().tolist()
    ['x0_mean', 'x0_last', 'length']
    >>> make_pipeline(SequenceSummarizer(), LogisticRegression()).fit(X, ["up", "down"]).predict(X).tolist()
    ['up', 'down']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"statistics": [tuple, "array-like"]}

    n_inputs_: int
    _fitted_on_2d: bool

    def __init__(self, statistics: Sequence[str] = STATISTICS) -> None:
        self.statistics = statistics

    @as_one_task
    def fit(self, X: Any, y: Any = None) -> SequenceSummarizer:
        """Learn the number of features and their names.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_steps), (n_sequences, n_steps, n_features) or list of sequences
            The sequences; a list holds arrays of shape (n_steps_i,) or (n_steps_i, n_features), or DataFrames.
        y : None
            Ignored.

        Returns
        -------
        self : SequenceSummarizer
            Fitted.

        Raises
        ------
        TypeError
            If X or an item of X cannot be a sequence.
        ValueError
            If X or an item of X is empty, not finite, holds no numbers, or has another number of features than the
            first; or if `statistics` is empty, or names one twice or one that is unknown.
        """
        self._validate_params()
        self._names()
        fitted = clone(self)
        validate_sequences(fitted, X, reset=True)
        adopt(self, fitted)
        return self

    @without_warnings
    def transform(self, X: Any) -> np.ndarray:
        """Return the statistics of each sequence.

        Parameters
        ----------
        X : as for `fit`
            The sequences.

        Returns
        -------
        X_summary : ndarray of shape (n_sequences, n_outputs)
            All features of the first statistic, then those of the second, and so on. float32 if all of X is float32,
            else float64; a DataFrame where `set_output` asks for one.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        TypeError, ValueError
            As `fit` does; ValueError also if X has other features than in `fit`.
        """
        check_is_fitted(self)
        sequences = validate_sequences(self, X, reset=False)
        names = self._names()
        needs_moments = {"mean", "std"} & set(names)
        moments = means_and_deviations(sequences.steps[:, :-1], sequences.lengths) if needs_moments else (None, None)
        columns = [_statistic(name, sequences, moments) for name in names]
        return np.concatenate(columns, axis=1, dtype=sequences.steps.dtype)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the features of X; by default `feature_names_in_`, or x0, x1, ...

        Returns
        -------
        names : ndarray of str objects
            Of the feature and the statistic, as in "x0_mean"; for a 2-D X, and for "length", of the statistic alone.
        """
        check_is_fitted(self)
        features = _check_feature_names_in(self, input_features)
        if is_fitted_on_column(self):  # whose name is none of features
            features = [f"x{k}" for k in range(self.n_inputs_)]
        prefixes = [""] if self._fitted_on_2d else [f"{feature}_" for feature in features]
        return np.array(
            [prefix + name for name in self._names() for prefix in ([""] if name == "length" else prefixes)],
            dtype=object,
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _names(self) -> list[str]:
        """The statistics, each once."""
        if isinstance(self.statistics, str) or is_unordered(self.statistics):
            raise ValueError(f"statistics is {shown(self.statistics)}. Pass a list of some of {', '.join(STATISTICS)}.")
        names = list(self.statistics)
        unknown = [name for name in names if name not in STATISTICS]
        if unknown or not names:
            found = f"holds {shown(unknown[0])}" if unknown else "is empty"
            raise ValueError(f"statistics {found}. Pass some of {', '.join(STATISTICS)}.")
        twice = [name for i, name in enumerate(names) if name in names[:i]]
        if twice:
            raise ValueError(f"statistics holds {twice[0]!r} twice. Name each once.")
        return names


def _statistic(name: str, sequences: FeatureSequences, moments: tuple[Any, Any]) -> np.ndarray:
    """One statistic of all sequences, (n_sequences, n_features) or, of the length, (n_sequences, 1)."""
    features, begin = sequences.steps[:, :-1], sequences.offsets
    match name:
        case "mean":
            return moments[0]
        case "std":
            return moments[1]
        case "min":
            return np.minimum.reduceat(features, begin)
        case "max":
            return np.maximum.reduceat(features, begin)
        case "first":
            return features[begin]
        case "last":
            return features[begin + sequences.lengths - 1]
    return sequences.lengths[:, np.newaxis]
