"""The same work as skrnn, PyTorch and JAX do it, each in a process of its own, and the bare products of it."""
