"""The scaler: each feature in units of its own deviation."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._callbacks import CallbackSupportMixin, as_one_task
from .._floating_point import without_warnings
from .._validation.features import find_not_finite, validate_sequences
from ..core.data.sequences import FeatureSequences
from ._containers import restore
from ._moments import Moments, combine, exponent_of, ldexp_up_to_the_largest, moments_of
from ._table_output import TableOutputMixin


class SequenceScaler(
    CallbackSupportMixin,
    TableOutputMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    r"""Standardise each feature over all steps of all sequences.

    .. math:: z = (x - \mu) / \sigma

    A 2-D input is univariate: one mean and one scale for all its entries, which keeps the shape of each sequence, where
    :class:`~sklearn.preprocessing.StandardScaler` would scale every time step by itself.

    Parameters
    ----------
    with_mean : bool, default=True
        Whether to subtract the mean.
    with_std : bool, default=True
        Whether to divide by the standard deviation.

    Attributes
    ----------
    mean_ : ndarray of shape (n_inputs,), dtype float64
        Mean of each feature.
    var_ : ndarray of shape (n_inputs,), dtype float64
        Variance of each feature, in squared units of X; the sum of squares is divided by the number of steps. Infinite,
        or 0, where float64 holds `scale_` but not its square.
    scale_ : ndarray of shape (n_inputs,), dtype float64
        Square root of `var_`, or 1 where a feature is constant.
    n_steps_seen_ : int
        Number of steps of all sequences seen by `fit`, or by all calls of `partial_fit`.
    n_inputs_ : int
        Number of features per step; 1 for a 2-D input.
    n_features_in_ : int
        Number of columns of a 2-D input, 1 for a column of sequences, otherwise `n_inputs_`.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the columns, if X was a DataFrame or a list of DataFrames with only str as names; absent otherwise.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : The same for tables.

    Notes
    -----
    All three statistics are always learned; `with_mean` and `with_std` decide what is used. They are computed in
    float64 in two passes over values shifted by the first step, and batches are combined without approximation [1]_,
    so that large offsets do no harm. Features beyond 1e90 or below 1e-90 are multiplied by a power of two first, and no
    square overflows. A feature is constant if its standard deviation is below ten units in the
    last place of its mean: StandardScaler's rule, without the part that grows with the number of steps.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the sample variance: analysis and
       recommendations", The American Statistician 37(3), 242-247, 1983.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import SequenceScaler
    >>> X = [np.array([[1.0, 10.0], [3.0, 10.0]]), np.array([[5.0, 10.0]])]
    >>> scaler = SequenceScaler().fit(X)
    >>> scaler.mean_, scaler.scale_
    (array([ 3., 10.]), array([1.63299316, 1.        ]))
    >>> scaler.transform(X)
    [array([[-1.22474487,  0.        ],
           [ 0.        ,  0.        ]]), array([[1.22474487, 0.        ]])]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"with_mean": ["boolean"], "with_std": ["boolean"]}

    n_steps_seen_: int
    mean_: np.ndarray
    var_: np.ndarray
    _moments: Moments

    def __init__(self, *, with_mean: bool = True, with_std: bool = True) -> None:
        self.with_mean = with_mean
        self.with_std = with_std

    @as_one_task
    def fit(self, X: Any, y: Any = None) -> SequenceScaler:
        """Learn the mean and the scale of each feature, and forget earlier calls.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_steps), (n_sequences, n_steps, n_features) or list of sequences
            The sequences; a list holds arrays of shape (n_steps_i,) or (n_steps_i, n_features), and so does a table of
            one column, which is read as the list of its cells.
        y : None
            Ignored.

        Returns
        -------
        self : SequenceScaler
            Fitted.

        Raises
        ------
        TypeError
            If X or an item of X cannot be a sequence.
        ValueError
            If X or an item of X is empty, not finite, holds no numbers, or has another number of features than the
            first; if `with_mean` or `with_std` is not a bool.
        """
        return self._update(X, reset=True)

    def partial_fit(self, X: Any, y: Any = None) -> SequenceScaler:
        """Learn from more sequences: the result is that of one `fit` on all of them.

        Parameters
        ----------
        X : as for `fit`
            More sequences, with the same number of features per step.
        y : None
            Ignored.

        Returns
        -------
        self : SequenceScaler
            Fitted.

        Raises
        ------
        TypeError, ValueError
            As `fit` does; ValueError also if X has another number of features than earlier calls.
        """
        return self._update(X, reset=not hasattr(self, "n_steps_seen_"))

    @without_warnings
    def transform(self, X: Any) -> Any:
        """Subtract the mean and divide by the scale.

        Parameters
        ----------
        X : as for `fit`
            The sequences. Not modified.

        Returns
        -------
        X_scaled : of the same type as X
            float32 if all of X is float32, else float64. DataFrames, also as items, keep their type, index and columns;
            Series keep their index and name. Nested lists become arrays.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        TypeError, ValueError
            As `fit` does; ValueError also if X has other features than in `fit`, or a scaled value is too large for the
            dtype.
        """
        sequences = self._open(X)
        features = sequences.steps[:, :-1]
        exponent, mean, scale = self._units(features.dtype)
        if exponent.any():
            np.ldexp(features, -exponent, out=features)
        if self.with_mean:
            features -= mean
        features /= scale
        return self._as_configured(self._restore(sequences, X), X)

    @without_warnings
    def inverse_transform(self, X: Any) -> Any:
        """Multiply by the scale and add the mean.

        Parameters
        ----------
        X : as for `fit`
            Scaled sequences. Not modified.

        Returns
        -------
        X_original : of the same type as X
            As for `transform`, in the units of the sequences that the scaler was fitted on.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        TypeError, ValueError
            As `transform` does.
        """
        sequences = self._open(X)
        features = sequences.steps[:, :-1]
        exponent, mean, scale = self._units(features.dtype)
        features *= scale
        if self.with_mean:
            features += mean
        if exponent.any():
            ldexp_up_to_the_largest(features, exponent)
        return self._restore(sequences, X)

    @without_warnings
    def _update(self, X: Any, *, reset: bool) -> SequenceScaler:
        """Take the steps of X into the statistics, or begin new ones."""
        self._validate_params()
        seen = moments_of(validate_sequences(self, X, reset=reset).steps[:, :-1])
        if not reset:
            seen = combine(self._moments, seen)
        self._moments = seen
        self.n_steps_seen_, mean, variance, exponent = seen
        self.mean_, self.var_ = np.ldexp(mean, exponent), np.ldexp(variance, 2 * exponent)
        deviation = np.ldexp(np.sqrt(variance), exponent)
        is_constant = deviation <= 10 * np.finfo(np.float64).eps * np.abs(self.mean_)
        self.scale_ = np.where(is_constant, 1.0, deviation)
        return self

    def _open(self, X: Any) -> FeatureSequences:
        """A copy of all steps, to be written into."""
        check_is_fitted(self)
        return validate_sequences(self, X, reset=False)

    def _units(self, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Exponent (F,), mostly 0; mean and scale (F,) in units of 2^exponent, in which no difference overflows."""
        bound = 0.7 * np.finfo(dtype).maxexp
        exponent = exponent_of(np.maximum(np.abs(self.mean_), self.scale_), bound)
        if not self.with_std:
            exponent = np.maximum(exponent, 0)
        scale = self.scale_ if self.with_std else np.ones_like(self.scale_)
        return exponent, np.ldexp(self.mean_, -exponent), np.ldexp(scale, -exponent)

    def _restore(self, sequences: FeatureSequences, X: Any) -> Any:
        """The steps in a container like X."""
        place = find_not_finite(sequences)
        if place is not None:
            i, step, feature, _ = place
            raise ValueError(
                f"X[{i}] at step {step}, feature {feature} leaves the range of {sequences.steps.dtype} with the "
                f"mean {self.mean_[feature]:g} and scale {self.scale_[feature]:g}. Divide the feature by a constant "
                "first, or pass float64."
            )
        return restore(sequences.steps[:, :-1], sequences.lengths, X)
