"""What several test files use."""

from dataclasses import replace


def with_limits(network, **limits):
    """Return the network with other sizes of the parts that it works in."""
    stack = replace(network.stack, limits=replace(network.stack.limits, **limits))
    return replace(network, stack=stack)
