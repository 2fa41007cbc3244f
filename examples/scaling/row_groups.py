"""Train on a Parquet file that is larger than memory, one of its row groups at a time.

Writes a file of so many row groups and so many sequences in each into a temporary folder, trains a classifier, a
regressor and a token model on it, and prints how much memory the process has taken::

    python row_groups.py 100 2000

Needs ``pip install 'skrnn[arrow]'``, and Linux or macOS to tell the memory.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow.parquet import ParquetFile, ParquetWriter

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceRegressor
from skrnn.preprocessing import SequenceScaler
from skrnn.sequences import from_arrow


def shuffled(groups, n_epochs):
    rng = np.random.default_rng(0)
    for _ in range(n_epochs):
        yield from rng.permutation(groups)


def classify(path, n_epochs):
    file = ParquetFile(path)
    *training, held_out = range(file.num_row_groups)
    scaler, classes = SequenceScaler(), set()
    for group in training:
        table = file.read_row_group(group, columns=["steps", "label"])
        scaler.partial_fit(from_arrow(table["steps"]))
        classes.update(table["label"].unique().to_pylist())

    model = RNNSequenceClassifier(hidden_size=16, learning_rate_init=0.01, random_state=0)
    for group in shuffled(training, n_epochs):
        table = file.read_row_group(group, columns=["steps", "label"])
        X = scaler.transform(from_arrow(table["steps"]))
        model.partial_fit(X, table["label"].to_pylist(), classes=sorted(classes))

    table = file.read_row_group(held_out)
    return model, model.score(scaler.transform(from_arrow(table["steps"])), table["label"].to_pylist())


def regress(path, n_epochs):
    file = ParquetFile(path)
    *training, held_out = range(file.num_row_groups)
    model = RNNSequenceRegressor(hidden_size=16, learning_rate_init=0.01, random_state=0)
    for group in shuffled(training, n_epochs):
        table = file.read_row_group(group, columns=["steps", "size"])
        model.partial_fit(from_arrow(table["steps"]), table["size"].to_numpy())

    table = file.read_row_group(held_out)
    return model, model.score(from_arrow(table["steps"]), table["size"].to_numpy())


def predict_words(path, n_epochs):
    file = ParquetFile(path)
    *training, held_out = range(file.num_row_groups)
    vocabulary = set()
    for group in training:
        words = file.read_row_group(group, columns=["words"])["words"].combine_chunks()
        vocabulary.update(words.flatten().unique().to_pylist())

    model = RNNNextTokenModel(hidden_size=16, vocabulary=sorted(vocabulary), random_state=0)
    for group in shuffled(training, n_epochs):
        model.partial_fit(file.read_row_group(group, columns=["words"])["words"].to_pylist())

    return model, model.perplexity(file.read_row_group(held_out, columns=["words"])["words"].to_pylist())


def write_file(path, n_groups, n_sequences, width=8):
    """Write sequences of 20 to 60 steps with a label and a size each, and sentences of a few words."""
    rng, writer = np.random.default_rng(0), None
    for _ in range(n_groups):
        offsets = np.concatenate([[0], np.cumsum(rng.integers(20, 61, size=n_sequences))])
        steps = rng.standard_normal((offsets[-1], width), dtype=np.float32)
        means = np.add.reduceat(steps[:, 0], offsets[:-1]) / np.diff(offsets)
        table = pa.table(
            {
                "steps": pa.ListArray.from_arrays(offsets, pa.FixedSizeListArray.from_arrays(steps.ravel(), width)),
                "label": np.where(means > 0, "up", "down"),
                "size": 100 + 10 * means,
                "words": [["the", animal, sound] for animal, sound in SENTENCES[rng.integers(3, size=n_sequences)]],
            }
        )
        writer = writer or ParquetWriter(path, table.schema)
        writer.write_table(table)  # a row group
    writer.close()


SENTENCES = np.array([["cat", "meows"], ["dog", "barks"], ["cow", "moos"]], dtype=object)


def peak_memory():
    """Return the most memory that this process has had so far, in MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    n_groups, n_sequences = map(int, sys.argv[1:] or [20, 1000])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sequences.parquet"
        write_file(path, n_groups, n_sequences)
        size = ParquetFile(path).read_row_group(0).nbytes / 1e6
        print(f"{n_groups} row groups of {size:.1f} MB, {n_groups * size:.0f} MB in all; peak {peak_memory():.0f} MB")
        for train in (classify, regress, predict_words):
            _, score = train(path, n_epochs=1)
            print(f"{train.__name__}: {score:.3f} on the last row group; peak {peak_memory():.0f} MB")
