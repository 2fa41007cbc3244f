"""What the displays have in common: axes, colours, and one sequence as a list of sequences."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from .._vocabulary import SpecialToken

INK, GREY = "#1f2933", "#8a939c"
BLUE, ORANGE = "#2171b5", "#d95f0e"
"""For the two signs, and the two directions: told apart by every kind of colour vision, and by lightness from white."""
LINES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]
"""Okabe and Ito, *Color universal design* (2008), without yellow, which is lost on white."""

VISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥", "": "∅"}
"""How tokens are written that would not be seen."""


def make_axes(ax: Any, name: str, size: tuple[float, float]) -> Any:
    """Return axes to plot on: those that are given, or those of a new figure of a size in inches."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"{name} needs matplotlib. Install it with pip install 'skrnn[plot]'.") from error
    return plt.subplots(figsize=size, layout="constrained")[1] if ax is None else ax


def signed_colours(vmax: float) -> Any:
    """Return a mappable from -vmax (blue) over 0 (white) to vmax (orange)."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    colours = LinearSegmentedColormap.from_list("signed", [BLUE, "white", ORANGE], N=255)  # an odd number: 0 is white
    return ScalarMappable(Normalize(-vmax, vmax), colours)


def rising_colours(vmax: float) -> Any:
    """Return a mappable from 0 (white) to vmax (orange)."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    return ScalarMappable(Normalize(0, vmax), LinearSegmentedColormap.from_list("rising", ["white", ORANGE]))


def largest(values: np.ndarray) -> float:
    """Return the largest absolute value, or 1 where all are 0: the end of a scale of colours."""
    return float(np.abs(values).max(initial=0)) or 1.0


def only(sequence: Any) -> list[Any]:
    """Return a list of one sequence; numbers in a list are an array, so that it is not read as a row of a table."""
    if isinstance(sequence, (list, tuple)) and sequence and all(isinstance(value, Real) for value in sequence):
        return [np.asarray(sequence)]
    return [sequence]


def texts_of(tokens: Any) -> list[str]:
    """Return tokens as they are written in a display."""
    return [repr(token) if isinstance(token, SpecialToken) else str(token) for token in tokens]


def label_steps(ax: Any, n_steps: int, tokens: list[str] | None) -> None:
    """Label the x axis, whose steps are 0 to n_steps - 1: with their numbers from 1 on, or with tokens if they fit."""
    if tokens is not None and sum(map(len, tokens)) <= 60:
        ax.set_xticks(range(n_steps), [VISIBLE.get(token, token) for token in tokens], parse_math=False)
        ax.set_xlabel("token")
        return
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x + 1:g}"))
    ax.set_xlabel("step")
