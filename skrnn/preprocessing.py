"""Transformers that know sequences."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skrnn._floating_point import without_warnings
from skrnn._validation.features import find_not_finite, read_container, validate_sequences

from .core.data.sequences import FeatureSequences

__all__ = ["SequenceScaler"]


# Wrapping by scikit-learn is off: it turns every output into a table, which sequences are not.
class SequenceScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[call-arg]
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
        Number of columns of a 2-D input, otherwise `n_inputs_`.
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
    _moments: tuple[int, np.ndarray, np.ndarray, np.ndarray]

    def __init__(self, *, with_mean: bool = True, with_std: bool = True) -> None:
        self.with_mean = with_mean
        self.with_std = with_std

    def fit(self, X: Any, y: Any = None) -> SequenceScaler:
        """Learn the mean and the scale of each feature, and forget earlier calls.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_steps), (n_sequences, n_steps, n_features) or list of sequences
            The sequences; a list holds arrays of shape (n_steps_i,) or (n_steps_i, n_features).
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
            _ldexp_up_to_the_largest(features, exponent)
        return self._restore(sequences, X)

    def set_output(self, *, transform: str | None = None) -> SequenceScaler:
        """Choose the container in which `transform` returns tables.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            For a 2-D X: a data frame of that library, or, by default, the container of X. Sequences always keep theirs:
            they are no tables. None changes nothing.

        Returns
        -------
        self : SequenceScaler
            Configured.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}  # the attribute that scikit-learn's clone copies
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @without_warnings
    def _update(self, X: Any, *, reset: bool) -> SequenceScaler:
        """Take the steps of X into the statistics, or begin new ones."""
        self._validate_params()
        seen = _moments(validate_sequences(self, X, reset=reset).steps[:, :-1])
        if not reset:
            seen = _combine(self._moments, seen)
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
        exponent = _exponent(np.maximum(np.abs(self.mean_), self.scale_), bound)
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
        return _restore(sequences, X)

    def _as_configured(self, output: Any, X: Any) -> Any:
        """A table as the frame that `set_output` or the global configuration asks for; sequences as they are."""
        if len(getattr(output, "shape", ())) != 2:
            return output
        config = getattr(self, "_sklearn_output_config", {"transform": get_config()["transform_output"]})
        container, names = config["transform"], self.get_feature_names_out().tolist()
        match container:
            case "default":
                if hasattr(output, "columns"):  # a frame, perhaps after a fit on an array
                    output.columns = names
                return output
            case "pandas":
                index = getattr(X, "index", None)
                return import_module("pandas").DataFrame(np.asarray(output), index=index, columns=names)
            case "polars":
                return import_module("polars").DataFrame(np.asarray(output), schema=names, orient="row")
        raise ValueError(f"set_output got transform={container!r}. Pass 'default', 'pandas' or 'polars'.")


# Number of steps; mean and variance (F,) in units of 2^exponent and its square; exponent (F,), mostly 0.
_Moments = tuple[int, np.ndarray, np.ndarray, np.ndarray]


def _moments(steps: np.ndarray) -> _Moments:
    """Moments of steps (n, F), exact zeros for the variance of constants."""
    n, exponent = len(steps), _exponent(np.maximum(steps.max(axis=0), -steps.min(axis=0)))
    first = np.ldexp(steps[0].astype(np.float64), -exponent)
    if exponent.any():
        steps = np.ldexp(steps.astype(np.float64), -exponent)
    deviations = steps - first  # float64
    shift = deviations.mean(axis=0)
    deviations -= shift
    error = deviations.mean(axis=0)  # that rounding made in the shift
    variance = np.einsum("ij,ij->j", deviations, deviations) / n
    return n, first + (shift + error), variance, exponent


def _combine(a: _Moments, b: _Moments) -> _Moments:
    """Moments of the union of two samples."""
    (n_a, *_, exponent_a), (n_b, *_, exponent_b) = a, b
    exponent = np.where((a[1] == 0) & (a[2] == 0), exponent_b, np.maximum(exponent_a, exponent_b))
    exponent = np.where((b[1] == 0) & (b[2] == 0), exponent_a, exponent)
    mean_a, var_a, mean_b, var_b = (
        np.ldexp(moment, power * (own - exponent))
        for _, *moments, own in (a, b)
        for power, moment in enumerate(moments, 1)
    )
    n, delta = n_a + n_b, mean_b - mean_a
    variance = (n_a * var_a + n_b * var_b) / n + delta**2 * (n_a / n) * (n_b / n)
    return n, mean_a + delta * (n_b / n), variance, exponent


def _exponent(largest: np.ndarray, bound: float = 300) -> np.ndarray:
    """Power of two (F,) to divide features of these largest absolute values by: 0 unless it is beyond `bound`."""
    exponent = np.frexp(largest.astype(np.float64))[1]
    return np.where((np.abs(exponent) > bound) & (largest > 0), exponent, 0)


def _ldexp_up_to_the_largest(features: np.ndarray, exponent: np.ndarray) -> None:
    """Multiply by 2^exponent in place; what rounding alone takes beyond the largest number is that number."""
    info = np.finfo(features.dtype)
    limit = np.ldexp(info.max, -exponent.clip(min=0))
    is_rounded = (np.abs(features) > limit) & (np.abs(features) * (1 - 8 * info.eps) <= limit)
    np.copyto(features, np.copysign(limit, features), where=is_rounded)
    np.ldexp(features, exponent, out=features)


def _restore(sequences: FeatureSequences, X: Any) -> Any:
    """Put the steps of `sequences` into a container like X."""
    kind, data = read_container(X)
    features = np.ascontiguousarray(sequences.steps[:, :-1])
    if kind == "2-D":
        return _like(data, features.reshape(len(sequences), -1))
    if kind == "3-D":
        return features.reshape(data.shape)
    pieces = np.split(features, sequences.offsets[1:])
    return _collect([_like(item, piece.copy()) for item, piece in zip(data, pieces)], X)


def _like(original: Any, values: np.ndarray) -> Any:
    """Values (n_steps, n_features) as a frame, Series or array like the original."""
    if len(np.shape(original)) == 1 and values.shape[1] == 1:
        values = values[:, 0]
    match _library(original), hasattr(original, "columns"), values.ndim:
        case "pandas", True, 2:
            return type(original)(values, index=original.index, columns=original.columns)
        case "pandas", False, 1:
            return type(original)(values, index=original.index, name=original.name)
        case "polars", True, 2:
            return type(original)(values, schema=original.columns, orient="row")
        case "polars", False, 1:
            return type(original)(original.name, values)
    return values


def _collect(items: list, X: Any) -> Any:
    """Items in a container like X; a list if X is of another type."""
    if isinstance(X, tuple):
        return tuple(items)
    if isinstance(X, np.ndarray):
        array = np.empty(len(items), dtype=object)
        for i, item in enumerate(items):  # items of equal lengths would be broadcast
            array[i] = item
        return array
    match _library(X):
        case "pandas":
            return type(X)(items, index=X.index, name=X.name, dtype=object)
        case "polars":
            keeps_dtype = items[0].dtype == np.float32  # only if all numbers of X were float32
            return type(X)(X.name, [item.tolist() for item in items], dtype=X.dtype if keeps_dtype else None)
    return items


def _library(value: Any) -> str:
    """Top-level package of the type of a value."""
    return type(value).__module__.partition(".")[0]
