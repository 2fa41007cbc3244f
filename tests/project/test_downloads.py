"""Every script of the gallery and the tutorials runs by itself, as it does where a reader downloads it.

So does its notebook, which has the same code. They need what builds the pages, ``pip install -e '.[docs]'``, and are
skipped without it.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for folder in ("tutorials", "examples") for path in (ROOT / folder).glob("*.py"))
every_script = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)


@every_script
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


def cells(script, folder, cell_type):
    """Texts of one type of cells in the notebook that the gallery offers beside a script."""
    notebook = pytest.importorskip("sphinx_gallery.notebook")
    notebook.python_to_jupyter_cli([shutil.copy(script, folder)])
    content = json.loads((folder / script.name).with_suffix(".ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == cell_type]


@every_script
def test_a_notebook_runs_as_its_script_does(script, tmp_path):
    """Its cells are complete, and together they are the script, which needs no ``__file__``."""
    source = script.read_text(encoding="utf-8")
    _, *expected = ast.parse(source).body  # the docstring is text in the notebook
    statements = [statement for cell in cells(script, tmp_path, "code") for statement in ast.parse(cell).body]

    assert list(map(ast.dump, statements)) == list(map(ast.dump, expected))
    assert "__file__" not in source


@every_script
def test_text_of_a_notebook_is_markdown(script, tmp_path):
    """Tables, directives and footnotes of reStructuredText would be shown as they are written."""
    text = "\n\n".join(cells(script, tmp_path, "markdown"))
    assert not re.findall(r"^ *(?:\.\. .*|={4}[= ]*)$|\[\d+\]_", text, flags=re.MULTILINE)


def test_every_script_is_in_the_gallery():
    assert all(script.stem.startswith("plot_") for script in SCRIPTS)  # what sphinx-gallery runs and offers
