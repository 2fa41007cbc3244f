"""The history of a fit as a plot."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted

from ._plotting import make_axes


class TrainingCurveDisplay:
    """Training loss, and validation score if there is one, of every epoch.

    Make one with :meth:`from_estimator`.

    Parameters
    ----------
    loss_curve : list of float
        Training loss of each epoch.
    validation_scores : list of float or None, default=None
        Score of each epoch on what was held out.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the loss.
    validation_ax_ : matplotlib Axes or None
        Axes of the validation scores, on the right of the same plot.
    figure_ : matplotlib Figure
        What both are in.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by the number of training samples, another curve.

    Examples
    --------
    >>> from skrnn.inspection import TrainingCurveDisplay
    >>> display = TrainingCurveDisplay([0.9, 0.5, 0.4]).plot()
    >>> display.ax_.get_xlabel()
    'epoch'
    """

    def __init__(self, loss_curve: list[float], validation_scores: list[float] | None = None) -> None:
        self.loss_curve = loss_curve
        self.validation_scores = validation_scores

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **kwargs: Any) -> TrainingCurveDisplay:
        """Plot the training of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``loss_curve_``, and ``validation_scores_`` if it held something out.
        ax : matplotlib Axes, default=None
            Where to plot; a new figure by default.
        **kwargs : dict
            Passed to the plot of the loss.

        Returns
        -------
        display : TrainingCurveDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        check_is_fitted(estimator)
        return cls(estimator.loss_curve_, getattr(estimator, "validation_scores_", None)).plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, **kwargs: Any) -> TrainingCurveDisplay:
        """Plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; a new figure by default.
        **kwargs : dict
            Passed to the plot of the loss.

        Returns
        -------
        display : TrainingCurveDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = make_axes(ax, "TrainingCurveDisplay", (6.4, 4.8))
        self.figure_ = self.ax_.figure
        epochs = range(1, len(self.loss_curve) + 1)
        lines = self.ax_.plot(epochs, self.loss_curve, **{"label": "training loss", **kwargs})
        self.ax_.set(xlabel="epoch", ylabel="training loss (nats)")
        self.ax_.grid(alpha=0.3)
        self.validation_ax_ = None
        if self.validation_scores:
            self.validation_ax_ = self.ax_.twinx()
            first = len(self.loss_curve) - len(self.validation_scores)  # a warm start may have begun to watch later
            lines += self.validation_ax_.plot(
                epochs[first:], self.validation_scores, color="tab:orange", linestyle="--", label="validation score"
            )
            self.validation_ax_.set_ylabel("validation score")
            self.ax_.legend(handles=lines, loc="center right")
        return self
