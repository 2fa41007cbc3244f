"""A network that predicts, after every step, which token comes next.

Tokens are numbers. Of n_inputs input tokens the first n_outputs are also what is predicted; the others, such as the one
that begins a sequence, are only read. A data set of tokens is a `TokenSequences`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log, log1p

import numpy as np

from .batches import SequenceBatch, TokenSequences, rows_by_segment
from .cached import cached_property
from .cells import CELLS
from .heads import SoftmaxHead
from .inputs import DenseInput, Embedding, TokenInput
from .layers import OutputGradient, PreparedLayer
from .losses import log_softmax
from .parameters import ParameterLayout, Weights
from .stack import RecurrentStack, StackTrail
from .state import State
from .workspace import Workspace

_MAX_WINDOW = 2**13  # column-steps: some 200 bytes of indices lie beside the tape of each


@dataclass(frozen=True)
class PreparedNetwork:
    """What steps one by one need of the parameters.

    Attributes
    ----------
    weights : dict of str to dict of str to ndarray
        The parameters by part and name.
    layers : list of PreparedLayer
        Forms of them that suit the layers.
    """

    weights: dict[str, Weights]
    layers: list[PreparedLayer]


@dataclass(frozen=True)
class TokenNetwork:
    """Tokens, perhaps an embedding, a stack of recurrent layers, and a softmax after every step; hyper-parameters only.

    Parameters
    ----------
    stack : RecurrentStack
        The layers, in one direction.
    head : SoftmaxHead
        Over the tokens that may come next.
    embedding : Embedding or None
        Vectors of the input tokens; without one a token picks a column of the first layer's ``W_x``.
    is_tied : bool, default=False
        Whether the head's ``W_y`` is the embedding of the tokens that are predicted.
    unknown_probability : float or None, default=None
        Where the head has no column for unknown tokens, because training showed none: the constant that is taken from
        all others for one more column, the last. It plays no part in training.

    References
    ----------
    Mikolov, Karafiát, Burget, Černocký and Khudanpur, *Recurrent neural network based language model* (2010),
    section 2.
    Press and Wolf, *Using the output embedding to improve language models* (2017), section 3: tied weights.

    Examples
    --------
    >>> TokenNetwork.build("gru", n_inputs=5, hidden_size=4, n_outputs=4).layout.size
    144
    """

    stack: RecurrentStack
    head: SoftmaxHead
    embedding: Embedding | None = None
    is_tied: bool = False
    unknown_probability: float | None = None

    @classmethod
    def build(
        cls,
        cell: str,
        n_inputs: int,
        hidden_size: int,
        n_outputs: int,
        *,
        n_layers: int = 1,
        dropout: float = 0.0,
        embedding_size: int | None = None,
        tie_weights: bool = False,
        unknown_probability: float | None = None,
    ) -> TokenNetwork:
        """Put a network together from the words of the estimator's parameters.

        Parameters
        ----------
        cell : {"gru", "lstm", "tanh", "relu"}
            Kind of cell.
        n_inputs : int
            Number of tokens that can be read.
        hidden_size : int
            Units of each layer.
        n_outputs : int
            Number of tokens that can be predicted: the first ones.
        n_layers : int, default=1
            Number of layers.
        dropout : float, default=0.0
            Probability with which an output is dropped.
        embedding_size : int, optional
            Length of the vector of each token; none by default.
        tie_weights : bool, default=False
            Whether the vectors are also the head's weights.
        unknown_probability : float, optional
            Of one more column, see the class.

        Returns
        -------
        network : TokenNetwork
            Without parameters.
        """
        first = TokenInput(n_inputs) if embedding_size is None else DenseInput(embedding_size)
        return cls(
            RecurrentStack(CELLS[cell](hidden_size), first, n_layers, dropout=dropout),
            SoftmaxHead(hidden_size, n_outputs),
            None if embedding_size is None else Embedding(n_inputs, embedding_size),
            tie_weights,
            unknown_probability,
        )

    @cached_property
    def layout(self) -> ParameterLayout:
        """Names and places of the parameters: those of the stack, ``head``, ``embedding``."""
        shapes = {**self.stack.shapes(), "head": self.head.shapes()}
        if self.embedding is not None:
            shapes["embedding"] = self.embedding.shapes()
        if self.is_tied:
            del shapes["head"]["W_y"]
        return ParameterLayout(shapes, free=("E",))

    def initialize(self, rng: np.random.Generator, dtype: np.dtype | type = np.float64) -> np.ndarray:
        """Draw the initial parameters (layout.size,); the draws depend on the shapes only.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draws.
        dtype : dtype, default=np.float64
            Of the vector.

        Returns
        -------
        params : ndarray of shape (layout.size,)
            The parameters.
        """
        params = np.zeros(self.layout.size)
        weights = self._views(params)
        self.stack.initialize(weights, rng)
        self.head.initialize(weights["head"], rng)
        if self.embedding is not None:
            self.embedding.initialize(weights["embedding"], rng)
        return params.astype(dtype, copy=False)

    def loss_gradient(
        self, params: np.ndarray, batch: SequenceBatch, state: State | None, workspace: Workspace, out: np.ndarray
    ) -> tuple[float, State | None]:
        """Loss of a batch, and its gradient.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        batch : SequenceBatch
            Of tokens, with weights.
        state : State or None
            Before the first step of each column. None: sequences are whole, they begin at zero and nothing goes on.
        workspace : Workspace
            Of the dtype of `params`; everything lent is given back.
        out : ndarray of shape (layout.size,)
            The gradient is added to it.

        Returns
        -------
        loss : float
            Sum over the batch of weight times cross-entropy of each step, nats.
        state : State or None
            After the last step of each column, if one came in.
        """
        mark = workspace.mark()
        weights, gradients = self._views(params), self._views(out)
        tokens, trail, after = self._forward(weights, batch, state, workspace)
        loss, d_outputs = 0.0, list[OutputGradient]()
        is_known = tokens[:, 1] < self.head.n_classes  # a target without a column is read, but not learned
        tokens[~is_known, 1] = 0
        step_weights = rows_by_segment(batch.weights_of_rows() * is_known, batch.segments)
        by_segment = rows_by_segment(tokens, batch.segments)
        outputs = self._outputs(trail, batch, workspace)
        for h, t, w, segment in zip(outputs, by_segment, step_weights, batch.segments, strict=True):
            segment_loss, d_h = self.head.loss_gradient_of_steps(
                weights["head"], gradients["head"], h, t[:, :, 1], w[:, :, 0], workspace
            )
            if batch.masks is not None:
                d_h *= batch.masks[-1][: segment.n_columns].T
            loss += segment_loss
            d_outputs.append([(slice(segment.n_columns), d_h_t) for d_h_t in d_h])
        d_inputs, _ = self.stack.backward(
            weights, gradients, batch, trail, [d_outputs], workspace, wants_d_x=self.embedding is not None
        )
        if self.embedding is not None:
            self.embedding.add_gradients(gradients["embedding"], d_inputs[0], tokens[:, 0])
        workspace.release(mark)
        return loss, after

    def windows(
        self, params: np.ndarray, data: TokenSequences, workspace: Workspace
    ) -> Iterator[tuple[np.ndarray, SequenceBatch, np.ndarray, list[np.ndarray], State]]:
        """Run over sequences of any length in windows of bounded size.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        data : TokenSequences
            What is read.
        workspace : Workspace
            Of the dtype of `params`; everything lent is given back.

        Yields
        ------
        indices : ndarray of shape (B,)
            Which sequences of `data` the window's columns are, longest first.
        batch : SequenceBatch
            The window.
        tokens : ndarray of shape (N, 2)
            Inputs and targets of its column-steps.
        outputs : list of ndarray of shape (L, H, n)
            Outputs of the top layer, for each segment; lent until the next window.
        state : State
            After the last step of each column.
        """
        weights = self._views(params)
        by_length = np.argsort(-data.lengths, kind="stable")[: np.count_nonzero(data.lengths)]
        width, size = self.stack.reading_width, min(self.stack.reading_size(self.head.n_classes), _MAX_WINDOW)
        for start in range(0, len(by_length), width):
            indices = by_length[start : start + width]
            n = len(indices)
            batch = self.stack.batch(data.pieces(data.offsets[indices], data.lengths[indices]), np.arange(n))
            state: State | None = self.stack.zero_state(n, params.dtype)
            for window in self.stack.windows(batch, max(1, size // n)):
                mark = workspace.mark()
                tokens, trail, state = self._forward(weights, window, state, workspace)
                assert state is not None
                yield indices[: len(window.indices)], window, tokens, self._outputs(trail, window, workspace), state
                workspace.release(mark)

    def token_log_proba(self, params: np.ndarray, data: TokenSequences, workspace: Workspace) -> np.ndarray:
        """Log-probability (sum of lengths,) of the target of every step, nats, sequence after sequence.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        data : TokenSequences
            n sequences.
        workspace : Workspace
            Of the dtype of `params`; everything lent is given back.

        Returns
        -------
        log_proba : ndarray of shape (sum of lengths,)
            At most 0.
        """
        log_proba = np.empty(data.n_steps, params.dtype)
        for _, places, values in self._measured(params, data, workspace, self._log_proba_of_targets):
            log_proba[places] = values
        return log_proba

    def token_rank(self, params: np.ndarray, data: TokenSequences, workspace: Workspace) -> np.ndarray:
        """Rank (sum of lengths,), intp, of the target of every step among all tokens; 1 is the likeliest.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        data : TokenSequences
            n sequences.
        workspace : Workspace
            Of the dtype of `params`; everything lent is given back.

        Returns
        -------
        rank : ndarray of shape (sum of lengths,), intp
            At least 1.
        """
        ranks = np.empty(data.n_steps, np.intp)
        for _, places, values in self._measured(params, data, workspace, self._rank_of_targets):
            ranks[places] = values
        return ranks

    def log_likelihood(self, params: np.ndarray, data: TokenSequences, workspace: Workspace) -> np.ndarray:
        """Sum (n,) of the log-probabilities of each sequence's targets, float64, nats; 0 for one without steps.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        data : TokenSequences
            n sequences.
        workspace : Workspace
            Of the dtype of `params`; everything lent is given back.

        Returns
        -------
        log_likelihood : ndarray of shape (n,), float64
            At most 0.
        """
        totals = np.zeros(len(data))
        for indices, _, values in self._measured(params, data, workspace, self._log_proba_of_targets):
            np.add.at(totals, indices, values)
        return totals

    def read(self, params: np.ndarray, data: TokenSequences, workspace: Workspace) -> tuple[np.ndarray, State]:
        """Output (n, H) of the top layer after the last step of each sequence, and the state of every layer there.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        data : TokenSequences
            n sequences.
        workspace : Workspace
            Of the dtype of `params`; everything lent is given back.

        Returns
        -------
        h : ndarray of shape (n, H)
            Outputs.
        state : State
            There.
        """
        final = np.empty((len(data), self.head.n_inputs), params.dtype)
        state = self.stack.zero_state(len(data), params.dtype)
        for indices, batch, _, outputs, after in self.windows(params, data, workspace):
            for h, segment in zip(outputs, batch.segments, strict=True):
                for _, last, n in segment.spans:
                    final[indices[:n]] = h[last - 1, :, :n].T
            state.put(indices, after)
        return final, state

    def log_proba_after(self, params: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Log-probabilities (n, K) of the next token, from outputs h (n, H) of the top layer.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        h : ndarray of shape (n, H)
            Outputs of the top layer.

        Returns
        -------
        log_proba : ndarray of shape (n, K)
            Nats.
        """
        return self._log_proba_of(self._views(params)["head"], h.T)

    def prepare(self, params: np.ndarray, workspace: Workspace) -> PreparedNetwork:
        """Lend what `advance` needs of the parameters, once for any number of steps.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        workspace : Workspace
            Of the dtype of `params`; lends it, and it stays lent.

        Returns
        -------
        prepared : PreparedNetwork
            Weights, and the forms of them that the layers run on.
        """
        weights = self._views(params)
        return PreparedNetwork(weights, self.stack.prepare(weights, workspace))

    def advance(
        self, prepared: PreparedNetwork, tokens: np.ndarray, state: State, workspace: Workspace
    ) -> tuple[np.ndarray, State]:
        """Read one token of every sequence.

        Parameters
        ----------
        prepared : PreparedNetwork
            What `prepare` gave.
        tokens : ndarray of shape (n,), integer
            What comes now.
        state : State
            Before this step.
        workspace : Workspace
            Of the dtype of the parameters; what it lends is given back.

        Returns
        -------
        log_proba : ndarray of shape (n, K)
            Log-probabilities of what comes next.
        state : State
            After this step.
        """
        mark = workspace.mark()
        x = tokens[:, None]
        if self.embedding is not None:
            x = self.embedding.rows(prepared.weights["embedding"], tokens, workspace)
        state = self.stack.step(prepared.layers, x, state, workspace)
        workspace.release(mark)
        return self._log_proba_of(prepared.weights["head"], state.layers[-1][0]), state

    def _log_proba_of(self, weights: Weights, h: np.ndarray) -> np.ndarray:
        """Log-probabilities (n, K) of the next token, from the head's weights and outputs h (H, n)."""
        return self._with_unknown(log_softmax(self.head.logits(weights, h))).T

    def _views(self, vector: np.ndarray) -> dict[str, Weights]:
        """Views of a vector of parameters or gradients by part and name, ``W_y`` included where it is tied."""
        views = self.layout.views(vector)
        if self.is_tied:
            views["head"]["W_y"] = views["embedding"]["E"][: self.head.n_classes]
        return views

    def _forward(
        self, weights: dict[str, Weights], batch: SequenceBatch, state: State | None, workspace: Workspace
    ) -> tuple[np.ndarray, StackTrail, State | None]:
        """Tokens (N, 2) of the batch, the trail of the layers, and the state after the batch if one came in."""
        tokens = batch.gather(np.empty((batch.n_rows, 2), np.intp))
        x = tokens[:, :1]
        if self.embedding is not None:
            x = self.embedding.rows(weights["embedding"], tokens[:, 0], workspace)
        trail = self.stack.forward(weights, x, batch, workspace, state)
        if state is None:
            return tokens, trail, None
        after = self.stack.zero_state(len(batch.indices), workspace.dtype)
        self.stack.write_state(trail, batch, after)
        return tokens, trail, after

    def _outputs(self, trail: StackTrail, batch: SequenceBatch, workspace: Workspace) -> list[np.ndarray]:
        """Outputs (L, H, n) of the top layer, for each segment, with its dropout."""
        (outputs,) = trail.outputs()
        if batch.masks is None:
            return outputs
        masked = []
        for h, segment in zip(outputs, batch.segments, strict=True):
            masked.append(np.multiply(h, batch.masks[-1][: segment.n_columns].T, out=workspace.lend(h.shape)))
        return masked

    def _measured(
        self,
        params: np.ndarray,
        data: TokenSequences,
        workspace: Workspace,
        measure: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Give ``measure(logits (L, K, n), targets (L, n))`` of every step of `data`, some steps (N,) at a time.

        Yields the index of each step's sequence, its place among the steps of all sequences, and its value.
        """
        weights = self._views(params)["head"]
        shift = np.cumsum(data.lengths) - data.lengths - data.offsets  # (n,), from rows to places
        for indices, batch, tokens, outputs, _ in self.windows(params, data, workspace):
            parts = (rows_by_segment(rows, batch.segments) for rows in (tokens, batch.rows, batch.weights_of_rows()))
            for h, t, rows, is_real in zip(outputs, *parts, strict=True):
                values = measure(self.head.logits_of_steps(weights, h, workspace), t[:, :, 1])  # (L, n)
                sequences = np.broadcast_to(indices[: values.shape[1]], values.shape)
                keep = is_real[:, :, 0] > 0
                yield sequences[keep], (rows[:, :, 0] + shift[sequences])[keep], values[keep]

    def _with_unknown(self, log_proba: np.ndarray) -> np.ndarray:
        """Log-probabilities (..., K, n) with the column of unknown tokens, if training showed none."""
        if self.unknown_probability is None:
            return log_proba
        shape = (*log_proba.shape[:-2], 1, log_proba.shape[-1])
        unknown = np.full(shape, log(self.unknown_probability), log_proba.dtype)
        return np.concatenate([log_proba + log1p(-self.unknown_probability), unknown], axis=-2)

    def _log_proba_of_targets(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Log-probabilities (L, n) of targets (L, n), from logits (L, K, n), which are overwritten."""
        logits -= logits.max(axis=1, keepdims=True)
        known = np.minimum(targets, self.head.n_classes - 1)
        log_proba = np.take_along_axis(logits, known[:, None, :], axis=1)[:, 0].copy()
        log_proba -= np.log(np.exp(logits, out=logits).sum(axis=1))
        if self.unknown_probability is not None:
            log_proba += log1p(-self.unknown_probability)
            log_proba[targets > known] = log(self.unknown_probability)
        return log_proba

    def _rank_of_targets(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """One more than the number of tokens that are likelier than the target, (L, n)."""
        log_proba = self._with_unknown(log_softmax(logits))
        return 1 + (log_proba > np.take_along_axis(log_proba, targets[:, None, :], axis=1)).sum(axis=1)
