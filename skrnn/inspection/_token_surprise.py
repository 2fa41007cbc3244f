"""The surprise at every token of a sequence, as colours."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._next_token import RNNNextTokenModel
from .._validation.values import as_list
from .._vocabulary import END
from .._wrapped import transform_by
from ._coloured_text import check_one_value_each, draw, height_of, to_html
from ._explained import split_model
from ._plotting import largest, make_axes, only, rising_colours, texts_of


class TokenSurpriseDisplay:
    """The tokens of a sequence, coloured by how little the model expected them.

    The surprise at a token is minus its log-probability, given those before it. Make a display with
    :meth:`from_estimator`; in a notebook it also shows as text, whose tokens tell their surprise under the pointer.

    Parameters
    ----------
    tokens : list
        The tokens, END included where it is modelled.
    surprise : array-like of shape (n_tokens,)
        Of each, nats.
    vmax : float, default=None
        Surprise of the strongest colour; by default the largest one.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What is plotted on.
    figure_ : matplotlib Figure
        What that is in.

    Examples
    --------
    >>> from skrnn.inspection import TokenSurpriseDisplay
    >>> display = TokenSurpriseDisplay(["a", "<", "b"], [0.1, 4.0, 0.2])
    >>> "&lt;" in display._repr_html_()
    True
    >>> display.plot().figure_.axes[-1].get_xlabel()
    'surprise (nats)'
    """

    def __init__(self, tokens: Any, surprise: Any, *, vmax: float | None = None) -> None:
        self.tokens = tokens
        self.surprise = surprise
        self.vmax = vmax

    @classmethod
    def from_estimator(
        cls, estimator: Any, sequence: Any, *, vmax: float | None = None, ax: Any = None
    ) -> TokenSurpriseDisplay:
        """Plot a sequence.

        Parameters
        ----------
        estimator : RNNNextTokenModel
            Fitted.
        sequence : str or sequence of tokens
            One sequence, not a list of them.
        vmax : float, default=None
            Surprise of the strongest colour; by default the largest one.
        ax : matplotlib Axes, default=None
            Where to plot; a new figure by default.

        Returns
        -------
        display : TokenSurpriseDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If the estimator is no model of the next token.
        """
        transformers, model = split_model(estimator, "TokenSurpriseDisplay")
        if not isinstance(model, RNNNextTokenModel):
            raise TypeError(f"TokenSurpriseDisplay needs an RNNNextTokenModel, but the estimator is {model}.")
        X = transform_by(transformers, only(sequence))
        (log_proba,) = model.token_log_proba(X)
        tokens = as_list(X[0]) if not isinstance(X[0], str) else list(X[0])
        tokens = [*tokens, END] if len(log_proba) > len(tokens) else tokens
        return cls(tokens, -log_proba, vmax=vmax).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> TokenSurpriseDisplay:
        """Plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; a new figure by default.

        Returns
        -------
        display : TokenSurpriseDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        tokens, surprise, vmax = self._read()
        self.ax_ = make_axes(ax, "TokenSurpriseDisplay", (5.6, height_of(tokens)))
        self.figure_ = self.ax_.figure
        mappable = rising_colours(vmax)
        draw(self.ax_, tokens, surprise, mappable)
        self.figure_.colorbar(mappable, ax=self.ax_, location="bottom", aspect=50, shrink=0.6, label="surprise (nats)")
        return self

    def _repr_html_(self) -> str:
        tokens, surprise, vmax = self._read()
        return to_html(tokens, surprise, vmax, "nats")

    def _read(self) -> tuple[list[str], np.ndarray, float]:
        """Return the tokens as texts, their surprise, and the end of the scale."""
        surprise = np.asarray(self.surprise, float)
        tokens = check_one_value_each(texts_of(self.tokens), surprise, "surprise")
        return tokens, surprise, largest(surprise) if self.vmax is None else self.vmax
