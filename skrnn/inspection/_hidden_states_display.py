"""The states of the units of a layer over the steps of a sequence, as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage

from ._explained import tokens_of
from ._plotting import label_steps, largest, make_axes, only, signed_colours, texts_of
from ._states import hidden_states


class HiddenStatesDisplay:
    """What every unit of a layer holds at every step of a sequence.

    Make one with :meth:`from_estimator`.

    Parameters
    ----------
    states : array-like of shape (n_steps, n_units)
        What :func:`skrnn.inspection.hidden_states` gives for one sequence.
    tokens : list, default=None
        The tokens of the sequence, which stand at the steps if they fit.
    sort_units : bool, default=True
        Whether units that behave alike stand side by side, as hierarchical clustering finds them; else they are in the
        order of the parameters.

    Attributes
    ----------
    units_ : ndarray of shape (n_units,)
        Which unit each row shows, from the top.
    ax_ : matplotlib Axes
        What is plotted on.
    figure_ : matplotlib Figure
        What that is in.

    Examples
    --------
    >>> from skrnn.inspection import HiddenStatesDisplay
    >>> display = HiddenStatesDisplay([[0.1, -0.9, 0.2], [0.3, 0.5, 0.3]]).plot()
    >>> sorted(display.units_.tolist())
    [0, 1, 2]
    """

    def __init__(self, states: Any, *, tokens: Any = None, sort_units: bool = True) -> None:
        self.states = states
        self.tokens = tokens
        self.sort_units = sort_units

    @classmethod
    def from_estimator(
        cls, estimator: Any, sequence: Any, *, layer: int = -1, sort_units: bool = True, ax: Any = None, **kwargs: Any
    ) -> HiddenStatesDisplay:
        """Plot the states over a sequence.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator of skrnn, or a pipeline or a fitted search that ends in one.
        sequence : array-like of shape (n_steps, n_features) or (n_steps,), str, or sequence of tokens
            One sequence, not a list of them.
        layer : int, default=-1
            Which layer, from the input upwards; negative from the last one downwards.
        sort_units : bool, default=True
            Whether units that behave alike stand side by side.
        ax : matplotlib Axes, default=None
            Where to plot; a new figure by default.
        **kwargs : dict
            Passed to `imshow`.

        Returns
        -------
        display : HiddenStatesDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError, TypeError, ValueError
            As `hidden_states`.
        """
        X = only(sequence)
        (states,) = hidden_states(estimator, X, layer=layer)
        return cls(states, tokens=tokens_of(estimator, X), sort_units=sort_units).plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, **kwargs: Any) -> HiddenStatesDisplay:
        """Plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; a new figure by default.
        **kwargs : dict
            Passed to `imshow`.

        Returns
        -------
        display : HiddenStatesDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        states = np.asarray(self.states, float)
        self.units_ = _alike_side_by_side(states) if self.sort_units else np.arange(states.shape[1])
        self.ax_ = make_axes(ax, "HiddenStatesDisplay", (5.6, 3.6))
        self.figure_ = self.ax_.figure
        mappable = signed_colours(largest(states))
        defaults = {"aspect": "auto", "interpolation": "nearest", "cmap": mappable.cmap, "norm": mappable.norm}
        image = self.ax_.imshow(states[:, self.units_].T, **{**defaults, **kwargs})
        self.figure_.colorbar(image, ax=self.ax_, label="state", aspect=30)
        label_steps(self.ax_, len(states), None if self.tokens is None else texts_of(self.tokens))
        self.ax_.set(yticks=[], ylabel=f"{states.shape[1]} units" + (", sorted" if self.sort_units else ""))
        return self


def _alike_side_by_side(states: np.ndarray) -> np.ndarray:
    """Return the units (n_units,) in an order in which neighbours behave alike."""
    if states.shape[1] < 3:
        return np.arange(states.shape[1])
    return leaves_list(linkage(states.T, "average", optimal_ordering=True))
