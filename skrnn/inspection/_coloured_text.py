"""Tokens that are coloured by a number each: as HTML, and as a picture."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Any

import numpy as np

from ._plotting import BLUE, INK, ORANGE, VISIBLE

LINE_LENGTH = 42
"""Characters of a line of the picture, unless one token has more."""

_MOST_OPAQUE = 0.65
"""Colours let the background through: text stays legible in its own colour on light pages and on dark ones."""


def check_one_value_each(tokens: list[str], values: Any, name: str) -> list[str]:
    """Return the tokens; raise unless there is a value for each."""
    if np.shape(values) != (len(tokens),):
        raise ValueError(f"{name} has shape {np.shape(values)}, but there are {len(tokens)} tokens. Pass one for each.")
    return tokens


def to_html(tokens: list[str], values: np.ndarray, vmax: float, unit: str) -> str:
    """Return tokens as HTML, on orange for values up to vmax and on blue for negative ones; each says its own."""
    between = "" if _are_characters(tokens) else " "
    spans = between.join(map(_span, tokens, values.tolist(), [vmax] * len(tokens), [unit] * len(tokens)))
    style = "font-family:monospace;line-height:1.9;white-space:pre-wrap;overflow-wrap:anywhere"
    return f'<div class="skrnn-tokens" style="{style}">{spans}</div>'


def _span(token: str, value: float, vmax: float, unit: str) -> str:
    colour = ORANGE if value >= 0 else BLUE
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    opacity = _MOST_OPAQUE * min(1.0, abs(value) / vmax)
    style = f"background:rgba({red},{green},{blue},{opacity:.3f});border-radius:2px;padding:0.15em 0.08em"
    shown = escape(VISIBLE.get(token, token) if token != " " else token) + ("\n" if token == "\n" else "")
    return f'<span style="{style}" title="{escape(f"{token}: {value:.3g} {unit}")}">{shown}</span>'


def draw(ax: Any, tokens: list[str], values: np.ndarray, mappable: Any) -> None:
    """Draw tokens on boxes in the colours of their values, as many in a line as fit; letters scale with the axes."""
    from matplotlib.patches import PathPatch, Rectangle

    boxes, width, n_lines = _places(tokens)
    for (text, line, column, length), colour in zip(boxes, mappable.to_rgba(values)):
        y = -_HEIGHT * line
        ax.add_patch(Rectangle((column, y - 0.75), length, 1.6, facecolor=colour, edgecolor="white", linewidth=1))
        if path := _letters(text, column + (length - len(text)) / 2, y - 0.35):
            ax.add_patch(PathPatch(path, facecolor=INK, linewidth=0))
    ax.set(xlim=(0, width), ylim=(-_HEIGHT * n_lines + 0.9, 1.1), aspect="equal")
    ax.axis("off")


def height_of(tokens: list[str]) -> float:
    """Return how many inches the picture of tokens takes, 5.6 wide, with a scale of colours below."""
    _, width, n_lines = _places(tokens)
    return 0.95 + 5.4 * _HEIGHT * n_lines / width


_HEIGHT = 1.9
"""Of a line, in widths of a letter."""


def _places(tokens: list[str]) -> tuple[list[tuple[str, int, float, float]], float, int]:
    """Return for each token what is written, its line, the column where it begins, and its length; width and lines."""
    padding = 0.15 if _are_characters(tokens) else 0.6
    texts = [VISIBLE.get(token, token) for token in tokens]
    lengths = [len(text) + 2 * padding for text in texts]
    width, boxes, line, column = max([LINE_LENGTH, *lengths]), [], 0, 0.0
    for token, text, length in zip(tokens, texts, lengths):
        if column and column + length > width:
            line, column = line + 1, 0.0
        boxes.append((text, line, column, length))
        column += length
        if token == "\n":
            line, column = line + 1, 0.0
    return boxes, width, 1 + max((line for _, line, _, _ in boxes), default=0)


def _letters(text: str, x: float, y: float) -> Any:
    """Return the path of a text whose letters are one unit wide, that begins at (x, y); None for spaces."""
    from matplotlib.path import Path

    vertices, codes = _glyphs(text)
    letter = _glyphs("00")[0][:, 0].max() - _glyphs("0")[0][:, 0].max()
    return Path(vertices / letter + (x, y), codes) if len(vertices) else None


@lru_cache(maxsize=1024)
def _glyphs(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the points (n, 2) and the codes (n,) of a text's path, in matplotlib's units."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    vertices, codes = text_to_path.get_text_path(FontProperties(family="monospace"), text, ismath=False)
    return np.asarray(vertices), np.asarray(codes)


def _are_characters(tokens: list[str]) -> bool:
    """Whether tokens make up a text together: single characters, but for END and UNKNOWN."""
    return all(len(token) <= 1 for token in tokens if token not in ("END", "UNKNOWN"))
