"""Attributions of one sequence, as a picture or as coloured text."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation.values import column_labels
from .._vocabulary import is_single
from ._attributions import attribute_with_names
from ._coloured_text import check_one_value_each, draw, height_of, to_html
from ._explained import tokens_of
from ._plotting import BLUE, ORANGE, label_steps, largest, make_axes, only, signed_colours, texts_of

_METHODS = {
    "integrated_gradients": "integrated gradients",
    "gradient_x_input": "gradient times input",
    "occlusion": "occlusion",
}
_MAX_NAMES = 40


class AttributionDisplay:
    """How much each step, and each of its features, contributed to a prediction.

    Features are a picture of features by steps, a single one is bars; tokens are coloured text, in a notebook also as
    HTML. Orange speaks for what is explained, blue against it. Make a display with :meth:`from_estimator`.

    Parameters
    ----------
    attributions : ndarray of shape (n_steps, n_features) or (n_steps,)
        What :func:`skrnn.inspection.attribute` gives for one sequence.
    tokens : list, default=None
        The tokens of the sequence, where there is one number for each.
    feature_names : list of str, default=None
        By default features are numbered.
    explained : str, default="prediction"
        What the attributions add up to, in words.
    method : str, default=""
        How they were found, in words.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What is plotted on.
    figure_ : matplotlib Figure
        What that is in.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.inspection import AttributionDisplay
    >>> display = AttributionDisplay(np.array([[0.1, -0.2], [0.5, 0.0]]), feature_names=["low", "high"]).plot()
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['low', 'high']
    """

    def __init__(
        self,
        attributions: Any,
        *,
        tokens: Any = None,
        feature_names: Any = None,
        explained: str = "prediction",
        method: str = "",
    ) -> None:
        self.attributions = attributions
        self.tokens = tokens
        self.feature_names = feature_names
        self.explained = explained
        self.method = method

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        sequence: Any,
        *,
        method: str = "integrated_gradients",
        target: Any = None,
        step: int | None = None,
        baseline: Any = None,
        feature_names: Any = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> AttributionDisplay:
        """Plot the attributions of a sequence.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator of skrnn, or a pipeline or a fitted search that ends in one.
        sequence : array-like of shape (n_steps, n_features) or (n_steps,), str, or sequence of tokens
            One sequence, not a list of them.
        method, target, step, baseline : see :func:`skrnn.inspection.attribute`
            As there.
        feature_names : list of str, default=None
            By default those of a data frame, or numbers.
        ax : matplotlib Axes, default=None
            Where to plot; a new figure by default.
        **kwargs : dict
            Passed to `imshow`, or to `bar` for a single feature.

        Returns
        -------
        display : AttributionDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError, TypeError, ValueError
            As `attribute`.
        """
        X = only(sequence)
        tokens = tokens_of(estimator, X)
        if baseline is not None and (np.ndim(baseline) == 2 if tokens is None else not is_single(baseline)):
            baseline = only(baseline)
        (attributions,), (explained,) = attribute_with_names(
            estimator, X, method=method, target=target, step=step, baseline=baseline
        )
        if feature_names is None and attributions.ndim == 2:
            feature_names = column_labels(X[0])
        display = cls(
            attributions,
            tokens=tokens,
            feature_names=feature_names,
            explained=explained,
            method=_METHODS[method],
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, **kwargs: Any) -> AttributionDisplay:
        """Plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; a new figure by default.
        **kwargs : dict
            Passed to `imshow`, or to `bar` for a single feature.

        Returns
        -------
        display : AttributionDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        attributions = np.asarray(self.attributions, float)
        mappable = signed_colours(largest(attributions))
        if attributions.ndim == 1:
            tokens = self._texts()
            self.ax_ = make_axes(ax, type(self).__name__, (5.6, height_of(tokens)))
            draw(self.ax_, tokens, attributions, mappable)
            self.ax_.figure.colorbar(
                mappable, ax=self.ax_, location="bottom", aspect=50, shrink=0.6, label=self._label(" ")
            )
        elif attributions.shape[1] == 1:
            self.ax_ = make_axes(ax, type(self).__name__, (5.6, 2.8))
            self._draw_bars(attributions[:, 0], **kwargs)
        else:
            self.ax_ = make_axes(ax, type(self).__name__, (5.6, min(6.0, 1.3 + 0.2 * attributions.shape[1])))
            self._draw_image(attributions, mappable, **kwargs)
        self.figure_ = self.ax_.figure
        return self

    def _repr_html_(self) -> str | None:
        attributions = np.asarray(self.attributions, float)
        if attributions.ndim > 1:
            return None
        return to_html(self._texts(), attributions, largest(attributions), f"of the {self.explained}")

    def _texts(self) -> list[str]:
        return check_one_value_each(texts_of(self.tokens or []), self.attributions, "attributions")

    def _label(self, between: str) -> str:
        return f"contribution to the{between}{self.explained}"

    def _draw_bars(self, attributions: np.ndarray, **kwargs: Any) -> None:
        colours = [ORANGE if value >= 0 else BLUE for value in attributions]
        self.ax_.bar(range(len(attributions)), attributions, **{"color": colours, "width": 0.85, **kwargs})
        self.ax_.axhline(0, color="0.4", linewidth=0.8)
        self.ax_.set_ylabel(self._label("\n"))
        self.ax_.set_title(self.method, size=10)
        self.ax_.spines[["top", "right"]].set_visible(False)
        label_steps(self.ax_, len(attributions), None)

    def _draw_image(self, attributions: np.ndarray, mappable: Any, **kwargs: Any) -> None:
        defaults = {"aspect": "auto", "interpolation": "nearest", "cmap": mappable.cmap, "norm": mappable.norm}
        image = self.ax_.imshow(attributions.T, **{**defaults, **kwargs})
        self.ax_.figure.colorbar(image, ax=self.ax_, label=self._label("\n"), aspect=30)
        self.ax_.set_title(self.method, size=10)
        label_steps(self.ax_, len(attributions), None)
        n_features = attributions.shape[1]
        names = self.feature_names
        if names is not None and n_features <= _MAX_NAMES:
            self.ax_.set_yticks(range(n_features), list(map(str, names)))
        else:
            self.ax_.set_ylabel("feature")
            self.ax_.yaxis.get_major_locator().set_params(integer=True)
