"""What a network reads, and how its first layer takes it in: rows of numbers, tokens, or vectors of tokens.

Conventions: N time steps of a batch, one a row; a segment has L steps of n columns; R = G*H rows of ``W_x``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..arrays import Floats, Ints, Values
from ..data.batch import SequenceBatch
from ..data.sequences import Sequences
from ..kernels import Kernel
from ..parameters import Weights
from ..workspace import ROW_PADDING, Workspace

MAX_ONE_HOT = 512


class Input(ABC):
    """Contract of an input: from a row of data to what a layer reads, and from that to ``W_x x + b``.

    Attributes
    ----------
    n_inputs : int
        F, the number of columns of ``W_x``.
    """

    n_inputs: int

    is_dense: ClassVar[bool]
    """Whether inputs are numbers (N, F + 1), the last one 1, that may be fused into the product of a step."""
    is_one_hot: ClassVar[bool] = False
    """Whether a step picks one column of ``W_x``."""
    is_learned: ClassVar[bool] = False
    """Whether it has parameters of its own, and so asks for the gradients of what the layer reads."""

    def shapes(self) -> dict[str, dict[str, tuple[int, ...]]]:
        """Shapes of the input's own parameters, by part and name."""
        return {}

    def initialize(self, weights: dict[str, Weights], rng: np.random.Generator) -> None:
        """Overwrite the input's own parameters, views by part and name, with their initial values."""

    def add_own_gradients(self, gradients: dict[str, Weights], d_x: Floats, batch: SequenceBatch) -> None:
        """Add the gradients of the input's own parameters, from those (N, F) of what `read` gave of a batch."""

    def silence_unseen(self, weights: dict[str, Weights], sequences: Sequences) -> None:
        """Overwrite with zero the weights that no step of `sequences` would read: what they learn nothing of."""

    @abstractmethod
    def read(self, weights: dict[str, Weights], batch: SequenceBatch, workspace: Workspace) -> Values:
        """Give the inputs x (N, ...) of the layer, in the form that `project` takes, of all N time steps of a batch."""

    @abstractmethod
    def read_step(self, weights: dict[str, Weights], step: Values, workspace: Workspace) -> Values:
        """Give the inputs x (n, ...) of the layer, of one step of n sequences, a row of data each."""

    @abstractmethod
    def pack(self, W_xb: Floats, workspace: Workspace) -> Floats:
        """Allocate what `project` needs of ``[W_x b]`` (R, F + 1), or of some rows of it; once per batch."""

    @abstractmethod
    def project(self, packed: Floats, x: Values, out: Floats, kernel: Kernel, workspace: Workspace) -> None:
        """Overwrite `out` (L, R, n) with ``W_x x + b`` of one segment x (L, n, ...)."""

    @abstractmethod
    def add_gradients(self, gradients: Weights, d_a: Floats, x: Values) -> None:
        """Add the gradients of ``W_x`` and ``b``, from those of the pre-activations d_a (R, N) and x (N, ...)."""


class _Rows(Input, ABC):
    """Rows of numbers (N, F + 1), whose last column is 1, wherever they come from."""

    is_dense = True

    def pack(self, W_xb: Floats, workspace: Workspace) -> Floats:
        return W_xb

    def project(self, packed: Floats, x: Values, out: Floats, kernel: Kernel, workspace: Workspace) -> None:
        np.matmul(packed, x.transpose(0, 2, 1), out=out)

    def add_gradients(self, gradients: Weights, d_a: Floats, x: Values) -> None:
        d_W_xb = d_a @ x
        gradients["W_x"] += d_W_xb[:, :-1]
        gradients["b"] += d_W_xb[:, -1]


@dataclass(frozen=True)
class DenseInput(_Rows):
    """The features themselves.

    Parameters
    ----------
    n_inputs : int
        F, the number of features.

    Examples
    --------
    >>> DenseInput(n_inputs=3)
    DenseInput(n_inputs=3)
    """

    n_inputs: int

    def read(self, weights: dict[str, Weights], batch: SequenceBatch, workspace: Workspace) -> Values:
        return batch.gather(workspace.empty((batch.n_rows, self.n_inputs + 1)))

    def read_step(self, weights: dict[str, Weights], step: Values, workspace: Workspace) -> Values:
        return _with_ones(step, workspace)


