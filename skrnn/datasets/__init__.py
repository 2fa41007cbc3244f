"""Small real data sets of sequences, each with its licence and source, read from the package without any download."""

from ._japanese_vowels import load_japanese_vowels

__all__ = ["load_japanese_vowels"]
