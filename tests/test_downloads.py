"""Every script of the gallery and the tutorials runs by itself, as it does where a reader downloads it.

They need what builds the pages, ``pip install -e '.[docs]'``, and are skipped without it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted(path for folder in ("tutorials", "examples") for path in (ROOT / folder).glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_download_runs_in_an_empty_folder(script, tmp_path):
    pytest.importorskip("sphinx_gallery")
    pytest.importorskip("aeon")
    shutil.copy(script, tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert not run.stderr, run.stderr


def test_every_script_is_in_the_gallery():
    assert all(script.stem.startswith("plot_") for script in SCRIPTS)  # what sphinx-gallery runs and offers
