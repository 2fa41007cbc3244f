"""Layers of PyTorch with our weights, and their gradients by our names."""

import torch

from skrnn.export._gates import TORCH_GATES, parts_of_layers, with_gates_in
from skrnn.export._torch import state_dict_of


def make_layers(network, params):
    """The recurrent layers of a network, in float64."""
    stack = network.stack
    name = type(stack.cell).__name__
    kind = {"ElmanCell": torch.nn.RNN, "GRUCell": torch.nn.GRU, "LSTMCell": torch.nn.LSTM}[name]
    options = {"nonlinearity": stack.cell.activation} if kind is torch.nn.RNN else {}
    layers = kind(
        stack.input.n_inputs,
        stack.cell.hidden_size,
        num_layers=stack.n_layers,
        bidirectional=stack.bidirectional,
        dtype=torch.float64,
        **options,
    )
    layers.load_state_dict({key: torch.from_numpy(array) for key, array in state_dict_of(network, params).items()})
    return layers


def gradients_of(layers, network):
    """Gradients of the layers' weights by part and name."""
    cell, gradients = network.stack.cell, {}
    names = {"W_x": "weight_ih", "W_h": "weight_hh", "b": "bias_ih", "b_h": "bias_hh"}
    for k, parts in enumerate(parts_of_layers(network.stack)):
        for part, direction in zip(parts, ("", "_reverse"), strict=False):
            arrays = {ours: getattr(layers, f"{name}_l{k}{direction}").grad.numpy() for ours, name in names.items()}
            arrays = {name: with_gates_in(cell.gates, TORCH_GATES[type(cell)], v) for name, v in arrays.items()}
            b_h = arrays.pop("b_h")
            if "b_hn" in cell.shapes():
                arrays["b_hn"] = b_h[-cell.hidden_size :]  # gate n is the last
            gradients[part] = arrays
    return gradients
