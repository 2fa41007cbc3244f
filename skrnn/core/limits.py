"""How much is worked on at a time: what fits into a cache, and what memory a batch may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes of the parts that work is done in; results depend on them in their last bits only.

    The defaults were measured on CPUs with 1 to 32 MB of cache a core, see the page on the design.

    Parameters
    ----------
    segment_size : int, default=2**19
        Numbers of scratch in a segment's backward pass: a few steps of large batches, in the last cache.
    gradient_steps : int, default=2**12
        Time steps whose weight gradients are one product.
    raw_size : int, default=2**20
        Raw predictions that are held where gradients are wanted: some steps of a large vocabulary.
    activation_bytes : int, default=2**30
        Bytes that a batch's activations may take before they are computed twice.
    inference_size : int, default=2**22
        Numbers that a window keeps where no gradient is wanted: in the last cache.
    inference_steps : int, default=2**15
        Time steps of such a window at most.
    inference_units : int, default=2**15
        Units of a step of it, all sequences of a batch together.
    inference_columns : (int, int), default=(64, 512)
        Least and largest number of those sequences.

    Examples
    --------
    >>> Limits(segment_size=2**18).inference_steps
    32768
    """

    segment_size: int = 2**19
    gradient_steps: int = 2**12
    raw_size: int = 2**20
    activation_bytes: int = 2**30
    inference_size: int = 2**22
    inference_steps: int = 2**15
    inference_units: int = 2**15
    inference_columns: tuple[int, int] = (64, 512)


LIMITS = Limits()
