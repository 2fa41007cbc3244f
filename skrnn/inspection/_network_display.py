"""A network that is unrolled over time, drawn from the model itself."""

from __future__ import annotations

from typing import Any

from .._fitted import Fitted
from .._input_reading import MixedInputReading
from .._next_token import RNNNextTokenModel
from ..core.model.chain import LinearChain
from ..core.model.inputs import Embedding
from ..core.model.losses import BinaryCrossEntropy, NumberLoss
from ..core.model.pooling import POOLINGS
from ._explained import split_model
from ._network_drawing import CELLS, NetworkDrawing
from ._plotting import make_axes


class NetworkDisplay:
    """The network of a model, unrolled over time: a column for each step, a row for each layer.

    Make one with :meth:`from_estimator`.

    Parameters
    ----------
    cell : {"gru", "lstm", "tanh", "relu"}
        Kind of cell.
    hidden_size : int
        Units of each layer and direction.
    n_layers : int, default=1
        Number of layers.
    bidirectional : bool, default=False
        Whether layers also read from the end.
    pooling : {"last", "mean", "max"} or None, default="last"
        What of the states is predicted from; None where there is a prediction for each step.
    has_chain : bool, default=False
        Whether the predictions of neighbouring steps depend on one another.
    inputs, outputs : str, default=""
        What a step reads, and what is predicted, in words, on lines of some 15 letters.
    n_parameters : int, default=None
        Stands above the network, if given.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What is plotted on.
    figure_ : matplotlib Figure
        What that is in.

    Examples
    --------
    >>> from skrnn import RNNSequenceClassifier
    >>> from skrnn.inspection import NetworkDisplay
    >>> X, y = [[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]], ["up", "down"]
    >>> model = RNNSequenceClassifier(4, learning_rate="cosine", random_state=0).fit(X, y)
    >>> NetworkDisplay.from_estimator(model).outputs
    '2 classes'
    """

    def __init__(
        self,
        cell: str,
        hidden_size: int,
        *,
        n_layers: int = 1,
        bidirectional: bool = False,
        pooling: str | None = "last",
        has_chain: bool = False,
        inputs: str = "",
        outputs: str = "",
        n_parameters: int | None = None,
    ) -> None:
        self.cell = cell
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.has_chain = has_chain
        self.inputs = inputs
        self.outputs = outputs
        self.n_parameters = n_parameters

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> NetworkDisplay:
        """Draw the network of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator of skrnn, or a pipeline or a fitted search that ends in one.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        display : NetworkDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted: how wide its input is, is known then.
        TypeError
            If it is no estimator of skrnn.
        """
        _, model = split_model(estimator, "NetworkDisplay")
        fitted = model._check_fitted()
        network, stack = fitted.network, fitted.network.stack
        names = {pooling: name for name, pooling in POOLINGS.items()}
        display = cls(
            fitted.arguments["cell"],
            stack.cell.hidden_size,
            n_layers=stack.n_layers,
            bidirectional=stack.bidirectional,
            pooling=names.get(network.readout),
            has_chain=isinstance(network.loss, LinearChain),
            inputs=_inputs_of(fitted),
            outputs=_outputs_of(fitted, isinstance(model, RNNNextTokenModel)),
            n_parameters=network.layout.size,
        )
        return display.plot(ax=ax)

    def plot(self, *, ax: Any = None) -> NetworkDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        display : NetworkDisplay
            With its axes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        n_rows = self.n_layers * (1.75 if self.bidirectional else 1.0) + (3 if self.pooling else 2)
        self.ax_ = make_axes(ax, "NetworkDisplay", (5.6, 0.5 + 0.72 * n_rows))
        self.figure_ = self.ax_.figure
        drawing, cell = NetworkDrawing(self.ax_, self.bidirectional), CELLS[self.cell]
        drawing.add_inputs(self.inputs)
        units = f"{self.hidden_size:,} {cell} units" + ("\nin each direction" if self.bidirectional else "")
        for layer in range(1, self.n_layers + 1):
            drawing.add_layer(cell, f"layer {layer}" if self.n_layers > 1 else "layer", units)
        if self.pooling is None:
            drawing.add_outputs(self.outputs, self.has_chain)
        else:
            drawing.add_pooling(self.pooling)
            drawing.add_output(self.outputs, self.pooling)
        drawing.finish("" if self.n_parameters is None else f"{self.n_parameters:,} parameters")
        return self


def _inputs_of(fitted: Fitted) -> str:
    vocabulary, input_ = fitted.reading.known_tokens(), fitted.network.stack.input
    if vocabulary is not None:
        form = f"vectors of {input_.size}" if isinstance(input_, Embedding) else "one-hot"
        return f"{_count(len(vocabulary.tokens), 'token')}\n{form}"
    reading, n = fitted.reading.input, int(fitted.reading.shape.n_inputs_)
    if isinstance(reading, MixedInputReading):
        kinds = len(reading.columns)
        return f"{_count(n - kinds, 'number')},\n{_count(kinds, 'category', 'categories')}"
    return _count(n, "feature")


def _outputs_of(fitted: Fitted, is_of_tokens: bool) -> str:
    network, loss = fitted.network, fitted.network.loss
    if is_of_tokens:
        return f"next of\n{_count(loss.n_raw, 'token')}"
    if isinstance(loss, NumberLoss):
        numbers = _count(loss.n_numbers, "number")
        return numbers if loss.n_raw == loss.n_numbers else f"{numbers},\nmean and deviation"
    if isinstance(loss, BinaryCrossEntropy):
        return f"any of\n{_count(loss.n_raw, 'label')}"
    if network.readout.is_per_step:
        return f"{_count(loss.n_raw, 'label')}" + (",\na linear chain" if isinstance(loss, LinearChain) else "")
    return _count(loss.n_raw, "class", "classes")


def _count(n: int, singular: str, plural: str | None = None) -> str:
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"
