"""Transformers that know sequences."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skrnn._validation.features import read_container, validate_sequences
from skrnn.core.batches import PackedSequences

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
        Variance of each feature, in squared units of X; the sum of squares is divided by the number of steps.
    scale_ : ndarray of shape (n_inputs,), dtype float64
        Square root of `var_`, or 1 where a feature is constant.
    n_steps_seen_ : int
        Number of steps of all sequences seen by `fit`, or by all calls of `partial_fit`.
    n_inputs_ : int
        Number of features per step; 1 for a 2-D input.
    n_features_in_ : int
        Number of columns of a 2-D input, otherwise `n_inputs_`.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Columns of a 2-D input that is a DataFrame with only str as names; absent otherwise.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : The same for tables.

    Notes
    -----
    All three statistics are always learned; `with_mean` and `with_std` decide what is used. They are computed in
    float64 in two passes over values shifted by the first step, and batches are combined without approximation [1]_,
    so that large offsets do no harm. A feature is constant if its standard deviation is below ten units in the
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
            As `fit` does; ValueError also if X has another number of features than in `fit`.
        """
        features, restore = self._open(X)
        if self.with_mean:
            features -= self.mean_
        if self.with_std:
            features /= self.scale_
        return self._as_configured(restore(), X)

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
        features, restore = self._open(X)
        if self.with_std:
            features *= self.scale_
        if self.with_mean:
            features += self.mean_
        return restore()

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

    def _update(self, X: Any, *, reset: bool) -> SequenceScaler:
        """Take the steps of X into the statistics, or begin new ones."""
        self._validate_params()
        seen = _moments(validate_sequences(self, X, reset=reset).steps[:, :-1])
        if not reset:
            seen = _combine((self.n_steps_seen_, self.mean_, self.var_), seen)
        self.n_steps_seen_, self.mean_, self.var_ = seen
        deviation = np.sqrt(self.var_)
        is_constant = deviation <= 10 * np.finfo(np.float64).eps * np.abs(self.mean_)
        self.scale_ = np.where(is_constant, 1.0, deviation)
        return self

    def _open(self, X: Any) -> tuple[np.ndarray, Any]:
        """Return a writable copy of all steps (sum of lengths, F), and a function that puts them into X's container."""
        check_is_fitted(self)
        sequences = validate_sequences(self, X, reset=False)
        return sequences.steps[:, :-1], lambda: _restore(sequences, X)

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


_Moments = tuple[int, np.ndarray, np.ndarray]  # number of steps, mean (F,), variance (F,)


def _moments(steps: np.ndarray) -> _Moments:
    """Moments of steps (n, F), exact zeros for the variance of constants."""
    n, first = len(steps), steps[0].astype(np.float64)
    deviations = steps - first  # float64
    shift = deviations.mean(axis=0)
    deviations -= shift
    error = deviations.mean(axis=0)  # that rounding made in the shift
    return n, first + (shift + error), np.einsum("ij,ij->j", deviations, deviations) / n


def _combine(a: _Moments, b: _Moments) -> _Moments:
    """Moments of the union of two samples."""
    (n_a, mean_a, var_a), (n_b, mean_b, var_b) = a, b
    n, delta = n_a + n_b, mean_b - mean_a
    variance = (n_a * var_a + n_b * var_b) / n + delta**2 * (n_a / n) * (n_b / n)
    return n, mean_a + delta * (n_b / n), variance


def _restore(sequences: PackedSequences, X: Any) -> Any:
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
