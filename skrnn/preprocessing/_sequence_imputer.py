"""The imputer: what is missing is what was observed last."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions  # as in _base.py
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._callbacks import CallbackSupportMixin, as_one_task
from .._floating_point import without_warnings
from .._validation.features import validate_sequences
from .._validation.sequence_column import is_fitted_on_column, names_of_features
from .._validation.values import is_integer, shown, shown_all
from ..core.data.sequences import FeatureSequences
from ._containers import restore
from ._moments import moments_of
from ._table_output import TableOutputMixin, adopt


class SequenceImputer(
    CallbackSupportMixin,
    TableOutputMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    r"""Fill missing values with the last value that was observed before in the same sequence.

    No later step is looked at, so a beginning of a sequence is filled in the same way as the whole. Before its first
    observation a feature has a value that was learned from the training sequences. What was filled, and how long ago
    each feature was observed, can be added as further features, as in [1]_.

    Parameters
    ----------
    missing_values : float, default=np.nan
        What marks a missing value. None and pandas' NA are read as NaN.
    initial_strategy : {"mean", "median", "constant"}, default="mean"
        Value before the first observation: mean or median of the observed values of the feature in all training
        steps, or `fill_value`.
    fill_value : float, default=0.0
        The value for "constant".
    time_feature : int or str, default=None
        Feature that holds the time of each step, by position, or by name in DataFrames: numbers that do not decrease
        within a sequence. It stays a feature, without indicators. By default steps are one unit apart.
    add_indicator : bool, default=False
        Whether to add a feature for each one that is kept: 1 where it was missing, else 0. In [1]_ the mask is 1 minus
        this.
    add_time_since : bool, default=False
        Whether to add a feature for each one that is kept: the time since it was last observed before this step, or
        since the first step if it never was.
    keep_empty_features : bool, default=False
        Whether a feature without any observation in the training sequences is kept, filled with 0, or `fill_value`,
        until it is observed; otherwise it is dropped.

    Attributes
    ----------
    statistics_ : ndarray of shape (n_inputs,), dtype float64
        Value of each feature before its first observation; NaN for the dropped ones and `time_feature`.
    n_inputs_ : int
        Number of features per step; 1 for a 2-D input.
    n_features_in_ : int
        Number of columns of a 2-D input, 1 for a column of sequences, otherwise `n_inputs_`.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the columns, if X was a DataFrame or a list of DataFrames with only str as names; absent otherwise.

    See Also
    --------
    sklearn.impute.SimpleImputer : The same for tables; within a :class:`StepTransformer`, for steps one by one.

    Notes
    -----
    With :math:`s_t` the time of step t, and :math:`m_t^d` 1 where feature d is observed, else 0, the time since is [1]_

    .. math:: \delta_t^d = \begin{cases} s_t - s_{t-1} + \delta_{t-1}^d & t > 1, m_{t-1}^d = 0 \\
              s_t - s_{t-1} & t > 1, m_{t-1}^d = 1 \\ 0 & t = 1 \end{cases}

    The features of a step are those that are kept, then the indicators, then the times. All kept features have an
    indicator, also where the training sequences have no gaps, unlike in :class:`~sklearn.impute.SimpleImputer`. A 2-D
    X with added features becomes an array (n_sequences, n_steps, n_outputs).

    References
    ----------
    .. [1] Z. Che, S. Purushotham, K. Cho, D. Sontag and Y. Liu, "Recurrent Neural Networks for Multivariate Time Series
       with Missing Values", Scientific Reports 8, 6085, 2018, section "Notations".

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import SequenceImputer
    >>> X = [np.array([[0.0, np.nan], [2.0, 7.0], [5.0, np.nan], [6.0, np.nan]])]
    >>> imputer = SequenceImputer(time_feature=0, add_indicator=True, add_time_since=True)
    >>> imputer.fit_transform(X)
    [array([[0., 7., 1., 0.],
           [2., 7., 0., 2.],
           [5., 7., 1., 3.],
           [6., 7., 1., 4.]])]
    >>> imputer.get_feature_names_out().tolist()
    ['x0', 'x1', 'missingindicator_x1', 'timesince_x1']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "missing_values": [Real],
        "initial_strategy": [StrOptions({"mean", "median", "constant"})],
        "fill_value": [Real],
        "time_feature": [None, str, Integral],
        "add_indicator": ["boolean"],
        "add_time_since": ["boolean"],
        "keep_empty_features": ["boolean"],
    }

    statistics_: np.ndarray
    n_inputs_: int
    _fitted_on_2d: bool
    _time: int | None
    _kept: np.ndarray

    def __init__(
        self,
        *,
        missing_values: float = np.nan,
        initial_strategy: str = "mean",
        fill_value: float = 0.0,
        time_feature: int | str | None = None,
        add_indicator: bool = False,
        add_time_since: bool = False,
        keep_empty_features: bool = False,
    ) -> None:
        self.missing_values = missing_values
        self.initial_strategy = initial_strategy
        self.fill_value = fill_value
        self.time_feature = time_feature
        self.add_indicator = add_indicator
        self.add_time_since = add_time_since
        self.keep_empty_features = keep_empty_features

    @as_one_task
    @without_warnings
    def fit(self, X: Any, y: Any = None) -> SequenceImputer:
        """Learn the value of each feature before its first observation.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_steps), (n_sequences, n_steps, n_features) or list of sequences
            The sequences; a list holds arrays of shape (n_steps_i,) or (n_steps_i, n_features), or DataFrames.
        y : None
            Ignored.

        Returns
        -------
        self : SequenceImputer
            Fitted.

        Raises
        ------
        TypeError
            If X or an item of X cannot be a sequence.
        ValueError
            If X or an item of X is empty, holds infinity or no numbers, has NaN that does not mark missing values, or
            has another number of features than the first; if no feature has an observation and none is kept; if
            `time_feature` is no feature, or the only one, is missing in a step, or decreases; or if a parameter is out
            of range.
        """
        self._validate_params()
        if not np.isfinite(self.fill_value):
            raise ValueError(f"fill_value is {self.fill_value}, but it must be a finite number.")
        fitted = clone(self)
        sequences = fitted._read(X, reset=True)
        fitted._time = fitted._place_of_time(X)
        missing = fitted._missing(sequences)
        fitted._check_times(sequences, missing)
        features = sequences.steps[:, :-1]
        values = [self._initial(column[~gaps]) for column, gaps in zip(features.T, missing.T, strict=True)]
        fitted.statistics_ = np.array(values)
        if fitted._time is not None:
            fitted.statistics_[fitted._time] = np.nan
        is_kept = np.isfinite(fitted.statistics_)
        if not is_kept.any():
            raise ValueError(
                "No value of X was observed, so nothing is left to fill the gaps with. Pass sequences with "
                "observations, or use keep_empty_features=True."
            )
        fitted._kept = np.flatnonzero(is_kept)
        adopt(self, fitted)
        return self

    @without_warnings
    def transform(self, X: Any) -> Any:
        """Fill the missing values, and add what was asked for.

        Parameters
        ----------
        X : as for `fit`
            The sequences. Not modified.

        Returns
        -------
        X_filled : of the same type as X
            float32 if all of X is float32, else float64. DataFrames, also as items, keep their type and index.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        TypeError, ValueError
            As `fit` does; ValueError also if X has other features than in `fit`.
        """
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        missing = self._missing(sequences)
        self._check_times(sequences, missing)
        begin = np.repeat(sequences.offsets, sequences.lengths)[:, np.newaxis]  # of the sequence of each row
        row = np.arange(sequences.n_rows)[:, np.newaxis]
        kept, dtype = self._kept, sequences.steps.dtype
        missing = missing[:, kept]
        last_observed = np.maximum.accumulate(
            np.where(missing, -1, row), axis=0
        )  # row; before `begin` if there is none
        filled = sequences.steps[last_observed.clip(0), kept]
        np.copyto(filled, self.statistics_[kept].astype(dtype), where=last_observed < begin)
        parts = [self._with_time(filled, sequences)]
        if self.add_indicator:
            parts.append(missing.astype(dtype))
        if self.add_time_since:
            before = np.maximum(np.concatenate([begin[:1].repeat(len(kept), axis=1), last_observed[:-1]]), begin)
            time = row[:, 0].astype(np.float64) if self._time is None else sequences.steps[:, self._time].astype(float)
            parts.append((time[:, np.newaxis] - time[before]).astype(dtype))
        output = np.concatenate(parts, axis=1)
        output = restore(output, sequences.lengths, X, self._names)
        return self._as_configured(output, X)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features of each step.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the features of X; by default `feature_names_in_`, or x0, x1, ...

        Returns
        -------
        names : ndarray of str objects
            Those of the kept features, then with ``missingindicator_`` and ``timesince_`` in front. For a 2-D X without
            added features, those of its columns.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        if is_fitted_on_column(self):
            return names
        if self._fitted_on_2d:
            if not (self.add_indicator or self.add_time_since):
                return names
            names = ["x0"]
        return np.array(self._names(list(names)), dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._reads_nan()
        return tags

    def _read(self, X: Any, *, reset: bool) -> FeatureSequences:
        """A copy of all steps."""
        return validate_sequences(self, X, reset=reset, allow_nan=self._reads_nan())

    def _reads_nan(self) -> bool:
        """Whether NaN is what marks missing values."""
        mark: Any = self.missing_values
        return isinstance(mark, Real) and bool(mark != mark)

    def _place_of_time(self, X: Any) -> int | None:
        """Which feature is the time."""
        time, n = self.time_feature, self.n_inputs_
        if time is None:
            return None
        if n == 1:
            raise ValueError(f"time_feature is {shown(time)}, but X has one feature a step: nothing is left to fill.")
        if isinstance(time, str):
            names = names_of_features(self) or []
            if time not in names:
                advice = f"The columns are {shown_all(names)}." if names else "Pass its position, or DataFrames."
                raise ValueError(f"time_feature is {shown(time)}, but X has no column of that name. {advice}")
            return names.index(time)
        if not is_integer(time, 0) or time >= n:
            raise ValueError(f"time_feature is {shown(time)}, but it must be a name, or an integer from 0 to {n - 1}.")
        return int(time)

    def _missing(self, sequences: FeatureSequences) -> np.ndarray:
        """Which values (n_rows, n_inputs) are missing."""
        features = sequences.steps[:, :-1]
        if self._reads_nan():
            return np.isnan(features)
        return features == features.dtype.type(self.missing_values)

    def _check_times(self, sequences: FeatureSequences, missing: np.ndarray) -> None:
        """Raise where the time of a step is missing, or before that of the step before."""
        if self._time is None:
            return
        time = sequences.steps[:, self._time]
        decreases = np.diff(time, prepend=time[:1]) < 0
        decreases[sequences.offsets] = False
        for is_wrong, what in (
            (missing[:, self._time], "is missing"),
            (decreases, "is before that of the step before"),
        ):
            if is_wrong.any():
                row = int(np.argmax(is_wrong))
                i = int(np.searchsorted(sequences.offsets, row, side="right")) - 1
                where = f"X[{i}] at step {row - sequences.offsets[i]}, feature {self._time}"
                raise ValueError(f"The time of {where}, {what}. Times must be known, and must not decrease.")

    def _initial(self, observed: np.ndarray) -> float:
        """Value of a feature with these observations before its first one; NaN if it is to be dropped."""
        if not len(observed):
            empty = self.fill_value if self.initial_strategy == "constant" else 0.0
            return float(empty) if self.keep_empty_features else np.nan
        match self.initial_strategy:
            case "mean":
                _, mean, _, exponent = moments_of(observed[:, np.newaxis])
                return float(np.ldexp(mean, exponent)[0])
            case "median":
                ordered = np.sort(observed.astype(np.float64))
                return float(ordered[(len(ordered) - 1) // 2] / 2 + ordered[len(ordered) // 2] / 2)
        return float(self.fill_value)

    def _with_time(self, filled: np.ndarray, sequences: FeatureSequences) -> np.ndarray:
        """The kept features (n_rows, n_kept) with the time in its place."""
        if self._time is None:
            return filled
        place = int(np.searchsorted(self._kept, self._time))
        return np.insert(filled, place, sequences.steps[:, self._time], axis=1)

    def _names(self, names: list[Any]) -> list[Any]:
        """Names of the outputs, of those of the inputs."""
        if self.add_indicator or self.add_time_since:
            names = list(map(str, names))
        outputs = [name for k, name in enumerate(names) if k in self._kept or k == self._time]
        for is_added, prefix in ((self.add_indicator, "missingindicator"), (self.add_time_since, "timesince")):
            if is_added:
                outputs += [f"{prefix}_{names[k]}" for k in self._kept]
        return outputs
