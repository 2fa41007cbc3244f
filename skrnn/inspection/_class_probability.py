"""The probabilities of the classes as a sequence unfolds, as lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._sequence_classifier import RNNSequenceClassifier
from .._validation.values import as_list
from .._wrapped import transform_by
from ._explained import split_model, tokens_of
from ._plotting import GREY, LINES, label_steps, make_axes, only, texts_of


class ClassProbabilityDisplay:
    """What a classifier would predict after each step of a sequence, had it ended there.

    Make one with :meth:`from_estimator`.

    Parameters
    ----------
    proba : array-like of shape (n_steps, n_classes)
        Probability of each class after each step.
    classes : array-like of shape (n_classes,)
        The classes.
    tokens : list, default=None
        The tokens of the sequence, which stand at the steps if they fit.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What is plotted on.
    figure_ : matplotlib Figure
        What that is in.

    Examples
    --------
    >>> from skrnn.inspection import ClassProbabilityDisplay
    >>> display = ClassProbabilityDisplay([[0.5, 0.5], [0.9, 0.1]], ["up", "down"]).plot()
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['up', 'down']
    """

    def __init__(self, proba: Any, classes: Any, *, tokens: Any = None) -> None:
        self.proba = proba
        self.classes = classes
        self.tokens = tokens

    @classmethod
    def from_estimator(cls, estimator: Any, sequence: Any, *, ax: Any = None, **kwargs: Any) -> ClassProbabilityDisplay:
        """Plot the probabilities as a sequence unfolds.

        Parameters
        ----------
        estimator : RNNSequenceClassifier
            Fitted; or a pipeline or a fitted search that ends in one.
        sequence : array-like of shape (n_steps, n_features) or (n_steps,), str, or sequence of tokens
            One sequence, not a list of them.
        ax : matplotlib Axes, default=None
            Where to plot; a new figure by default.
        **kwargs : dict
            Passed to the plot of each line.

        Returns
        -------
        display : ClassProbabilityDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no classifier of sequences.
        """
        transformers, model = split_model(estimator, "ClassProbabilityDisplay")
        if not isinstance(model, RNNSequenceClassifier):
            raise TypeError(f"ClassProbabilityDisplay needs an RNNSequenceClassifier, but the estimator is {model}.")
        model._check_fitted()
        (read,) = transform_by(transformers, only(sequence))
        proba, tokens = _proba_of_beginnings(model, read), tokens_of(model, [read])
        return cls(proba, model.classes_, tokens=tokens).plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, **kwargs: Any) -> ClassProbabilityDisplay:
        """Plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; a new figure by default.
        **kwargs : dict
            Passed to the plot of each line.

        Returns
        -------
        display : ClassProbabilityDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        proba, names = np.asarray(self.proba, float), list(map(str, as_list(self.classes)))
        self.ax_ = make_axes(ax, "ClassProbabilityDisplay", (5.6, 3.0))
        self.figure_ = self.ax_.figure
        named = sorted(np.argsort(-proba.max(axis=0), kind="stable")[: len(LINES)].tolist())
        steps = range(len(proba))
        others = [k for k in range(proba.shape[1]) if k not in named]
        marker = "o" if len(proba) <= 40 else ""
        for rank, k in enumerate(named):
            defaults = {"color": LINES[rank], "label": names[k], "marker": marker, "markersize": 3, "linewidth": 1.6}
            self.ax_.plot(steps, proba[:, k], **{**defaults, **kwargs})
        for k in others:
            label = {"label": f"{len(others)} others"} if k == others[0] else {}
            self.ax_.plot(steps, proba[:, k], **{"color": GREY, "linewidth": 0.8, "zorder": 1, **label, **kwargs})
        self.ax_.set(ylim=(-0.02, 1.02), ylabel="probability")
        label_steps(self.ax_, len(proba), None if self.tokens is None else texts_of(self.tokens))
        self.ax_.grid(axis="y", alpha=0.3)
        self.ax_.spines[["top", "right"]].set_visible(False)
        self.ax_.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, handlelength=1.2)
        return self


def _proba_of_beginnings(model: RNNSequenceClassifier, sequence: Any) -> np.ndarray:
    """Return the probabilities (n_steps, n_classes) after each step."""
    if not model._check_fitted().network.stack.bidirectional:
        return model.predict_proba_steps([sequence])[0]
    return model.predict_proba([sequence[: t + 1] for t in range(len(sequence))])
