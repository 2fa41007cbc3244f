"""What `verbose` shows of a training."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from .core.training.monitor import Observer, TrainingMonitor


@contextmanager
def reporting(
    max_iter: int, verbose: int, in_units: Callable[[float], float], score_in_units: Callable[[float], float]
) -> Iterator[Observer]:
    """Yield what prints the progress of at most `max_iter` epochs, those of before included, if verbose."""
    if not verbose:
        yield Observer()
        return
    line = ProgressLine(max_iter, verbose, in_units, score_in_units)
    try:
        yield line
    finally:
        line.close()


class ProgressLine(Observer):
    """What `verbose` prints: on a terminal one line that is written over, elsewhere a line now and then.

    Parameters
    ----------
    max_iter : int
        Number of epochs at most.
    verbose : int
        1 for a line every few seconds, 2 and above for one each epoch.
    in_units, score_in_units : callable
        ``in_units(loss)``, what is printed of a loss, and of a validation score.
    """

    SECONDS_BETWEEN_LINES = 5.0

    def __init__(
        self,
        max_iter: int,
        verbose: int,
        in_units: Callable[[float], float] = float,
        score_in_units: Callable[[float], float] = float,
    ) -> None:
        self._max_iter = max_iter
        self._every_epoch = int(verbose) > 1
        self._in_units = in_units
        self._score_in_units = score_in_units
        self._start = time.monotonic()
        self._last_line = -np.inf
        self._pending = ""

    def end_epoch(self, monitor: TrainingMonitor, has_converged: bool) -> bool:
        """Print the progress, if it is time to."""
        now = time.monotonic() - self._start
        loss = _digits(self._in_units(monitor.loss_curve[-1]))
        self._pending = f"epoch {monitor.n_epochs:4d} of at most {self._max_iter}  loss {loss}"
        if monitor.validation_scores:
            self._pending += f"  validation score {_digits(self._score_in_units(monitor.validation_scores[-1]))}"
        self._pending += f"  {now:.0f} s"
        if self._every_epoch or (not _is_terminal() and now - self._last_line >= self.SECONDS_BETWEEN_LINES):
            print(self._pending, flush=True)
            self._last_line, self._pending = now, ""
        elif _is_terminal():
            print("\r" + self._pending, end="", flush=True)
        return False

    def close(self) -> None:
        """Print the last state, if it has not been."""
        if self._pending:
            print(("\r" if _is_terminal() else "") + self._pending, flush=True)


def _digits(value: float) -> str:
    """Four decimals, or four digits of what is very small or large."""
    return f"{value:.4f}" if value == 0 or 1e-2 <= abs(value) < 1e6 else f"{value:.4g}"


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
