"""Sequences in and out: converters between layouts.

The one layout of skrnn is ``(n_sequences, n_steps, n_features)``, as an array or, when lengths differ, as a list of
arrays ``(n_steps_i, n_features)``. The converters bring other layouts into it. What they return never shares memory
with their input, except :func:`sliding_windows`, which says so.
"""

from ._arrow import from_arrow
from ._channels_first import from_channels_first
from ._column import to_column
from ._concatenated import from_concatenated
from ._forecasting import to_forecasting
from ._long_dataframe import from_long_dataframe
from ._padding import from_padded, to_padded
from ._windows import sliding_windows

__all__ = [
    "from_arrow",
    "from_channels_first",
    "from_concatenated",
    "from_long_dataframe",
    "from_padded",
    "sliding_windows",
    "to_column",
    "to_forecasting",
    "to_padded",
]

for _public in (
    from_arrow,
    from_channels_first,
    from_concatenated,
    from_long_dataframe,
    from_padded,
    sliding_windows,
    to_column,
    to_forecasting,
    to_padded,
):
    _public.__module__ = "skrnn.sequences"  # so that pickles outlive a move of the file
del _public
