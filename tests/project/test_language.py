"""Pages, code and tests use the field's words."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md"] + [
    path
    for folder in ("docs", "tutorials", "examples")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".md", ".rst", ".py"} and not {"_build", "_static", "generated"} & set(path.parts)
    if not any(part.startswith("auto_") for part in path.parts)
]
CODE = [
    path
    for folder in ("skrnn", "tests", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".md"} and path != Path(__file__)
]
INSTEAD = {  # a pattern of former words, and what to write
    r"\binto classes\b": "classify",
    r"\bthe odd\b|\bodd(ness| events?| ones?| sessions?)\b|\bis odd\b": "anomaly, anomalous",
    r"\bby heart\b": "memorize",
    r"\bleast,|\b(the )?least and (the )?greatest\b": "minimum, maximum",
    r"\blanes?\b": "columns of the batch",
    r"\b(deals?|dealt)\b(?! with)": "split, shuffle",
    r"\b(lends?|lent|loans?)\b(?! itself)": "allocate",
    r"as the model believes": "sampled from the predicted distribution",
    r"\b(rivals?|honest)\b": "baseline, fair",
    r"\bwhoever\b|\bnobody\b|\bknows no better\b": "a sentence without a person",
    r"\bhow far it is\b|\bwhere training is\b": "progress",
    r"\bnetworks? (says?|believes?|thinks?|wants?|guess(es)?)\b": "predicts, gives a probability of",
    r"\bgo(es)? on\b": "continue",
    r"\bpoison\b|\bcoat over\b|\bfierce\b|\bsafe and dull\b|\bbolder\b": "a literal description",
    r"\bas it should\b|\bas they should\b": "nothing",
}

IN_CODE = {  # former names of what has a standard one, alone or as a part of a name
    "lanes?": "column of the batch",
    "(lend|lends|lent|lending|loans?)": "allocate, empty",
    "(deals?|dealt|dealing)(?! with)": "shuffle, split, shard",
    "trails?|tapes?": "cache",
    "outlines?": "checkpoint",
    "inject(s|ed|ions?)?": "d_output",
    "beneath": "below, fused inputs",
    "column.steps?": "time step",
    "pieces?": "slice, part",
    "lay_side_by_side": "flatten_time",
    "measure_steps": "map_steps",
    "reading_(size|width)": "inference window, inference batch",
    "(goes|going|went|go) on": "continue",
    "is_closed": "with_final_step",
}


def lines_with(pattern, paths):
    """Return where a pattern is found, a line each."""
    return "\n".join(
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line, re.IGNORECASE)
    )


@pytest.mark.parametrize("pattern", INSTEAD)
def test_pages_use_the_words_of_the_field(pattern):
    found = lines_with(pattern, PAGES)
    assert not found, f"write {INSTEAD[pattern]!r}:\n{found}"


@pytest.mark.parametrize("pattern", IN_CODE)
def test_code_and_pages_use_the_names_of_the_field(pattern):
    found = lines_with(f"(?<![a-z])({pattern})(?![a-z])", [*CODE, *PAGES])
    assert not found, f"write {IN_CODE[pattern]!r}:\n{found}"
