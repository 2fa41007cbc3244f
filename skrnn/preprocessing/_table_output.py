"""What transformers of sequences have in common: a table in is a table out, sequences stay what they are."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import get_config
from sklearn.utils import Tags
from sklearn.utils.validation import _check_feature_names_in

from .._documentation import DocLinkMixin
from .._validation.sequence_column import SequenceColumn, as_column
from .._validation.values import column_labels

if TYPE_CHECKING:
    from typing import Self


class TableOutputMixin(DocLinkMixin):
    """The output of `set_output` for a 2-D X.

    Wrapping by scikit-learn has to be off, ``auto_wrap_output_keys=None``: it turns every output into a table, which
    sequences are not.
    """

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose the container in which `transform` returns tables.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            For a 2-D X, or a column of sequences: a data frame of that library, or, by default, the container of X.
            Lists of sequences always keep theirs: they are no tables. None changes nothing.

        Returns
        -------
        self : estimator
            Configured.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}  # the attribute that scikit-learn's clone copies
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _output_container(self) -> str:
        """What `set_output` or the global configuration asks for."""
        config = getattr(self, "_sklearn_output_config", {"transform": get_config()["transform_output"]})
        container = config["transform"]
        if container not in ("default", "pandas", "polars"):
            raise ValueError(f"set_output got transform={container!r}. Pass 'default', 'pandas' or 'polars'.")
        return container

    def _as_configured(self, output: Any, X: Any) -> Any:
        """A table as the frame that is asked for; sequences as they are."""
        if len(getattr(output, "shape", ())) != 2:
            return output
        is_column = isinstance(as_column(X), SequenceColumn)
        names = _check_feature_names_in(self).tolist()  # a table has a column for each of X
        if is_column and len(names) != 1:  # after a fit on a list of sequences
            names = column_labels(X) or ["x0"]
        match self._output_container():
            case "pandas":
                index = getattr(X, "index", None)
                return import_module("pandas").DataFrame(np.asarray(output), index=index, columns=names)
            case "polars":
                return import_module("polars").DataFrame(np.asarray(output), schema=names, orient="row")
        if hasattr(output, "columns") and not is_column:  # a frame, perhaps after a fit on an array
            output.columns = names
        return output


def adopt(estimator: Any, fitted: Any) -> None:
    """Take over what a fit found out, all at once: a fit that fails leaves the estimator as it was."""
    parameters = estimator.get_params(deep=False)
    learned = {name: value for name, value in vars(fitted).items() if name not in parameters}
    vars(estimator).pop("feature_names_in_", None)
    vars(estimator).update(learned)
