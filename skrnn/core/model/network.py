"""The order of parts: input, recurrent layers, readout, head, loss. One function is the contract: `loss_gradient`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arrays import Floats, Ints, Values
from ..cached import cached_property
from ..cells import CELLS
from ..data.batch import Batcher, SequenceBatch
from ..data.dataset import Dataset
from ..data.segments import rows_by_segment
from ..data.sequences import Sequences
from ..parameters import ParameterLayout, Weights
from ..workspace import Workspace
from .bptt import Backpropagation
from .chain import LinearChain
from .head import LinearHead, Objective
from .inputs import build_input
from .layer import PackedLayer
from .losses import LOSSES, BinaryCrossEntropy, CrossEntropy, Loss, WeightedSum
from .pooling import POOLINGS
from .readouts import EveryStep, Readout, size_with_steps
from .stack import RecurrentStack
from .state import State
from .windows import WindowRunner


@dataclass(frozen=True)
class PackedNetwork:
    """What steps one by one need of the parameters.

    Attributes
    ----------
    weights : dict of str to dict of str to ndarray
        The parameters by part and name.
    layers : list of PackedLayer
        Forms of them that suit the layers.
    """

    weights: dict[str, Weights]
    layers: list[PackedLayer]


@dataclass(frozen=True)
class Network:
    """A stack of recurrent layers on its input, a readout, a linear head and a loss; hyper-parameters only.

    Parameters
    ----------
    stack : RecurrentStack
        The input and the layers.
    readout : Readout
        Which columns the head sees: one a sequence, of each direction's outputs apart (``last`` takes the final state
        of each), or one a step.
    loss : Loss
        What the head predicts, and how wrong that is.
    is_tied : bool, default=False
        Whether the head's ``W_y`` is the embedding of the first tokens, those that are predicted.
    recompute : bool or "auto", default="auto"
        Whether `loss_gradient` computes activations a second time on the way back instead of holding those of all
        steps; "auto" does where they would take more than a gibibyte. What stays is the state after each of at most
        about sqrt(T) windows; of a bidirectional stack the outputs of every layer.
    gradient_steps : int or None, default=None
        Over how many steps from the end of a sequence `loss_gradient` goes back; all by default. The steps before make
        the state, and their share of the pooling, and count as constants. Unidirectional stacks only.

    References
    ----------
    Chen, Xu, Zhang and Guestrin, *Training deep nets with sublinear memory cost* (2016), section 4.
    Mikolov, Karafiát, Burget, Černocký and Khudanpur, *Recurrent neural network based language model* (2010),
    section 2: the next token.
    Press and Wolf, *Using the output embedding to improve language models* (2017), section 3: tied weights.

    Examples
    --------
    >>> network = Network.build("gru", n_inputs=3, hidden_size=4, n_classes=2)
    >>> network.layout.size
    110

    A network that puts a number to every step:

    >>> from skrnn.core.cells import GRUCell
    >>> from skrnn.core.model.inputs import DenseInput
    >>> from skrnn.core.model.losses import SquaredError
    >>> network = Network(RecurrentStack(GRUCell(4), DenseInput(3)), EveryStep(), SquaredError(1))
    """

    stack: RecurrentStack
    readout: Readout
    loss: Loss
    is_tied: bool = False
    recompute: bool | str = "auto"
    gradient_steps: int | None = None

    @classmethod
    def build(
        cls,
        cell: str,
        n_inputs: int,
        hidden_size: int,
        n_classes: int,
        *,
        n_layers: int = 1,
        bidirectional: bool = False,
        pooling: str = "last",
        dropout: float = 0.0,
        recompute: bool | str = "auto",
        gradient_steps: int | None = None,
        input_type: str = "features",
        embedding_size: int | None = None,
        categories: Sequence[Sequence[int]] = (),
        is_multilabel: bool = False,
    ) -> Network:
        """Put a network together that classifies sequences.

        Parameters
        ----------
        cell : {"gru", "lstm", "tanh", "relu"}
            Kind of cell.
        n_inputs : int
            Features per step.
        hidden_size : int
            Units of each layer and direction.
        n_classes : int
            Number of classes K.
        n_layers : int, default=1
            Number of layers.
        bidirectional : bool, default=False
            Whether each layer also reads from the end.
        pooling : {"last", "mean", "max"}, default="last"
            What of the top layer's outputs is classified.
        dropout : float, default=0.0
            Probability with which an output is dropped.
        recompute, gradient_steps : bool or "auto", int or None, default="auto", None
            See the class.
        input_type, embedding_size, categories : str, int or None, sequence of (int, int)
            What is read, see :func:`skrnn.core.model.inputs.build_input`; features by default.
        is_multilabel : bool, default=False
            Whether a sequence may have several of the classes, or none.

        Returns
        -------
        network : Network
            Without parameters.
        """
        read = build_input(n_inputs, input_type, embedding_size, categories)
        stack = RecurrentStack(CELLS[cell](hidden_size), read, n_layers, bidirectional, dropout)
        of_classes = BinaryCrossEntropy(n_classes) if is_multilabel else CrossEntropy(n_classes)
        return cls(stack, POOLINGS[pooling], of_classes, recompute=recompute, gradient_steps=gradient_steps)

    @classmethod
    def build_for_numbers(
        cls,
        cell: str,
        n_inputs: int,
        hidden_size: int,
        n_outputs: int,
        *,
        loss: str = "squared_error",
        center: Sequence[float] = (),
        scale: Sequence[float] = (),
        delta: float = 1.35,
        quantile: float | None = None,
        per_step: bool = False,
        n_layers: int = 1,
        bidirectional: bool = False,
        pooling: str = "last",
        dropout: float = 0.0,
        recompute: bool | str = "auto",
        gradient_steps: int | None = None,
        input_type: str = "features",
        embedding_size: int | None = None,
        categories: Sequence[Sequence[int]] = (),
    ) -> Network:
        """Put a network together that predicts numbers, of sequences of features or of each of their steps.

        Parameters
        ----------
        cell : {"gru", "lstm", "tanh", "relu"}
            Kind of cell.
        n_inputs : int
            Features of a step.
        hidden_size : int
            Units of each layer and direction.
        n_outputs : int
            Numbers K of a target.
        loss : str, default="squared_error"
            Name among `skrnn.core.model.losses.LOSSES`.
        center, scale : sequence of float, default=()
            Of each number, see `NumberLoss`; 0 and 1 by default.
        delta, quantile : float, default=1.35, None
            Of "huber", and of "quantile", which needs it.
        per_step : bool, default=False
            Whether each step has a target; `pooling` is then not used.
        n_layers, bidirectional, pooling, dropout, recompute, gradient_steps : see `build`
            As there.
        input_type, embedding_size, categories : see `build`
            As there.

        Returns
        -------
        network : Network
            Without parameters.

        Examples
        --------
        >>> Network.build_for_numbers("gru", n_inputs=3, hidden_size=4, n_outputs=1, loss="gaussian").head.n_raw
        2
        """
        read = build_input(n_inputs, input_type, embedding_size, categories)
        stack = RecurrentStack(CELLS[cell](hidden_size), read, n_layers, bidirectional, dropout)
        options = {"delta": delta} if loss == "huber" else {"quantile": quantile} if loss == "quantile" else {}
        n_raw = 2 * n_outputs if loss == "gaussian" else n_outputs
        of_numbers = LOSSES[loss](n_raw, tuple(center), tuple(scale), **options)
        readout = EveryStep() if per_step else POOLINGS[pooling]
        return cls(stack, readout, of_numbers, recompute=recompute, gradient_steps=gradient_steps)

    @classmethod
    def build_for_labels(
        cls,
        cell: str,
        n_inputs: int,
        hidden_size: int,
        n_classes: int,
        *,
        loss: str = "crf",
        class_weights: Sequence[float] = (),
        n_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        recompute: bool | str = "auto",
        input_type: str = "features",
        embedding_size: int | None = None,
        categories: Sequence[Sequence[int]] = (),
    ) -> Network:
        """Put a network together that gives every step of a sequence of features a label.

        Parameters
        ----------
        cell : {"gru", "lstm", "tanh", "relu"}
            Kind of cell.
        n_inputs : int
            Features per step.
        hidden_size : int
            Units of each layer and direction.
        n_classes : int
            Number of labels K.
        loss : {"crf", "log_loss"}, default="crf"
            A linear chain of labels, or each label by itself.
        class_weights : sequence of float, default=()
            Of "log_loss", see `CrossEntropy`.
        n_layers, bidirectional, dropout, recompute : see `build`
            As there.
        input_type, embedding_size, categories : see `build`
            As there.

        Returns
        -------
        network : Network
            `initialize` draws its parameters.

        Examples
        --------
        >>> Network.build_for_labels("gru", n_inputs=3, hidden_size=4, n_classes=2).layout.shapes["head"]["W_t"]
        (2, 2)
        """
        read = build_input(n_inputs, input_type, embedding_size, categories)
        stack = RecurrentStack(CELLS[cell](hidden_size), read, n_layers, bidirectional, dropout)
        of_labels = LinearChain(n_classes) if loss == "crf" else CrossEntropy(n_classes, tuple(class_weights))
        return cls(stack, EveryStep(), of_labels, recompute=recompute)

    @classmethod
    def build_for_tokens(
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
    ) -> Network:
        """Put a network together that predicts, after every step, which token comes next.

        Parameters
        ----------
        cell : {"gru", "lstm", "tanh", "relu"}
            Kind of cell.
        n_inputs : int
            Number of tokens that can be read.
        hidden_size : int
            Units of each layer.
        n_outputs : int
            Number of tokens that can be predicted: the first ones. The others, such as one that begins a sequence, are
            only read.
        n_layers : int, default=1
            Number of layers.
        dropout : float, default=0.0
            Probability with which an output is dropped.
        embedding_size : int, optional
            Length of the vector of each token; by default a token picks a column of the first layer's ``W_x``.
        tie_weights : bool, default=False
            Whether the vectors are also the head's weights.

        Returns
        -------
        network : Network
            Without parameters.

        Examples
        --------
        >>> Network.build_for_tokens("gru", n_inputs=5, hidden_size=4, n_outputs=4).layout.size
        144
        """
        tokens = build_input(n_inputs, "tokens", embedding_size)
        stack = RecurrentStack(CELLS[cell](hidden_size), tokens, n_layers, dropout=dropout)
        return cls(stack, EveryStep(), CrossEntropy(n_outputs), tie_weights)

    def using(self, kernels: str) -> Network:
        """The same network, whose steps are computed by another set of kernels; results differ in rounding.

        Parameters
        ----------
        kernels : str
            Name among `skrnn.core.kernels.KERNELS`.

        Returns
        -------
        network : Network
            Always the same one for a name.
        """
        if kernels == self.kernels:
            return self
        if kernels not in self._with_other_kernels:
            other = replace(self, stack=replace(self.stack, kernels=kernels), loss=self.loss.using(kernels))
            self._with_other_kernels.setdefault(kernels, other)
        return self._with_other_kernels[kernels]

    @property
    def kernels(self) -> str:
        """Name of the set of kernels that computes the steps."""
        return self.stack.kernels

    @property
    def batcher(self) -> Batcher:
        """How batches are made for this network."""
        return self.stack.batcher

    @cached_property
    def head(self) -> LinearHead:
        """From the columns of the readout to the raw predictions that the loss takes."""
        return LinearHead(self.stack.n_outputs, self.loss.n_raw)

    @cached_property
    def layout(self) -> ParameterLayout:
        """Names and places of the parameters: those of the stack, ``head``, ``embedding``."""
        head = {**self.head.shapes(), **self.loss.shapes()}
        shapes = {**self.stack.shapes(), "head": head, **self.stack.input.shapes()}
        if self.is_tied:
            del shapes["head"]["W_y"]
        return ParameterLayout(shapes, free=tuple(self.stack.input.shapes().get("embedding", ())))

    def initialize(self, rng: np.random.Generator, dtype: np.dtype | type = np.float64) -> Floats:
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
        weights = self.views(params)
        self.stack.initialize(weights, rng)
        self.head.initialize(weights["head"], rng)
        self.stack.input.initialize(weights, rng)
        return params.astype(dtype, copy=False)

    def loss_gradient(
        self, params: Floats, batch: SequenceBatch, state: State | None, workspace: Workspace, out: Floats
    ) -> tuple[float, State | None]:
        """Loss of a batch, and its gradient.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        batch : SequenceBatch
            With targets and weights.
        state : State or None
            Before the first step of each column. None: sequences are whole, they begin at zero and nothing is carried.
        workspace : Workspace
            Of the dtype of `params`; what is allocated in it is released.
        out : ndarray of shape (layout.size,)
            The gradient is added to it.

        Returns
        -------
        loss : float
            Sum over the batch of weight times loss, of each sequence or step.
        state : State or None
            After the last step of each column, if one came in.
        """
        return self._loss_gradient(params, batch, state, workspace, out)

    def input_gradient(self, params: Floats, batch: SequenceBatch, workspace: Workspace) -> list[Floats]:
        """Gradient of a batch's loss with respect to what the first layer reads.

        Parameters
        ----------
        params, batch, workspace : ndarray of shape (layout.size,), SequenceBatch, Workspace
            The parameters; the batch, with targets and weights; and scratch, all of which is released again.

        Returns
        -------
        d_x : list of ndarray of shape (n_steps_i, F)
            For each sequence of the batch's data, in their order: with respect to its features, or to the vectors of
            its tokens; without an embedding, to their one-hot rows. Zero for sequences that are not in the batch.
        """
        d_rows = np.zeros((batch.data.n_rows, self.stack.input.n_inputs), params.dtype)
        self._loss_gradient(params, batch, None, workspace, np.zeros_like(params), d_rows)
        return batch.data.views(d_rows)

    def raw_gradient(self, params: Floats, data: Sequences, d_raw: Floats, workspace: Workspace) -> list[Floats]:
        """Gradient of raw predictions with respect to what the first layer reads, over all steps.

        Parameters
        ----------
        params, data : ndarray of shape (layout.size,), Sequences
            The parameters; n sequences, none of whose rows belongs to two of them, read in batches of like lengths.
        d_raw : ndarray of shape (n, n_raw), or (sum of lengths, n_raw)
            Coefficient of each raw prediction, in the order in which `predict_raw` gives them.
        workspace : Workspace
            Scratch of the parameters' dtype.

        Returns
        -------
        d_x : list of ndarray of shape (n_steps_i, F)
            For each sequence the gradient of its sum of coefficients times raw predictions, as in `input_gradient`.
        """
        d_rows = np.zeros((data.n_rows, self.stack.input.n_inputs), params.dtype)
        coefficients, scratch = d_raw, np.zeros_like(params)
        if self.readout.is_per_step:
            coefficients = np.zeros((data.n_rows, self.head.n_raw), d_raw.dtype)
            coefficients[data.rows] = d_raw
        complete = replace(self, gradient_steps=None)
        for batch in self._runner.inference_batches(data):
            to_explain = replace(batch, targets=coefficients)
            complete._loss_gradient(params, to_explain, None, workspace, scratch, d_rows, WeightedSum(self.head.n_raw))
        return data.views(d_rows)

    def hidden_states(self, params: Floats, data: Sequences, workspace: Workspace, layer: int = -1) -> Floats:
        """Outputs of a layer at every step.

        Parameters
        ----------
        params, data, workspace : ndarray of shape (layout.size,), Sequences, Workspace
            As for `predict`.
        layer : int, default=-1
            Which, from the input upwards; negative from the last one downwards.

        Returns
        -------
        h : ndarray of shape (sum of lengths, D*H)
            One sequence after another; of both directions, the forward one first.
        """
        stack = replace(self.stack, n_layers=range(self.stack.n_layers)[layer] + 1)
        runner, h = WindowRunner(stack, EveryStep(), 0), np.empty((data.n_steps, stack.n_outputs), params.dtype)

        def by_column(outputs: Floats, rows: Ints) -> Floats:
            return outputs.transpose(0, 2, 1)

        for _, places, values in self._map_columns(params, data, workspace, runner, by_column):
            h[places] = values
        return h

    def predict(self, params: Floats, data: Sequences, workspace: Workspace) -> Floats:
        """What is predicted for each sequence, or for each step.

        Parameters
        ----------
        params, data, workspace : ndarray of shape (layout.size,), Sequences, Workspace
            The parameters; n sequences, read in batches of like lengths; and scratch of the parameters' dtype.

        Returns
        -------
        predicted : ndarray of shape (n, K), or (sum of lengths, K)
            What `Loss.inverse_link` gives, in the order of `data`; with a column for each step sequence after sequence.
        """
        return self._predict(params, data, workspace, self.loss.inverse_link)

    def predict_steps(self, params: Floats, data: Sequences, workspace: Workspace) -> Floats:
        """What is predicted after every step, from the steps up to it: as `predict` of all beginnings of the sequences.

        Parameters
        ----------
        params, data, workspace : ndarray of shape (layout.size,), Sequences, Workspace
            As for `predict`.

        Returns
        -------
        predicted : ndarray of shape (sum of lengths, K)
            What `Loss.inverse_link` gives, sequence after sequence.

        Raises
        ------
        ValueError
            If the network is bidirectional: its reverse direction begins at the end.
        """
        if self.stack.bidirectional:
            raise ValueError("A bidirectional network has no predictions of beginnings: it also reads from the end.")
        return self._predict_steps(params, data, workspace, self.loss.inverse_link)

    def predict_raw(self, params: Floats, data: Sequences, workspace: Workspace) -> Floats:
        """As `predict`, before the loss turns it into what is predicted.

        Parameters
        ----------
        params, data, workspace : ndarray of shape (layout.size,), Sequences, Workspace
            As for `predict`.

        Returns
        -------
        raw : ndarray of shape (n, n_raw), or (sum of lengths, n_raw)
            Raw predictions of the head.
        """
        return self._predict(params, data, workspace, lambda raw: raw)

    def pool(self, params: Floats, data: Sequences, workspace: Workspace) -> Floats:
        """What the head sees of each sequence; of a network that has one column for each.

        Parameters
        ----------
        params, data, workspace : ndarray of shape (layout.size,), Sequences, Workspace
            As for `predict`.

        Returns
        -------
        pooled : ndarray of shape (n, D*H)
            In the order of `data`.
        """
        pooled = np.empty((len(data), self.stack.n_outputs), params.dtype)
        for indices, columns in self._columns(params, data, workspace):
            pooled[indices] = columns.T
        return pooled

    def mean_loss(self, params: Floats, data: Dataset[Any], workspace: Workspace) -> float:
        """Weighted mean of the losses of a set, without a penalty and without dropout.

        Parameters
        ----------
        params, data, workspace : ndarray of shape (layout.size,), Dataset, Workspace
            The parameters; sequences with targets and weights; and scratch of the parameters' dtype.

        Returns
        -------
        loss : float
            Per target.
        """
        raw = self.predict_raw(params, data.sequences, workspace)
        targets, weights = data.all_targets()
        targets, weights = self.loss.prepare(targets, (weights / weights.max()).astype(params.dtype))
        return self.loss.loss_gradient(raw.T[None].copy(), targets[None], weights[None]) / float(weights.sum())

    def remember(self, params: Floats, timescale: float) -> None:
        """Let the gates of all layers begin at keeping a state over up to so many steps, see `Cell.remember`.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The initial parameters; of these some biases are overwritten.
        timescale : float
            In steps.
        """
        weights = self.views(params)
        for name in self.stack.shapes():
            self.stack.cell.remember(weights[name], timescale)

    def silence_unseen(self, params: Floats, sequences: Sequences) -> None:
        """Let tokens and categories that are not to be learned say nothing, where random weights would say anything.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The initial parameters; of these the weights that no step would read become zero.
        sequences : Sequences
            What is to be learned from.
        """
        self.stack.input.silence_unseen(self.views(params), sequences)

    def begin_at(self, params: Floats, data: Dataset[Any]) -> None:
        """Write the best constant prediction into the head's bias.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The initial parameters; of these ``b_y`` is overwritten.
        data : Dataset
            What is to be learned.
        """
        self.views(params)["head"]["b_y"][:] = self.loss.initial_bias(*data.all_targets())

    def map_steps(
        self,
        params: Floats,
        data: Sequences,
        workspace: Workspace,
        function: Callable[[Floats, Ints], Values],
    ) -> Iterator[tuple[Ints, Ints, Values]]:
        """Run over sequences of any length, and map the raw predictions of some steps at a time.

        With a column for each sequence, the predictions of a step are those that there were if sequences ended there;
        of a bidirectional network, whose reverse direction begins at the end, they mean nothing.

        Parameters
        ----------
        params, data, workspace : ndarray of shape (layout.size,), Sequences, Workspace
            The parameters; what is read; and scratch, of the dtype of `params`.
        function : callable
            ``function(raw (L, K, n), rows (L, n)) -> values (L, n, ...)``, with the rows of the data; `raw` may be
            overwritten.

        Yields
        ------
        indices : ndarray of shape (N,)
            Of which sequence each step is.
        places : ndarray of shape (N,)
            Where it is among the steps of all sequences, one sequence after another.
        values : ndarray of shape (N, ...)
            What the function gave.
        """
        head = self.views(params)["head"]

        def of_columns(columns: Floats, rows: Ints) -> Values:
            return function(self.head.raw_of_steps(head, columns, workspace), rows)

        yield from self._map_columns(params, data, workspace, self._runner, of_columns)

    def _map_columns(
        self,
        params: Floats,
        data: Sequences,
        workspace: Workspace,
        runner: WindowRunner,
        function: Callable[[Floats, Ints], Values],
    ) -> Iterator[tuple[Ints, Ints, Values]]:
        """As `map_steps`, for the columns (L, D*H, n) that a runner's readout shows after every step."""
        weights, stack = self.views(params), runner.stack
        size = size_with_steps(stack, runner.n_raw)
        shift = np.cumsum(data.lengths) - data.lengths - data.offsets  # (n,), from rows to places
        for batch in runner.inference_batches(data):
            before = runner.initial(len(batch.indices), params.dtype)
            accumulated = before.accumulated.copy()
            for window in runner.inference_windows(batch, size):
                mark, first = workspace.mark(), before.n_steps
                cache, before = runner.run(weights, window, workspace, before, stack.bidirectional)
                outputs = stack.outputs(cache, window, workspace)
                by_row = (rows_by_segment(v, window.segments) for v in (window.rows, window.weights_of_rows()))
                for segment, h, rows, is_real in zip(window.segments, outputs, *by_row, strict=True):
                    columns = runner.readout.after_steps(h, accumulated, first + segment.start, workspace)
                    values = function(columns, rows[:, :, 0])
                    of_sequence = np.broadcast_to(batch.indices[: h.shape[2]], rows.shape[:2])
                    keep = is_real[:, :, 0] > 0
                    yield of_sequence[keep], (rows[:, :, 0] + shift[of_sequence])[keep], values[keep]
                workspace.release(mark)

    def read(self, params: Floats, data: Sequences, workspace: Workspace) -> State:
        """State of every layer after the last step of each sequence.

        Parameters
        ----------
        params, data, workspace : ndarray of shape (layout.size,), Sequences, Workspace
            The parameters; n sequences; and scratch, of the dtype of `params`.

        Returns
        -------
        state : State
            Of n sequences; zero where one has no steps. The last layer's h is the output of the stack.
        """
        weights, runner = self.views(params), self._runner
        state = self.stack.zero_state(len(data), params.dtype)
        for batch in runner.inference_batches(data):
            layers = self.stack.zero_state(len(batch.indices), params.dtype)
            runner.run_all(weights, batch, workspace, runner.initial(len(batch.indices), params.dtype), layers)
            state.put(batch.indices, layers)
        return state

    def pack(self, params: Floats, workspace: Workspace) -> PackedNetwork:
        """Pack the parameters as `step` needs them, once for any number of steps.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        workspace : Workspace
            Of the dtype of `params`; what is returned is allocated in it.

        Returns
        -------
        packed : PackedNetwork
            Weights, and the forms of them that the layers run on.

        Raises
        ------
        ValueError
            If the network is bidirectional: its reverse direction begins at the end.
        """
        if self.stack.bidirectional:
            raise ValueError("A bidirectional network cannot advance: its reverse direction begins at the last step.")
        weights = self.views(params)
        return PackedNetwork(weights, self.stack.pack(weights, workspace))

    def start(self, n: int, dtype: np.dtype) -> State:
        """State of `n` sequences before their first step.

        Parameters
        ----------
        n : int
            Number of sequences.
        dtype : dtype
            Of the parameters.

        Returns
        -------
        state : State
            For `step`.
        """
        zero = self.stack.zero_state(n, dtype)
        return State(zero.layers, self.readout.start(self.stack.n_outputs, n, dtype))

    def step(self, packed: PackedNetwork, rows: Values, state: State, workspace: Workspace) -> tuple[Floats, State]:
        """Read one step of every sequence.

        Parameters
        ----------
        packed : PackedNetwork
            What `pack` gave.
        rows : ndarray of shape (n, F), or (n,) for tokens
            What comes now.
        state : State
            Before this step.
        workspace : Workspace
            Of the dtype of the parameters; what is allocated in it is released.

        Returns
        -------
        predicted : ndarray of shape (n, K)
            What `Loss.inverse_link` gives, from all steps so far.
        state : State
            After this step.
        """
        columns, after = self.advance(packed, rows, state, workspace)
        return self.predict_columns(packed.weights["head"], columns), after

    def advance(self, packed: PackedNetwork, rows: Values, state: State, workspace: Workspace) -> tuple[Floats, State]:
        """As `step`, but for the head.

        Parameters
        ----------
        packed, rows, state, workspace : PackedNetwork, ndarray of shape (n, F) or (n,), State, Workspace
            As for `step`.

        Returns
        -------
        columns : ndarray of shape (H, n)
            What the head would see, for `predict_columns`.
        state : State
            After this step.
        """
        mark = workspace.mark()
        x = self.stack.input.read_step(packed.weights, rows, workspace)
        layers = self.stack.step(packed.layers, x, state.layers, workspace)
        workspace.release(mark)
        columns, carried = self.readout.step(layers[-1][0], state.carried)
        return columns, State(layers, carried)

    def predict_columns(self, weights: Weights, columns: Floats) -> Floats:
        """What is predicted from columns that the head sees.

        Parameters
        ----------
        weights : dict of str to ndarray
            The head's parameters.
        columns : ndarray of shape (D*H, n)
            What the head sees.

        Returns
        -------
        predicted : ndarray of shape (n, K)
            What `Loss.inverse_link` gives.
        """
        return self.loss.inverse_link(self.head.raw(weights, columns)).T

    def views(self, vector: Floats) -> dict[str, Weights]:
        """Views of a vector of parameters or gradients by part and name, ``W_y`` included where it is tied.

        Parameters
        ----------
        vector : ndarray of shape (layout.size,)
            Parameters, or a gradient.

        Returns
        -------
        views : dict of str to dict of str to ndarray
            Writing to a view writes to the vector.
        """
        views = self.layout.views(vector)
        if self.is_tied:
            views["head"]["W_y"] = views["embedding"]["E"][: self.head.n_raw]
        return views

    def _predict(
        self, params: Floats, data: Sequences, workspace: Workspace, link: Callable[[Floats], Floats]
    ) -> Floats:
        """As `predict`, with another function of raw predictions (..., n_raw, n)."""
        if self.readout.is_per_step:
            return self._predict_steps(params, data, workspace, link)
        weights = self.views(params)["head"]
        predicted = np.empty((len(data), self.loss.n_raw), params.dtype)
        for indices, columns in self._columns(params, data, workspace):
            predicted[indices] = link(self.head.raw(weights, columns)).T
        return predicted

    def _predict_steps(
        self, params: Floats, data: Sequences, workspace: Workspace, link: Callable[[Floats], Floats]
    ) -> Floats:
        """As `predict_steps`, with another function of raw predictions (L, n_raw, n)."""
        predicted = np.empty((data.n_steps, self.loss.n_raw), params.dtype)

        def by_column(raw: Floats, rows: Ints) -> Floats:
            return link(raw).transpose(0, 2, 1)

        for _, places, values in self.map_steps(params, data, workspace, by_column):
            predicted[places] = values
        return predicted

    def _columns(self, params: Floats, data: Sequences, workspace: Workspace) -> Iterator[tuple[Ints, Floats]]:
        """Run over sequences batch by batch: which they are (n,), and what the head sees of each (D*H, n)."""
        weights, runner = self.views(params), self._runner
        for batch in runner.inference_batches(data):
            after = runner.run_all(weights, batch, workspace, runner.initial(len(batch.indices), params.dtype))
            yield batch.indices, self.readout.columns(after.accumulated, batch)

    @cached_property
    def _with_other_kernels(self) -> dict[str, Network]:
        """What `using` has made."""
        return {}

    @cached_property
    def _runner(self) -> WindowRunner:
        """What runs over windows of a batch."""
        return WindowRunner(self.stack, self.readout, self.loss.n_raw)

    def _loss_gradient(
        self,
        params: Floats,
        batch: SequenceBatch,
        state: State | None,
        workspace: Workspace,
        out: Floats,
        d_rows: Floats | None = None,
        loss: Loss | None = None,
    ) -> tuple[float, State | None]:
        """As `loss_gradient`, perhaps of another loss; adds those of the inputs to `d_rows`, beside the rows of X."""
        weights, gradients, loss = self.views(params), self.views(out), loss or self.loss
        objective = Objective(self.head, loss, weights["head"], gradients["head"], workspace, self.stack.limits)
        bptt = Backpropagation(self._runner, self.recompute, self.gradient_steps)
        return bptt.loss_gradient(weights, gradients, batch, state, objective, d_rows)
