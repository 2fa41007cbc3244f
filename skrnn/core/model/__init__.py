"""The network: input, layers, readout, head and loss."""
