"""More data than memory: row groups of a Parquet file, as examples/scaling/row_groups.py reads them."""

import os
import runpy
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from integration.libraries import need
from numpy.testing import assert_array_equal

from skrnn import RNNSequenceClassifier
from skrnn.preprocessing import SequenceScaler
from skrnn.sequences import from_arrow

pa = need("pyarrow")
parquet = need("pyarrow.parquet")
SCRIPT = Path(__file__).parents[2] / "examples" / "scaling" / "row_groups.py"
script = runpy.run_path(str(SCRIPT))
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[2])}
N_SEQUENCES = 1000
"""In a row group: five batches."""
TRAININGS = ["classify", "regress", "predict_words"]


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Return the files of few and of many row groups of the same size."""
    folder = tmp_path_factory.mktemp("row_groups")
    paths = [folder / f"{n}.parquet" for n in (3, 12)]
    for path in paths:
        script["write_file"](path, int(path.stem), n_sequences=N_SEQUENCES)
    return paths


def size(path):
    """Return the bytes of a file's data in memory."""
    return parquet.read_table(path).nbytes


def peak(train, path):
    """Return the most bytes that arrays of NumPy, objects of Python and buffers of Arrow take during an epoch."""
    former = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(former)  # counts anew
    pa.set_memory_pool(pool)
    tracemalloc.start()
    try:
        train(path, 1)
        return tracemalloc.get_traced_memory()[1] + pool.max_memory()
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(former)


@pytest.mark.parametrize("name", TRAININGS)
def test_memory_does_not_grow_with_the_file(name, paths):
    few, many = paths
    script[name](few, 1)  # what is imported, and made once

    assert peak(script[name], many) - peak(script[name], few) < (size(many) - size(few)) / 2


@pytest.mark.parametrize(
    ("name", "is_good"),
    [
        ("classify", lambda accuracy: accuracy > 0.85),
        ("regress", lambda r2: r2 > 0.6),
        ("predict_words", lambda perplexity: perplexity < 1.6),  # one of three, then two words that follow: 1.32
    ],
)
def test_all_row_groups_are_learned(name, is_good, paths):
    model, score = script[name](paths[1], 2)

    assert is_good(score)
    assert model.n_iter_ == 2 * 11  # one is held out


def test_row_groups_are_what_the_file_holds(paths):
    """A model that is trained on the row groups is the one that is trained on the sequences that were written."""
    table = parquet.read_table(paths[0])
    X, y = from_arrow(table["steps"]), table["label"].to_pylist()
    scaler, model = SequenceScaler().fit(X[: 2 * N_SEQUENCES]), RNNSequenceClassifier(hidden_size=16, random_state=0)
    model.set_params(learning_rate_init=0.01)
    for group in script["shuffled"]([0, 1], 1):
        part = slice(N_SEQUENCES * group, N_SEQUENCES * (group + 1))
        model.partial_fit(scaler.transform(X[part]), y[part], classes=["down", "up"])

    trained, _ = script["classify"](paths[0], 1)

    assert_array_equal(trained.predict_proba(X), model.predict_proba(X))


def test_the_script_runs():
    run = subprocess.run(
        [sys.executable, "-W", "error", SCRIPT, "2", "20"], capture_output=True, text=True, check=False, env=ENVIRONMENT
    )

    assert not run.stderr
    assert run.stdout.count("on the last row group") == len(TRAININGS)