@dataclass(frozen=True)
class TokenInput(Input):
    """Tokens (N, 1), numbers from 0 to F - 1: the input ``W_x x`` is a column of ``W_x``, and no product is needed.

    Parameters
    ----------
    n_inputs : int
        F, the number of tokens.
    max_one_hot : int, default=512
        Up to how many tokens the gradient of ``W_x`` is a product with one-hot rows; of more it is made by sorting.

    Examples
    --------
    >>> TokenInput(n_inputs=30).shapes()
    {}
    """

    n_inputs: int
    max_one_hot: int = MAX_ONE_HOT

    is_dense = False
    is_one_hot = True

    def read(self, weights: dict[str, Weights], batch: SequenceBatch, workspace: Workspace) -> Values:
        return batch.gather(np.empty((batch.n_rows, 1), np.intp))

    def read_step(self, weights: dict[str, Weights], step: Values, workspace: Workspace) -> Values:
        return step[:, None]

    def pack(self, W_xb: Floats, workspace: Workspace) -> Floats:
        table = workspace.empty((self.n_inputs, len(W_xb) + ROW_PADDING))
        np.add(W_xb[:, :-1].T, W_xb[:, -1], out=table[:, : len(W_xb)])
        table[:, len(W_xb) :] = 0
        return table

    def silence_unseen(self, weights: dict[str, Weights], sequences: Sequences) -> None:
        is_unseen = _is_unseen(sequences.arrays(), self.n_inputs)
        for part in ("rnn.0", "rnn.0.reverse"):
            if part in weights:
                weights[part]["W_x"][:, is_unseen] = 0

    def project(self, packed: Floats, x: Values, out: Floats, kernel: Kernel, workspace: Workspace) -> None:
        kernel.take_rows(packed, x[:, :, 0], out, workspace)

    def add_gradients(self, gradients: Weights, d_a: Floats, x: Values) -> None:
        gradients["W_x"] += sum_by_token(d_a.T, x.ravel(), self.n_inputs, self.max_one_hot).T
        gradients["b"] += d_a.sum(axis=1)


@dataclass(frozen=True)
class Embedding(_Rows):
    """A vector for each token, learned with the rest: row t of ``E``.

    Parameters
    ----------
    n_tokens : int
        Number of tokens.
    size : int
        Length of a vector.
    max_one_hot : int, default=512
        As for `TokenInput`, for the gradient of ``E``.

    References
    ----------
    Bengio, Ducharme, Vincent and Jauvin, *A neural probabilistic language model* (2003), section 2: the matrix C.

    Examples
    --------
    >>> Embedding(n_tokens=30, size=4).shapes()
    {'embedding': {'E': (30, 4)}}
    """

    n_tokens: int
    size: int
    max_one_hot: int = MAX_ONE_HOT

    is_learned = True

    @property
    def n_inputs(self) -> int:  # type: ignore[override]  # a field elsewhere
        """F, the length of a vector."""
        return self.size

    def shapes(self) -> dict[str, dict[str, tuple[int, ...]]]:
        return {"embedding": {"E": (self.n_tokens, self.size)}}

    def initialize(self, weights: dict[str, Weights], rng: np.random.Generator) -> None:
        """Draw vectors whose length is about 1: normal, with standard deviation ``1 / sqrt(size)``."""
        _draw_vectors(weights["embedding"]["E"], rng)

    def silence_unseen(self, weights: dict[str, Weights], sequences: Sequences) -> None:
        weights["embedding"]["E"][_is_unseen(sequences.arrays(), self.n_tokens)] = 0

    def read(self, weights: dict[str, Weights], batch: SequenceBatch, workspace: Workspace) -> Values:
        return self.read_step(weights, self._tokens(batch), workspace)

    def read_step(self, weights: dict[str, Weights], step: Values, workspace: Workspace) -> Values:
        return _with_ones(weights["embedding"]["E"][step], workspace)

    def add_own_gradients(self, gradients: dict[str, Weights], d_x: Floats, batch: SequenceBatch) -> None:
        gradients["embedding"]["E"] += sum_by_token(d_x, self._tokens(batch), self.n_tokens, self.max_one_hot)

    @staticmethod
    def _tokens(batch: SequenceBatch) -> Ints:
        """Tokens (N,) of all time steps."""
        tokens = np.empty((batch.n_rows, 1), np.intp)
        batch.gather(tokens)
        return tokens[:, 0]


