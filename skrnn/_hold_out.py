"""What is held out for early stopping, and the score of parameters on it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import ceil, isfinite
from numbers import Real
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import joblib
import numpy as np
from sklearn.metrics import get_scorer_names

from ._validation.values import shown

SCORER_DEPTH = 8
"""How far what a scorer holds is followed; scorers of scikit-learn end at 7."""


@dataclass(frozen=True)
class Validation:
    """Sequences that are held out, and the score on them.

    Attributes
    ----------
    score : callable
        ``score(params)``, higher is better.
    data : str
        Digest of the sequences.
    """

    score: Callable[[np.ndarray], Any]
    data: str


def hold_out(targets: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n_train,) to learn from and rows (n_held,) to hold out, each class as near as possible in proportion.

    No class is held out whole: of one that has a single row, nothing is. Raises where that leaves nothing.
    """
    rng = np.random.default_rng(seed)
    n_of_class = np.bincount(targets)
    n_held_of_class = _apportion(ceil(fraction * len(targets)), n_of_class, np.maximum(n_of_class - 1, 0), rng)
    if not n_held_of_class.any():
        raise ValueError(
            f"X has {len(targets)} sequences of {np.count_nonzero(n_of_class)} classes: too few to hold out "
            f"validation_fraction={fraction} of them, since no class may be held out whole. Pass more, X_val and "
            "y_val, or use early_stopping=False."
        )
    rows = rng.permutation(len(targets))
    rows = rows[np.argsort(targets[rows], kind="stable")]  # class by class, at random within each
    place = np.arange(len(rows)) - np.repeat(np.cumsum(n_of_class) - n_of_class, n_of_class)
    is_held = place < np.repeat(n_held_of_class, n_of_class)
    return np.sort(rows[~is_held]), np.sort(rows[is_held])


def hold_out_any(n: int, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return some of n rows to learn from, and some to hold out, at random; raises for a single one."""
    if n < 2:
        raise ValueError(
            f"X has 1 sequence: too few to hold out validation_fraction={fraction} of them. Pass more, X_val and "
            "y_val, or use early_stopping=False."
        )
    return hold_out(np.zeros(n, dtype=np.intp), fraction, seed)


def _apportion(n: int, sizes: np.ndarray, most: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share `n` out in proportion to sizes (K,), at most `most` (K,) of each, by largest remainders; ties at random."""
    ideal = n * sizes / sizes.sum()
    shares = np.minimum(ideal.astype(np.intp), most)
    while (left := min(n, int(most.sum())) - int(shares.sum())) > 0:
        order = rng.permutation(len(sizes))
        order = order[np.argsort((shares - ideal)[order], kind="stable")]
        shares[order[shares[order] < most[order]][:left]] += 1
    return shares


def check_scorer_name(scoring: Any) -> None:
    """Raise for a name that scikit-learn does not know."""
    if isinstance(scoring, str) and scoring not in get_scorer_names():
        raise ValueError(
            f"scoring is {shown(scoring)}, which names no scorer of scikit-learn. Pass 'loss', a callable, or one of "
            "sklearn.metrics.get_scorer_names()."
        )


def checked_score(value: Any, scoring: Any, epoch: int) -> float:
    """Return what a scorer gave in an epoch as a float; raises where it is not one finite number."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    with suppress(OverflowError):  # of integers beyond floats
        if isinstance(value, Real) and isfinite(value):
            return float(value)
    raise ValueError(
        f"scoring={scoring!r:.100} returned {shown(value)} in epoch {epoch}. A scorer must return one finite number, "
        "higher for better models."
    )


def scorer_digest(scoring: Any) -> str:
    """Return a digest of a scorer, equal for its copies, so that a fitted model need not hold it."""
    return str(joblib.hash(_plain(scoring, {}, SCORER_DEPTH)))


def _plain(value: Any, seen: dict[int, tuple[int, Any]], depth: int) -> Any:
    """Return what makes a scorer as values that can be hashed: functions by their code, objects by their attributes.

    `seen` numbers what was met on the way, and keeps it, so that no other object gets its id. Beyond `depth` they
    count by their type: a scorer may hold on to all of a running program, such as the database of a study.
    """
    if isinstance(value, (type, ModuleType)):
        return value.__name__
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if cell != CellType()]
        parts: Any = [
            value.__module__,
            value.__qualname__,
            value.__code__,
            value.__defaults__,
            value.__kwdefaults__,
            cells,
        ]
    elif isinstance(value, CodeType):
        parts = [value.co_code, value.co_names, value.co_consts]
    elif isinstance(value, MethodType):
        parts = [value.__func__, value.__self__]
    elif isinstance(value, partial):
        parts = [value.func, value.args, value.keywords]
    elif isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, (list, tuple)):
        parts = value
    elif hasattr(value, "__dict__"):
        parts = [*vars(value).keys(), *vars(value).values()]
    else:
        try:
            return joblib.hash(value)
        except Exception:  # what cannot be pickled counts by its type alone
            return type(value).__qualname__
    if id(value) in seen:
        return seen[id(value)][0]
    if not depth:
        return type(value).__qualname__
    seen[id(value)] = len(seen), value
    return type(value).__qualname__, [_plain(part, seen, depth - 1) for part in parts]
