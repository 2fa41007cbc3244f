"""Is a gradient the derivative of its loss? Ask the loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from ..core.parameters import ParameterLayout

_LEAST_SCALE = 1e-3
"""An array is measured against at least this share of the largest entry of the whole gradient."""


class ArrayCheck(NamedTuple):
    """What `check_gradient` found in one array of parameters.

    Attributes
    ----------
    name : str
        Which array.
    error : float
        Relative error of its worst entry.
    place : tuple of int
        Index of that entry.
    gradient, difference : float
        What the gradient says there, and what the loss does.
    n_checked : int
        Number of entries that were checked.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.inspection import check_gradient
    >>> worst = check_gradient(lambda x: (np.sum(x**2), x), np.array([1.0, 2.0])).arrays[0]
    >>> worst.name, worst.place, round(worst.gradient, 6), round(worst.difference, 6)
    ('params', (1,), 2.0, 4.0)
    """

    name: str
    error: float
    place: tuple[int, ...]
    gradient: float
    difference: float
    n_checked: int


@dataclass(frozen=True)
class GradientCheck:
    """Result of `check_gradient`; ``print`` it for a table, the worst array first.

    Attributes
    ----------
    arrays : list of ArrayCheck
        One for each array of parameters, the worst first.
    tol : float
        Largest relative error that passes.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.inspection import check_gradient
    >>> check = check_gradient(lambda x: (np.sum(x**2), 2 * x), np.array([1.0, 2.0]))
    >>> check.passed, check.error < 1e-9
    (True, True)
    """

    arrays: list[ArrayCheck]
    tol: float

    @property
    def error(self) -> float:
        """Largest relative error of all arrays."""
        return self.arrays[0].error

    @property
    def passed(self) -> bool:
        """Whether no array is off by more than `tol`."""
        return self.error <= self.tol

    def __str__(self) -> str:
        width = max(len("array"), *(len(array.name) for array in self.arrays))
        lines = [f"{'array':{width}}  {'error':>8}  {'worst entry':>12}  {'gradient':>12}  {'difference':>12}"]
        for name, error, place, gradient, difference, _ in self.arrays:
            where = "[" + ", ".join(map(str, place)) + "]"
            lines.append(f"{name:{width}}  {error:8.1e}  {where:>12}  {gradient:12.5g}  {difference:12.5g}")
        verdict = "The gradient is right" if self.passed else "The gradient is WRONG"
        return "\n".join([*lines, f"{verdict}: the largest relative error is {self.error:.1e}, tol={self.tol:g}."])


def check_gradient(
    loss_gradient: Callable[[np.ndarray], tuple[float, np.ndarray]],
    params: np.ndarray,
    *,
    layout: ParameterLayout | None = None,
    tol: float = 1e-6,
    step: float = 1e-5,
    max_entries: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> GradientCheck:
    r"""Compare a gradient with central differences of its loss, entry by entry.

    .. math:: \frac{\partial \ell}{\partial \theta_k} \approx \frac{\ell(\theta + s e_k) - \ell(\theta - s e_k)}{2 s}

    Parameters
    ----------
    loss_gradient : callable
        ``loss_gradient(params) -> (loss, gradient)``: a float and an array like `params`, as for
        ``scipy.optimize.minimize(..., jac=True)``.
    params : ndarray of shape (n_params,), float64
        Where to check. Not changed. Choose values none of which is zero or like another, so that nothing is right by
        accident.
    layout : ParameterLayout, default=None
        Names and shapes of the arrays in the vector, such as ``network.layout``; by default the vector is one array.
    tol : float, default=1e-6
        Largest relative error that passes.
    step : float, default=1e-5
        How far a parameter is moved to either side.
    max_entries : int, default=None
        Check that many entries of each array, drawn at random; all by default. An entry costs two calls.
    random_state : int, RandomState instance or None, default=None
        Seed of that draw.

    Returns
    -------
    check : GradientCheck
        ``check.passed``, and a table to print.

    Raises
    ------
    ValueError
        If `params` is not a vector of float64 of the layout's size, `loss_gradient` returns a gradient of another
        shape, or a loss or gradient is not finite.

    Notes
    -----
    The error of an array is the largest deviation of its entries, divided by the largest entry of the array, or by a
    thousandth of the largest entry of the whole gradient if that is more: differences are rounded, and a gradient that
    is zero cannot be measured against itself.

    With the default step a right gradient of a smooth loss has an error of 1e-9 or so, and a wrong one a thousand times
    `tol` and more. Where the loss has a kink between the two points, as with relu, the difference itself is off.

    Examples
    --------
    A gradient with a factor forgotten:

    >>> import numpy as np
    >>> from skrnn.inspection import check_gradient
    >>> check = check_gradient(lambda x: (np.sum(x**2), x), np.array([1.0, 2.0]))
    >>> print(check)
    array      error   worst entry      gradient    difference
    params   5.0e-01           [1]             2             4
    The gradient is WRONG: the largest relative error is 5.0e-01, tol=1e-06.
    """
    params = np.asarray(params)
    if params.ndim != 1 or params.dtype != np.float64:
        raise ValueError(
            f"params has shape {params.shape} and dtype {params.dtype}. Pass a vector of float64: differences in "
            "float32 are too coarse."
        )
    if layout is None:
        layout = ParameterLayout({"": {"params": params.shape}})
    if layout.size != len(params):
        raise ValueError(
            f"params has {len(params)} entries, but layout describes {layout.size}. Pass those of one network."
        )
    gradient = _read_gradient(loss_gradient, params)
    rng = check_random_state(random_state)
    places = layout.views(np.arange(len(params)))
    names = {f"{part}.{name}".lstrip("."): place for part, arrays in places.items() for name, place in arrays.items()}
    arrays = []
    for name, place in names.items():
        entries = place.ravel()
        if max_entries is not None and max_entries < len(entries):
            entries = rng.choice(entries, max_entries, replace=False)
        differences = np.array([_difference(loss_gradient, params, k, step) for k in entries.tolist()])
        arrays.append(_compare(name, place, gradient, entries, differences))
    return GradientCheck(sorted(arrays, key=lambda array: -array.error), tol)


def _read_gradient(loss_gradient: Callable[[np.ndarray], tuple[float, np.ndarray]], params: np.ndarray) -> np.ndarray:
    """Return the gradient (n_params,) at `params`; raises where there is nothing to compare."""
    loss, returned = loss_gradient(params.copy())
    gradient = np.array(returned, dtype=np.float64)
    if gradient.shape != params.shape:
        raise ValueError(f"loss_gradient returned a gradient of shape {gradient.shape}, but params has {params.shape}.")
    if not (np.isfinite(loss) and np.isfinite(gradient).all()):
        raise ValueError(f"The loss {loss} or its gradient is not finite at params, so there is nothing to compare.")
    return gradient


def _compare(
    name: str, place: np.ndarray, gradient: np.ndarray, entries: np.ndarray, differences: np.ndarray
) -> ArrayCheck:
    """Hold entries (n,) of an array, which lies at `place` in the vector, against the differences (n,) there."""
    deviations = np.abs(gradient[entries] - differences)
    floor = _LEAST_SCALE * np.abs(gradient).max()
    largest = max(floor, np.abs(gradient[place]).max(), np.abs(differences).max())
    worst = int(deviations.argmax())
    return ArrayCheck(
        name,
        error=float(deviations[worst] / largest) if largest else 0.0,
        place=tuple(int(i[0]) for i in np.nonzero(place == entries[worst])),
        gradient=float(gradient[entries[worst]]),
        difference=float(differences[worst]),
        n_checked=len(entries),
    )


def _difference(
    loss_gradient: Callable[[np.ndarray], tuple[float, np.ndarray]], params: np.ndarray, k: int, step: float
) -> float:
    """Central difference of the loss along parameter k."""
    losses = []
    for sign in (1, -1):
        moved = params.copy()
        moved[k] += sign * step
        loss, _ = loss_gradient(moved)
        if not np.isfinite(loss):
            raise ValueError(f"The loss is {loss} when params[{k}] is moved by {sign * step:g}. Pass a smaller step.")
        losses.append(loss)
    return float(losses[0] - losses[1]) / (2 * step)
