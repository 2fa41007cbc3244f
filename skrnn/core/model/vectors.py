"""A network that is given the vectors that its first layer reads, whatever they are made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..arrays import Floats, Ints, Values
from ..workspace import Workspace
from .inputs import DenseInput
from .network import Network


def read_vectors(network: Network, params: Floats, steps: Values, tokens: Ints | None = None) -> Floats:
    """Vectors that the first layer reads at some steps: features, or those of tokens and categories.

    Parameters
    ----------
    network, params : Network, ndarray of shape (layout.size,)
        The network and its parameters.
    steps : ndarray of shape (N, F) or (N,)
        Rows of data; numbers of tokens where the network reads these.
    tokens : ndarray of shape (V,), optional
        Where a token picks a column of ``W_x``: the distinct ones that `steps` may hold, sorted, so that one-hot rows
        are no longer than they have to be.

    Returns
    -------
    vectors : ndarray of shape (N, n_inputs)
        In the dtype of `params`.

    Examples
    --------
    >>> import numpy as np
    >>> network = Network.build_for_tokens("gru", n_inputs=9, hidden_size=4, n_outputs=8)
    >>> params = network.initialize(np.random.default_rng(0))
    >>> read_vectors(network, params, np.array([7, 2, 7]), tokens=np.array([2, 7]))
    array([[0., 1.],
           [1., 0.],
           [0., 1.]])
    """
    input_ = network.stack.input
    if input_.is_one_hot:
        known = np.arange(input_.n_inputs) if tokens is None else tokens
        one_hot: Floats = (steps[:, None] == known).astype(params.dtype)
        return one_hot
    vectors: Floats = input_.read_step(network.views(params), steps, Workspace(params.dtype))
    return vectors[:, :-1].copy()


def on_vectors(network: Network, params: Floats, tokens: Ints | None = None) -> tuple[Network, Floats]:
    """Make the same network for the vectors of `read_vectors`, which are features to it.

    Parameters
    ----------
    network, params, tokens : Network, ndarray of shape (layout.size,), ndarray of shape (V,), optional
        As for `read_vectors`.

    Returns
    -------
    network : Network
        Predicts from vectors what the other one does from what they stand for.
    params : ndarray of shape (layout.size,)
        Its parameters, a copy.

    Examples
    --------
    >>> import numpy as np
    >>> network = Network.build_for_tokens("gru", n_inputs=9, hidden_size=4, n_outputs=8)
    >>> params = network.initialize(np.random.default_rng(0))
    >>> on_vectors(network, params, tokens=np.array([2, 7]))[0].stack.input
    DenseInput(n_inputs=2)
    """
    n_inputs = network.stack.input.n_inputs if tokens is None else len(tokens)
    given = replace(network, stack=replace(network.stack, input=DenseInput(n_inputs)), is_tied=False)
    copied, before = np.empty(given.layout.size, params.dtype), network.views(params)
    for part, arrays in given.views(copied).items():
        for name, array in arrays.items():
            picks = tokens is not None and name == "W_x" and part in ("rnn.0", "rnn.0.reverse")
            array[...] = before[part][name][:, tokens] if picks else before[part][name]
    return given, copied
