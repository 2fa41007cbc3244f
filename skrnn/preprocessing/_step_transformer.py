"""Any transformer of tables, for the steps of sequences."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils._param_validation import HasMethods  # as in _base.py
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._callbacks import CallbackSupportMixin, as_one_task
from .._validation.arrays import count
from .._validation.sequence_column import is_fitted_on_column
from .._validation.steps import Steps, read_steps, values_of_steps
from .._validation.values import all_column_labels, library_of
from .._wrapped import unwrap
from ._containers import collect, restore, table_shape
from ._table_output import TableOutputMixin, adopt

if TYPE_CHECKING:
    from typing import Self

DENSE: dict[str, tuple[Any, Any]] = {"sparse_output": (True, False), "encode": ("onehot", "onehot-dense")}
"""Parameters of scikit-learn's transformers: the value that means sparse output, and its dense counterpart."""


def _inner_has(method: str) -> Callable[[Any], bool]:
    """A check that the transformer, the fitted one if there is one, has a method."""
    return lambda estimator: hasattr(getattr(estimator, "transformer_", estimator.transformer), method)


class StepTransformer(
    CallbackSupportMixin,
    TableOutputMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    """Apply a transformer of tables to the steps of all sequences.

    The steps of all sequences, one below another, are one table, and each step is a sample of it. So any transformer of
    scikit-learn that treats its samples one by one may be used: StandardScaler, OneHotEncoder, ColumnTransformer,
    KBinsDiscretizer, PCA, a pipeline of these.

    Parameters
    ----------
    transformer : transformer
        It has `fit` and `transform`, and is cloned. Parameters of the clone that make its output sparse, also nested
        ones, are set to their dense counterparts: ``sparse_output=False``, and ``encode="onehot-dense"``.

    Attributes
    ----------
    transformer_ : transformer
        Fitted to the steps.
    n_inputs_ : int
        Number of features per step; 1 for a 2-D input.
    n_features_in_ : int
        Number of columns of a 2-D input, 1 for a column of sequences, otherwise `n_inputs_`.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the columns, if X was a DataFrame or a list of DataFrames with only str as names; absent otherwise.

    See Also
    --------
    SequenceScaler : StandardScaler for sequences, with `partial_fit` and exact up to the ends of the range of numbers.
    SequenceImputer : Fills missing values from earlier steps of the sequence.
    sklearn.compose.ColumnTransformer : Different transformers for different columns.

    Notes
    -----
    Sequences that are DataFrames are joined as DataFrames, so columns can be named, and stay frames of their library,
    with the index that they had. Where `set_output` of this estimator, or scikit-learn's global `transform_output`,
    asks for something else, or the transformer returns an array nevertheless, they become that. Sequences that are
    arrays become arrays, or frames where `set_output` asks for them. Output that is sparse nevertheless becomes
    dense arrays; frames cannot hold it, and the transformer says so.

    A 2-D X is univariate, as for all estimators of skrnn: its entries are the steps, of one feature. Where the
    transformer makes several of it, the output has the shape (n_sequences, n_steps, n_outputs).

    What is given for each sequence, such as y, `sample_weight` or `groups`, is repeated for each of its steps; a list
    with an array for each sequence holds values for each step. Transformers that learn from y see steps as samples: a
    cross-validation inside them, as in TargetEncoder, may have steps of one sequence on both sides.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skrnn.preprocessing import StepTransformer
    >>> X = [pd.DataFrame({"activity": ["open", "pay"], "amount": [1.0, 5.0]}),
    ...      pd.DataFrame({"activity": ["open"], "amount": [3.0]})]
    >>> scale = make_column_transformer(
    ...     (StandardScaler(), ["amount"]), remainder="passthrough", verbose_feature_names_out=False
    ... )
    >>> StepTransformer(scale).fit_transform(X)[0]
         amount activity
    0 -1.224745     open
    1  1.224745      pay
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"transformer": [HasMethods(["fit", "transform"])]}

    transformer_: Any
    n_inputs_: int
    _fitted_on_2d: bool

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    @as_one_task
    def fit(self, X: Any, y: Any = None, **params: Any) -> StepTransformer:
        """Fit a clone of the transformer to the steps of all sequences.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_steps), (n_sequences, n_steps, n_features) or list of sequences
            The sequences; a list holds arrays of shape (n_steps_i,) or (n_steps_i, n_features), DataFrames, or
            sequences of tokens.
        y : array-like of shape (n_sequences,) or (n_sequences, n_targets), or list of arrays, default=None
            For each sequence, or, as a list with an array for each, for each step.
        **params : dict
            Of the transformer's `fit`; entries for each sequence, such as `sample_weight`, are repeated for its steps.
            With metadata routing enabled, those that the transformer requests.

        Returns
        -------
        self : StepTransformer
            Fitted.

        Raises
        ------
        TypeError
            If X or an item of X cannot be a sequence, or its frames are of several libraries.
        ValueError
            If X or an item of X is empty, or has other features than the first, or y has other lengths than X, or the
            transformer is one of sequences. The transformer raises what it raises for a table.
        """
        self._learn("fit", X, y, params)
        return self

    @as_one_task
    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit a clone of the transformer, and transform the same sequences.

        Parameters
        ----------
        X, y : as for `fit`
            The sequences.
        **params : dict
            As for `fit`, of the transformer's `fit_transform`.

        Returns
        -------
        X_transformed : of the same type as X
            What the transformer's `fit_transform` gives, which may differ from that of `transform`.

        Raises
        ------
        TypeError, ValueError
            As `fit` and `transform` do.
        """
        has_one = hasattr(self.transformer, "fit_transform")
        output = self._learn("fit_transform" if has_one else "fit", X, y, params)
        return output if has_one else self.transform(X)

    @available_if(_inner_has("partial_fit"))
    def partial_fit(self, X: Any, y: Any = None, **params: Any) -> StepTransformer:
        """Learn from the steps of more sequences.

        Parameters
        ----------
        X, y : as for `fit`
            More sequences, with the same features.
        **params : dict
            As for `fit`, of the transformer's `partial_fit`.

        Returns
        -------
        self : StepTransformer
            Fitted.

        Raises
        ------
        TypeError, ValueError
            As `fit` does; ValueError also if X has other features than earlier calls.
        """
        if not hasattr(self, "transformer_"):
            self._learn("partial_fit", X, y, params)
        else:
            self._validate_params()
            steps = read_steps(X, estimator=self)
            self._call(self.transformer_, "partial_fit", steps, y, params)
        return self

    def transform(self, X: Any, **params: Any) -> Any:
        """Transform each step.

        Parameters
        ----------
        X : as for `fit`
            The sequences. Not modified.
        **params : dict
            Of the transformer's `transform`.

        Returns
        -------
        X_transformed : of the same type as X
            Of the dtype that the transformer returns.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        TypeError, ValueError
            As `fit` does; ValueError also if X has other features than in `fit`, or the transformer does not return one
            row for each step.
        """
        check_is_fitted(self)
        steps = read_steps(X, estimator=self)
        with self._output(steps):
            output = self.transformer_.transform(steps.rows, **self._routed("transform", params, steps))
        return self._restore(output, steps, X)

    @available_if(_inner_has("inverse_transform"))
    def inverse_transform(self, X: Any, **params: Any) -> Any:
        """Transform each step back.

        Parameters
        ----------
        X : as `transform` returns them
            Transformed sequences. Not modified.
        **params : dict
            Of the transformer's `inverse_transform`.

        Returns
        -------
        X_original : of the same type as X
            Arrays, unless the transformer returns frames.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        TypeError, ValueError
            As `transform` does, or as the transformer does.
        """
        check_is_fitted(self)
        steps = read_steps(X)
        params = self._routed("inverse_transform", params, steps)
        output = self._dense(self.transformer_.inverse_transform(steps.rows, **params), steps)
        if steps.kind == "3-D" and self._fitted_on_2d:
            return output.reshape(table_shape(steps.lengths))
        return self._restore(output, steps, X, is_table_named=False)

    @available_if(_inner_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features of each step.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the features of X, as the transformer takes them.

        Returns
        -------
        names : ndarray of str objects
            The transformer's; for a 2-D X of which it makes one feature a step, names of the columns, and for a column
            of sequences that of the column.
        """
        check_is_fitted(self)
        if not self._fitted_on_2d and not is_fitted_on_column(self):
            return self.transformer_.get_feature_names_out(input_features)
        columns = _check_feature_names_in(self, input_features)
        if is_fitted_on_column(self):
            return columns
        names = self.transformer_.get_feature_names_out()
        return columns if len(names) == 1 else names

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose the container in which `transform` returns sequences.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Frames of that library, or arrays; for a column of sequences a frame of one column. Until it is called,
            sequences that are frames stay frames, unless scikit-learn's global `transform_output` asks for
            others. None changes nothing.

        Returns
        -------
        self : StepTransformer
            Configured, and so is the fitted transformer.
        """
        super().set_output(transform=transform)
        if hasattr(self, "transformer_"):
            self._configure(self.transformer_)
        return self

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the router of metadata to the transformer.

        Returns
        -------
        routing : MetadataRouter
            Of `fit`, `partial_fit`, `fit_transform`, `transform` and `inverse_transform`.
        """
        mapping = MethodMapping()
        for method in ("fit", "partial_fit", "transform", "inverse_transform"):
            mapping.add(caller=method, callee=method)
        has_one = hasattr(self.transformer, "fit_transform")
        mapping.add(caller="fit_transform", callee="fit_transform" if has_one else "fit")
        return MetadataRouter(owner=type(self).__name__).add(transformer=self.transformer, method_mapping=mapping)

    def __sklearn_tags__(self) -> Tags:
        tags, inner = super().__sklearn_tags__(), get_tags(self.transformer)
        for name in ("allow_nan", "string", "categorical", "positive_only"):
            setattr(tags.input_tags, name, getattr(inner.input_tags, name))
        if inner.transformer_tags is not None:
            tags.transformer_tags = inner.transformer_tags
        tags.target_tags.required = inner.target_tags.required
        tags.no_validation, tags.non_deterministic = inner.no_validation, inner.non_deterministic
        return tags

    def _learn(self, method: str, X: Any, y: Any, params: dict[str, Any]) -> Any:
        """Call a method of a clone of the transformer that fits it; return the output, if it has one."""
        self._validate_params()
        before, last = unwrap(self.transformer)
        for transformer in (*before, last):
            if get_tags(transformer).input_tags.three_d_array:
                raise ValueError(
                    f"{type(transformer).__name__} reads sequences, but a StepTransformer would pass it their steps as "
                    "one table. Use it by itself."
                )
        fitted = clone(self)
        steps = read_steps(X, estimator=fitted, reset=True)
        fitted.transformer_ = clone(self.transformer)
        self._configure(fitted.transformer_)
        output = self._call(fitted.transformer_, method, steps, y, params)
        if method == "fit_transform":
            output = fitted._restore(output, steps, X)
        adopt(self, fitted)
        return output

    def _call(self, transformer: Any, method: str, steps: Steps, y: Any, params: dict[str, Any]) -> Any:
        """Call a method that learns, with what is known of steps."""
        if y is not None:
            y = values_of_steps(y, steps.lengths, "y")
        params = self._routed(method, params, steps)
        with self._output(steps):
            return getattr(transformer, method)(steps.rows, y, **params)

    def _configure(self, transformer: Any) -> None:
        """Set what cannot be decided call by call: dense output, and the container that was asked for."""
        nested = transformer.get_params() if hasattr(transformer, "get_params") else {}
        for name, value in nested.items():
            sparse, dense = DENSE.get(name.split("__")[-1], (None, None))
            if isinstance(value, (bool, str)) and value == sparse:
                transformer.set_params(**{name: dense})
        if hasattr(self, "_sklearn_output_config"):
            if not hasattr(transformer, "set_output"):
                raise ValueError(
                    f"{type(transformer).__name__} has no set_output, so the container of its output cannot be chosen. "
                    "Give it get_feature_names_out, or do not call set_output."
                )
            transformer.set_output(transform=self._output_container())

    def _output(self, steps: Steps) -> AbstractContextManager[None]:
        """A context in which the transformer returns what is asked for, or what the steps came in."""
        container = self._output_container()
        is_default = not hasattr(self, "_sklearn_output_config") and get_config()["transform_output"] == "default"
        if is_default and all_column_labels(steps.rows) is not None and library_of(steps.rows) != "pyarrow":
            container = library_of(steps.rows)
        return config_context(transform_output=container)

    def _routed(self, method: str, params: dict[str, Any], steps: Steps) -> dict[str, Any]:
        """Parameters of the transformer's method, for each step where they are for each sequence."""
        if get_config()["enable_metadata_routing"]:
            params = process_routing(self, method, **params).transformer[method]
        n = len(steps.lengths)
        return {
            name: values_of_steps(value, steps.lengths, name) if _is_of_sequences(name, value, n) else value
            for name, value in params.items()
            if value is not None
        }

    def _dense(self, output: Any, steps: Steps) -> Any:
        """What the transformer returned, as an array or a frame of a row for each step."""
        output = output.toarray() if issparse(output) else output
        if all_column_labels(output) is None:
            output = np.asarray(output)
            output = output[:, np.newaxis] if output.ndim == 1 else output
        n_steps = int(steps.lengths.sum())
        if len(output.shape) != 2 or len(output) != n_steps:
            raise ValueError(
                f"{type(self.transformer).__name__} returned shape {output.shape} for {count(n_steps, 'step')}, "
                "but one row for each step is needed. Use a transformer that treats its samples one by one."
            )
        return output

    def _restore(self, output: Any, steps: Steps, X: Any, is_table_named: bool = True) -> Any:
        """What the transformer returned in a container like X."""
        output = self._dense(output, steps)
        is_frame = all_column_labels(output) is not None
        if steps.kind in ("2-D", "column"):  # the cells of which are no frames
            table = restore(np.asarray(output), steps.lengths, X)
            return self._as_configured(table, X) if is_table_named else table
        if not is_frame and all_column_labels(steps.rows) is None:
            return restore(output, steps.lengths, X)
        ends = np.cumsum(steps.lengths)
        if not is_frame:
            return collect([output[end - length : end].copy() for end, length in zip(ends, steps.lengths)], X)
        frames = [output[int(end - length) : int(end)] for end, length in zip(ends, steps.lengths)]
        if library_of(output) == "pandas":
            frames = [_with_index(frame, item) for frame, item in zip(frames, steps.items or [None] * len(frames))]
        return frames if steps.kind == "3-D" or library_of(X) == "polars" else collect(frames, X)


def _is_of_sequences(name: str, value: Any, n: int) -> bool:
    """Whether a parameter has an entry for each sequence; a weight has, and is checked for it."""
    has_length = hasattr(value, "__len__") and not isinstance(value, (str, bytes, dict))
    return has_length and (name == "sample_weight" or len(value) == n)


def _with_index(frame: Any, item: Any) -> Any:
    """A copy of a slice of a pandas frame, with the index of the sequence, if that has one, or from 0 on."""
    index = item.index if library_of(item) == "pandas" else range(len(frame))
    return frame.set_axis(index, axis=0)
