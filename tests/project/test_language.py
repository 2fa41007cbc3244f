"""README, pages, tutorials, examples and the changelog use the field's words."""

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
INSTEAD = {  # a pattern of former words, and what to write
    r"\binto classes\b": "classify",
    r"\bthe odd\b|\bodd(ness| events?| ones?| sessions?)\b|\bis odd\b": "anomaly, anomalous",
    r"\bby heart\b": "memorize",
    r"\bleast,|\b(the )?least and (the )?greatest\b": "minimum, maximum",
    r"\blanes?\b": "columns of the batch",
    r"\b(deals?|split)\b(?! with)": "split, shuffle",
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


@pytest.mark.parametrize("pattern", INSTEAD)
def test_former_words_are_gone(pattern):
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in PAGES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line, re.IGNORECASE)
    ]
    assert not found, f"write {INSTEAD[pattern]!r}:\n" + "\n".join(found)
