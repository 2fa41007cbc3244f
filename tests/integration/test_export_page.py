"""The page on export does what it says."""

import doctest
from pathlib import Path

from integration.libraries import need

need("onnxruntime")
need("torch")

PAGE = Path(__file__).parents[2] / "docs" / "user_guide" / "export.md"


def test_the_page_runs():
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

    assert doctest.testfile(str(PAGE), module_relative=False, optionflags=options).failed == 0