@dataclass(frozen=True)
class MixedInput(_Rows):
    """Numbers, and beside them a vector for each category: row c of ``E_k`` for category c of the k-th kind.

    Rows of data have the numbers first, then a category of each kind, which floats of any size hold exactly.

    Parameters
    ----------
    n_numbers : int
        How many numbers a row has; may be 0.
    categories : tuple of (int, int)
        Of each kind, the number of categories, and the length of a vector; of length 0 a category is a one-hot vector.
        The last category is that of all unknown ones; a one-hot vector of it is zero.
    max_one_hot : int, default=512
        As for `TokenInput`, for the gradients of ``E_k``.

    References
    ----------
    Guo and Berkhahn, *Entity embeddings of categorical variables* (2016), section 3.

    Examples
    --------
    Two numbers, one of seven weekdays, one of three colours:

    >>> MixedInput(n_numbers=2, categories=((7, 4), (3, 0))).n_inputs
    8
    """

    n_numbers: int
    categories: tuple[tuple[int, int], ...]
    max_one_hot: int = MAX_ONE_HOT

    is_learned = True

    @property
    def n_inputs(self) -> int:  # type: ignore[override]  # a field elsewhere
        """F, the numbers and the lengths of the vectors together."""
        return self.n_numbers + sum(map(_width, self.categories))

    def shapes(self) -> dict[str, dict[str, tuple[int, ...]]]:
        learned: dict[str, tuple[int, ...]] = {
            f"E_{k}": (n, size) for k, (n, size) in enumerate(self.categories) if size
        }
        return {"embedding": learned} if learned else {}

    def initialize(self, weights: dict[str, Weights], rng: np.random.Generator) -> None:
        """Draw vectors whose length is about 1, as `Embedding` does."""
        for E in weights.get("embedding", {}).values():
            _draw_vectors(E, rng)

    def silence_unseen(self, weights: dict[str, Weights], sequences: Sequences) -> None:
        for k, (n, size), _ in self._columns():
            if size:
                codes = [rows[:, self.n_numbers + k].astype(np.intp) for rows in sequences.arrays()]
                weights["embedding"][f"E_{k}"][_is_unseen(codes, n)] = 0

    def read(self, weights: dict[str, Weights], batch: SequenceBatch, workspace: Workspace) -> Values:
        return self.read_step(weights, self._rows(batch, workspace.dtype), workspace)

    def read_step(self, weights: dict[str, Weights], step: Values, workspace: Workspace) -> Values:
        x = workspace.empty((len(step), self.n_inputs + 1))
        x[:, : self.n_numbers] = step[:, : self.n_numbers]
        x[:, self.n_numbers : -1] = 0
        x[:, -1] = 1
        for k, (n, size), columns in self._columns():
            codes = step[:, self.n_numbers + k].astype(np.intp)
            if size:
                x[:, columns] = weights["embedding"][f"E_{k}"][codes]
            else:
                known = np.flatnonzero(codes < n - 1)
                x[known, columns.start + codes[known]] = 1
        return x

    def add_own_gradients(self, gradients: dict[str, Weights], d_x: Floats, batch: SequenceBatch) -> None:
        rows = self._rows(batch, d_x.dtype)
        for k, (n, size), columns in self._columns():
            if size:
                codes = rows[:, self.n_numbers + k].astype(np.intp)
                gradients["embedding"][f"E_{k}"] += sum_by_token(d_x[:, columns], codes, n, self.max_one_hot)

    def _columns(self) -> Iterator[tuple[int, tuple[int, int], slice]]:
        """Each kind of categories, its numbers, and its columns among the inputs."""
        last = self.n_numbers
        for k, kind in enumerate(self.categories):
            first, last = last, last + _width(kind)
            yield k, kind, slice(first, last)

    def _rows(self, batch: SequenceBatch, dtype: np.dtype) -> Floats:
        """Rows (N, n_numbers + kinds + 1) of all time steps."""
        rows: Floats = np.empty((batch.n_rows, self.n_numbers + len(self.categories) + 1), dtype)
        batch.gather(rows)
        return rows


