"""A ragged batch as a run of rectangles: how it is cut, and how rows and columns of them are laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np

from ..arrays import Floats, Ints, Values


class Cutting(NamedTuple):
    """How a ragged batch is cut: what suits a cell.

    Attributes
    ----------
    max_padding : float, default=0
        Time steps of padding that a segment may hold. 0 cuts at every end and pads nothing; inf never cuts.
    max_size : float, default=inf
        Time steps that a segment may hold; one step always fits.
    """

    max_padding: float = 0.0
    max_size: float = inf


EXACT = Cutting()


@dataclass(frozen=True)
class Segment:
    """A rectangle of a ragged batch: `n_steps` steps of its first `n_columns` sequences.

    Attributes
    ----------
    start : int
        Step of the sequences at which the segment begins.
    n_steps : int
        L, the number of its steps.
    n_columns : int
        n, the number of its sequences. Some may have ended: padding, which `active_ranges` leaves out.
    active_ranges : tuple of (int, int, int)
        ``(first, last, n_active)``: between steps first and last of the segment the first n_active sequences continue.
        The ranges follow one another, with ever fewer sequences.
    """

    start: int
    n_steps: int
    n_columns: int
    active_ranges: tuple[tuple[int, int, int], ...]


def cut_segments(lengths: Ints, cutting: Cutting = EXACT) -> tuple[Segment, ...]:
    """Cut a batch of sequences of `lengths` (B,), longest first, at least 1, into rectangles in the order of time.

    A sequence that ends narrows the batch. Every border costs a little work of its own, so neighbouring rectangles are
    merged while that pads few columns. Together they cover every step of every sequence once.

    Examples
    --------
    >>> import numpy as np
    >>> [(s.start, s.n_steps, s.n_columns) for s in cut_segments(np.array([5, 5, 2]))]
    [(0, 2, 3), (2, 3, 2)]
    >>> cut_segments(np.array([5, 5, 2]), Cutting(max_padding=10))
    (Segment(start=0, n_steps=5, n_columns=3, active_ranges=((0, 2, 3), (2, 5, 2))),)
    """
    segments: list[Segment] = []
    ranges: list[tuple[int, int, int]] = []
    start, width, padding = 0, 0, 0.0
    for first, last, n_active in _ranges_of_equal_width(lengths):
        padding += (last - first) * (width - n_active)
        if ranges and padding > cutting.max_padding:
            segments.extend(_split(start, width, ranges, cutting.max_size))
            ranges = []
        if not ranges:
            start, width, padding = first, n_active, 0.0
        ranges.append((first, last, n_active))
    segments.extend(_split(start, width, ranges, cutting.max_size))
    return tuple(segments)


def rows_by_segment(rows: Values, segments: Sequence[Segment]) -> list[Values]:
    """Give views (L, n, width) of `rows` (N, width), one time step a row, segment after segment.

    Examples
    --------
    >>> import numpy as np
    >>> segments = cut_segments(np.array([3, 1]))
    >>> [view.shape for view in rows_by_segment(np.zeros((4, 5)), segments)]
    [(1, 2, 5), (2, 1, 5)]
    """
    views, start = [], 0
    for segment in segments:
        end = start + segment.n_steps * segment.n_columns
        views.append(rows[start:end].reshape(segment.n_steps, segment.n_columns, -1))
        start = end
    return views


def flatten_time(steps: Floats, out: Floats) -> None:
    """Copy `steps` (L, rows, n) into one matrix `out` (rows, L*n), one column for each time step.

    Examples
    --------
    >>> out = np.empty((1, 4))
    >>> flatten_time(np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), out)
    >>> out
    array([[1., 2., 3., 4.]])
    """
    L, n_rows, n = steps.shape
    whole_row = np.dtype((np.void, n * steps.itemsize))  # copied as one item: 1.5 to 4 times faster than as n numbers
    out.reshape(n_rows, L, n).view(whole_row)[...] = steps.view(whole_row).transpose(1, 0, 2)


def _ranges_of_equal_width(lengths: Ints) -> list[tuple[int, int, int]]:
    """(first step, last step, number of sequences that continue) between the places where sequences end."""
    last_columns = [*(lengths[1:] != lengths[:-1]).nonzero()[0].tolist(), len(lengths) - 1]  # of each length
    last_columns.reverse()
    ends = lengths[last_columns].tolist()
    return [(first, last, column + 1) for first, last, column in zip([0, *ends[:-1]], ends, last_columns, strict=True)]


def _split(start: int, width: int, ranges: list[tuple[int, int, int]], max_size: float) -> list[Segment]:
    """Cut one rectangle into parts of equal length that hold at most max_size time steps."""
    n_steps = ranges[-1][1] - start
    n_parts = -(-n_steps // max(1, int(min(max_size / width, n_steps))))
    borders = [start + n_steps * k // n_parts for k in range(n_parts + 1)]
    return [
        Segment(
            begin,
            end - begin,
            width,
            tuple((max(a, begin) - begin, min(b, end) - begin, n) for a, b, n in ranges if a < end and b > begin),
        )
        for begin, end in zip(borders[:-1], borders[1:], strict=True)
    ]
