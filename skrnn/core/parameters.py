"""All parameters of a network in one flat vector, and the names of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod, sqrt

import numpy as np

from .arrays import Floats, Values

Weights = dict[str, Floats]  # the arrays of one part: W_x, W_h, b, ...
NO_WEIGHTS: Weights = {}


@dataclass(frozen=True)
class ParameterLayout:
    """Where each named array lies in the flat vector: matrices first, then what is free of the L2 penalty.

    Clipping, L2, the optimizers, snapshots and finite differences see one vector; the parts of a network see
    named, shaped, writable views of it.

    Parameters
    ----------
    shapes : mapping of str to mapping of str to tuple of int
        For each part of the network (``"rnn.0"``, ``"head"``) the shapes of its arrays by name.
    free : tuple of str, default=()
        Names of matrices without penalty. Vectors (biases) never have one.

    Attributes
    ----------
    size : int
        Length of the vector.
    n_penalized : int
        The L2 penalty covers ``vector[:n_penalized]``.

    Examples
    --------
    >>> import numpy as np
    >>> layout = ParameterLayout({"head": {"W_y": (2, 3), "b_y": (2,)}})
    >>> vector = np.arange(8.0)
    >>> layout.views(vector)["head"]["b_y"]
    array([6., 7.])
    >>> layout.size, layout.n_penalized
    (8, 6)
    """

    shapes: Mapping[str, Mapping[str, tuple[int, ...]]]
    free: tuple[str, ...] = ()
    size: int = field(init=False)
    n_penalized: int = field(init=False)
    _places: tuple[tuple[str, str, slice, tuple[int, ...]], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        arrays = [(part, name, shape) for part, shapes in self.shapes.items() for name, shape in shapes.items()]
        is_free = {(part, name): len(shape) == 1 or name in self.free for part, name, shape in arrays}
        places, start = [], 0
        for part, name, shape in sorted(arrays, key=lambda array: is_free[array[:2]]):  # stable
            places.append((part, name, slice(start, start + prod(shape)), shape))
            start += prod(shape)
        object.__setattr__(self, "size", start)
        object.__setattr__(self, "n_penalized", sum(prod(array[2]) for array in arrays if not is_free[array[:2]]))
        object.__setattr__(self, "_places", tuple(places))

    def views(self, vector: Values) -> dict[str, dict[str, Values]]:
        """Views of `vector` (size,) by part and name; writing to a view writes to the vector.

        Parameters
        ----------
        vector : ndarray of shape (size,)
            Parameters, or a gradient.

        Returns
        -------
        views : dict of str to dict of str to ndarray
            By part and name.
        """
        views: dict[str, dict[str, Values]] = {part: {} for part in self.shapes}
        for part, name, where, shape in self._places:
            views[part][name] = vector[where].reshape(shape)
        return views


def glorot_uniform(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Draw a matrix (n_out, n_in) uniform in ±sqrt(6 / (n_in + n_out)).

    Parameters
    ----------
    shape : (int, int)
        Number of outputs and of inputs.
    rng : numpy.random.Generator
        Source of the draw.

    Returns
    -------
    W : ndarray of shape (n_out, n_in), float64
        The matrix.

    References
    ----------
    Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks* (2010), equation 16.

    Examples
    --------
    >>> import numpy as np
    >>> bool(abs(glorot_uniform((4, 2), np.random.default_rng(0))).max() <= 1)
    True
    """
    limit = sqrt(6 / sum(shape))
    return rng.uniform(-limit, limit, size=shape)


def orthogonal(size: int, rng: np.random.Generator) -> Floats:
    """Draw a random orthogonal matrix (size, size), uniform over the orthogonal group.

    Parameters
    ----------
    size : int
        Number of rows and columns.
    rng : numpy.random.Generator
        Source of the draw.

    Returns
    -------
    Q : ndarray of shape (size, size), float64
        The matrix.

    References
    ----------
    Saxe, McClelland and Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear neural networks*
    (2014). Mezzadri, *How to generate random matrices from the classical compact groups* (2007), section 5: the signs.

    Examples
    --------
    >>> import numpy as np
    >>> Q = orthogonal(3, np.random.default_rng(0))
    >>> np.allclose(Q @ Q.T, np.eye(3))
    True
    """
    Q, R = np.linalg.qr(rng.standard_normal((size, size)))
    signed: Floats = Q * np.sign(np.diag(R))
    return signed
