"""Small real data sets of sequences, each with its licence and source, read without any download."""

from ._japanese_vowels import load_japanese_vowels
from ._names import load_names
from ._stdlib_text import load_stdlib_text

__all__ = ["load_japanese_vowels", "load_names", "load_stdlib_text"]
