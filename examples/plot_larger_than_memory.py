"""
=====================
More data than memory
=====================

Data outgrow memory soon where every recording is stored many times, each time a little shifted, turned or stretched, so
that a model learns what does not matter. ``partial_fit`` needs no more than a part of them at a time, such as a row
group of a Parquet file. (``pip install 'skrnn[arrow]'``)
"""

# %%
# A handwritten digit is a sequence of eight rows of eight pixels. From half of scikit-learn's digits, which fit into
# memory, a network learns to recognise the other half.

import tempfile
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
from pyarrow.parquet import ParquetFile, ParquetWriter
from scipy.ndimage import map_coordinates
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skrnn import RNNSequenceClassifier
from skrnn.sequences import from_arrow

digits = load_digits()
images = digits.images.astype(np.float32) / 16
X_train, X_test, y_train, y_test = train_test_split(
    images, digits.target, test_size=0.5, stratify=digits.target, random_state=0
)

in_memory = RNNSequenceClassifier(hidden_size=48, learning_rate="cosine", random_state=0).fit(X_train, y_train)
accuracy = in_memory.score(X_test, y_test)
print(f"accuracy {accuracy:.3f} after {len(X_train)} digits")

# %%
# Deformed digits
# ---------------
#
# More of them can be had by deforming these. The digits of the test stay as they are.


def deform(images, rng):
    """Shift, turn and stretch images of shape (n, 8, 8), each in its own way."""
    n = len(images)
    angle, (down, right) = rng.normal(0, 0.15, (n, 1, 1)), rng.normal(0, 0.5, (2, n, 1, 1))
    height, width = np.exp(rng.normal(0, 0.1, (2, n, 1, 1)))
    row, column = np.mgrid[:8, :8] - 3.5  # from the middle
    rows = height * (np.cos(angle) * row - np.sin(angle) * column) + 3.5 + down
    columns = width * (np.sin(angle) * row + np.cos(angle) * column) + 3.5 + right
    which = np.broadcast_to(np.arange(n)[:, None, None], rows.shape)
    return map_coordinates(images, [which, rows, columns], order=1)


# %%
# The file is written as it will be read, one row group after the other. Each has digits of all classes in random order:
# a row group of one class, or of one day, would be forgotten while the next one is learned. A column holds the
# sequences, one the labels.

N_GROUPS, N_SEQUENCES = 80, 2000
SCHEMA = pa.schema({"rows": pa.list_(pa.list_(pa.float32(), 8)), "digit": pa.int8()})

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "digits.parquet"
rng = np.random.default_rng(0)
with ParquetWriter(path, SCHEMA) as writer:
    for _ in range(N_GROUPS):
        chosen = rng.integers(len(X_train), size=N_SEQUENCES)
        rows = pa.FixedSizeListArray.from_arrays(deform(X_train[chosen], rng).ravel(), 8)
        sequences = pa.ListArray.from_arrays(range(0, len(rows) + 1, 8), rows)
        writer.write_table(pa.table({"rows": sequences, "digit": y_train[chosen]}, SCHEMA))

# %%
# A row group at a time
# ---------------------
#
# :func:`~skrnn.sequences.from_arrow` makes sequences of the column, and ``partial_fit`` trains on them for an epoch.
# Its first call has to be told of all classes. Python counts the memory that it and NumPy have taken at most, Arrow
# that of the row group.

tracemalloc.start()
model = RNNSequenceClassifier(hidden_size=48, batch_size=100, random_state=0)
accuracies, in_file, taken = [], [], []
with ParquetFile(path) as file:
    for group in range(file.num_row_groups):
        table = file.read_row_group(group)
        model.partial_fit(from_arrow(table["rows"]), table["digit"].to_numpy(), classes=range(10))

        accuracies.append(model.score(X_test, y_test))
        in_file.append(table.nbytes / 1e6)
        taken.append((tracemalloc.get_traced_memory()[1] + pa.total_allocated_bytes()) / 1e6)
tracemalloc.stop()
folder.cleanup()
last_ten, n_read = np.mean(accuracies[-10:]), N_GROUPS * N_SEQUENCES
print(f"accuracy {last_ten:.3f} after {n_read} deformed digits, on average after each of the last ten row groups")
print(f"{sum(in_file):.0f} MB in the file, {taken[-1]:.0f} MB taken at a time")

# %%
# The figure
# ----------

fig, (upper, lower) = plt.subplots(2, sharex=True, figsize=(5.6, 5), layout="constrained")
groups = np.arange(1, N_GROUPS + 1)
upper.plot(groups, accuracies, ".-", color="tab:blue", label="deformed digits, as they are read")
upper.axhline(accuracy, color="0.4", ls="--", label=f"{len(X_train)} digits as they were")
upper.set(ylabel="accuracy", ylim=(0.9, 1))
upper.legend(loc="lower right")
lower.plot(groups, np.cumsum(in_file), color="0.4", ls="--", label="all that were read")
lower.plot(groups, taken, color="tab:blue", label="taken with one row group at a time")
lower.set(xlabel="row groups read", ylabel="memory (MB)")
lower.legend(loc="upper left")
plt.show()

# %%
# What is taken at a time are the row group, and above all what the network computes with. Both stay the same with a
# thousand times as many row groups. And the deformed digits are worth it: with them the network makes fewer mistakes.
#
# :doc:`/user_guide/scaling` says what to do where features have to be scaled or the classes are not known before, and
# how to go through the file more than once.
