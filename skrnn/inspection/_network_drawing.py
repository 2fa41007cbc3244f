"""Boxes and arrows of a network that is unrolled over time."""

from __future__ import annotations

from typing import Any

from ._plotting import BLUE, GREY, INK, ORANGE

CELLS = {"gru": "GRU", "lstm": "LSTM", "tanh": "tanh", "relu": "ReLU"}
POOLINGS = {"last": "last state", "mean": "mean over all steps", "max": "maximum over all steps"}

_COLUMNS = {0: "1", 1: "2", 3: "T"}
"""Steps that are drawn, by their place; between the last two are dots."""
_GAPS = [(0.3, 0.7), (1.3, 1.86), (2.14, 2.7)]
"""Where arrows from one to the next begin and end."""

_HALF_WIDTH, _HALF_HEIGHT, _MARGIN = 0.3, 0.22, 0.09
_ROW, _REVERSE_ROW = 1.0, 0.54
"""From a row of boxes to the one above it, and to that of the reverse direction of the same layer."""


class NetworkDrawing:
    """A picture of one network; steps are 1 apart, to the right, rows are further up the closer they are to the output.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    is_bidirectional : bool
        Whether layers have a second row, of the direction from the end.
    """

    def __init__(self, ax: Any, is_bidirectional: bool) -> None:
        self.ax, self.is_bidirectional = ax, is_bidirectional
        self.top = _HALF_HEIGHT - _ROW  # the upper edge of what is drawn already

    def add_inputs(self, description: str) -> None:
        """Draw what each step reads."""
        y = self._next_row(0)
        for column, name in _COLUMNS.items():
            self._box(column, y, f"$x_{{{name}}}$", "0.93", GREY)
        self._dots(y)
        self._label(y, "input", description)
        self.top = y + _HALF_HEIGHT

    def add_layer(self, cell: str, name: str, description: str) -> None:
        """Draw a layer: its steps forward, and above them those backward."""
        margin = _MARGIN * self.is_bidirectional
        y = self._next_row(margin)
        rows = [(y, BLUE, 1), (y + _REVERSE_ROW, ORANGE, -1)][: 1 + self.is_bidirectional]
        top = rows[-1][0] + _HALF_HEIGHT + margin
        for column in _COLUMNS:
            self._arrow((column, self.top), (column, y - _HALF_HEIGHT - margin))
            if self.is_bidirectional:
                bottom = y - _HALF_HEIGHT - margin
                self._rectangle(
                    column - _HALF_WIDTH - margin, bottom, column + _HALF_WIDTH + margin, top, "0.96", "0.8"
                )
        for row, colour, direction in rows:
            for column in _COLUMNS:
                self._box(column, row, cell, colour, colour, tint=0.18)
            for gap in _GAPS:
                start, end = gap[::direction]
                self._arrow((start, row), (end, row), colour)
            self._dots(row)
        self._label((y + rows[-1][0]) / 2, name, description)
        self.top = top

    def add_pooling(self, pooling: str) -> None:
        """Draw what becomes of the top layer's states where there is one prediction."""
        y, is_last = self._next_row(0), pooling == "last"
        if is_last and not self.is_bidirectional:
            self._arrow((3, self.top), (3, y - _HALF_HEIGHT))
            self._box(3, y, POOLINGS[pooling], "0.93", GREY, half_width=0.42)
        else:
            colours = {0: ORANGE, 3: BLUE} if is_last else dict.fromkeys(_COLUMNS, INK)  # of the one that ends there
            for column, colour in colours.items():
                self._arrow((column, self.top), (0.6 + 0.6 * column, y - _HALF_HEIGHT), colour)
            text = "last state of each direction" if is_last else POOLINGS[pooling]
            self._box(1.5, y, text, "0.93", GREY, half_width=1.25)
        self._label(y, "pooling", "")
        self.top = y + _HALF_HEIGHT

    def add_output(self, description: str, pooling: str) -> None:
        """Draw the only prediction, above the pooled states."""
        y, column = self._next_row(0), 3 if pooling == "last" and not self.is_bidirectional else 1.5
        self._arrow((column, self.top), (column, y - _HALF_HEIGHT))
        self._box(column, y, r"$\hat y$", "white", INK)
        self._label(y, "output", description)
        self.top = y + _HALF_HEIGHT

    def add_outputs(self, description: str, has_chain: bool) -> None:
        """Draw a prediction for each step; in a chain they depend on one another."""
        y = self._next_row(0)
        for column, name in _COLUMNS.items():
            self._arrow((column, self.top), (column, y - _HALF_HEIGHT))
            self._box(column, y, rf"$\hat y_{{{name}}}$", "white", INK)
        self._dots(y)
        for gap in _GAPS if has_chain else []:
            self.ax.plot(gap, [y, y], color=INK, linewidth=1.2)
        self._label(y, "output", description)
        self.top = y + _HALF_HEIGHT

    def finish(self, title: str) -> None:
        """Fit the axes to what was drawn."""
        self.ax.set(xlim=(-2.05, 3.5), ylim=(-0.45, self.top + 0.15))
        self.ax.set_title(title, size=10, color=INK)
        self.ax.axis("off")

    def _next_row(self, margin: float) -> float:
        """Return the height of the next row of boxes, with a margin around them."""
        return self.top - _HALF_HEIGHT + _ROW + margin

    def _rectangle(self, left: float, bottom: float, right: float, top: float, face: Any, edge: str) -> None:
        from matplotlib.patches import FancyBboxPatch

        style = "round,pad=0,rounding_size=0.07"
        size = right - left, top - bottom
        self.ax.add_patch(
            FancyBboxPatch((left, bottom), *size, boxstyle=style, facecolor=face, edgecolor=edge, linewidth=1.2)
        )

    def _box(
        self, x: float, y: float, text: str, face: str, edge: str, tint: float = 1.0, half_width: float = _HALF_WIDTH
    ) -> None:
        from matplotlib.colors import to_rgb

        tinted = tuple(1 - tint * (1 - value) for value in to_rgb(face))
        self._rectangle(x - half_width, y - _HALF_HEIGHT, x + half_width, y + _HALF_HEIGHT, tinted, edge)
        self.ax.text(x, y, text, ha="center", va="center", size=9.5, color=INK)

    def _arrow(self, start: tuple[float, float], end: tuple[float, float], colour: str = INK) -> None:
        style = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "linewidth": 1.1, "mutation_scale": 9}
        self.ax.annotate("", xy=end, xytext=start, arrowprops={**style, "color": colour})

    def _dots(self, y: float) -> None:
        self.ax.text(2, y, "…", ha="center", va="center", size=12, color=INK)

    def _label(self, y: float, title: str, description: str) -> None:
        self.ax.text(
            -2.0, y + 0.02, title, size=9.5, weight="bold", color=INK, va="bottom" if description else "center"
        )
        self.ax.text(-2.0, y - 0.02, description, size=9, color=INK, va="top", linespacing=1.15)