def _draw_vectors(E: Floats, rng: np.random.Generator) -> None:
    """Overwrite vectors (n, size): normal, with standard deviation ``1 / sqrt(size)``."""
    E[:] = rng.standard_normal(E.shape) / np.sqrt(E.shape[1])


def _is_unseen(arrays: list[Values], n: int) -> Values:
    """Which (n,) of n numbers no array (N,) holds."""
    is_unseen = np.ones(n, bool)
    for array in arrays:
        is_unseen[array] = False
    return is_unseen


def _width(kind: tuple[int, int]) -> int:
    """Length of the vectors of one kind of categories."""
    n, size = kind
    return size or n - 1


def build_input(
    n_inputs: int,
    input_type: str = "features",
    embedding_size: int | None = None,
    categories: Sequence[Sequence[int]] = (),
) -> Input:
    """Put together what a network reads, from plain values.

    Parameters
    ----------
    n_inputs : int
        Number of features, or of tokens.
    input_type : {"features", "tokens"}, default="features"
        What a step is: a row of features, or one token.
    embedding_size : int or None, default=None
        Length of the vectors of tokens; without one a token picks a column of ``W_x``.
    categories : sequence of (int, int), default=()
        What the last features are, see `MixedInput`; by default they are numbers, too.

    Returns
    -------
    input : Input
        Hyper-parameters only.

    Examples
    --------
    >>> build_input(30, "tokens")
    TokenInput(n_inputs=30, max_one_hot=512)
    """
    if input_type == "tokens":
        return TokenInput(n_inputs) if embedding_size is None else Embedding(n_inputs, embedding_size)
    if categories:
        return MixedInput(n_inputs - len(categories), tuple((n, size) for n, size in categories))
    return DenseInput(n_inputs)


def _with_ones(rows: Floats, workspace: Workspace) -> Floats:
    """Rows (n, F) with a last column of ones, allocated in the workspace."""
    x = workspace.empty((len(rows), rows.shape[1] + 1))
    x[:, :-1] = rows
    x[:, -1] = 1
    return x


def sum_by_token(rows: Floats, tokens: Ints, n_tokens: int, max_one_hot: int = MAX_ONE_HOT) -> Floats:
    """Sum the rows (N, width) of each of n_tokens tokens (N,): (n_tokens, width), zero for those that do not come.

    For 30 tokens and 6,400 rows of 512 a product with one-hot rows takes 2.5 ms, sorting and ``add.reduceat`` 11 ms,
    ``add.at`` 21 ms; for large vocabularies it is the other way round.

    Examples
    --------
    >>> import numpy as np
    >>> sum_by_token(np.array([[1.0], [2.0], [3.0]]), np.array([2, 0, 2]), n_tokens=3).ravel()
    array([2., 0., 4.])
    """
    if n_tokens <= max_one_hot:
        one_hot = np.zeros((n_tokens, len(tokens)), rows.dtype)
        one_hot[tokens, np.arange(len(tokens))] = 1
        return one_hot @ rows
    order = np.argsort(tokens, kind="stable")
    present, first = np.unique(tokens[order], return_index=True)
    sums = np.zeros((n_tokens, rows.shape[1]), rows.dtype)
    sums[present] = np.add.reduceat(rows[order], first, axis=0)
    return sums
