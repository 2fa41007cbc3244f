"""What a caller wants to be written, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, nan
from numbers import Real
from typing import Any

import numpy as np

from .._validation.values import as_list, is_integer, is_no_list, read_size, shown
from .._vocabulary import UNKNOWN, Vocabulary, is_single
from .filters import NOTHING, Filters


@dataclass(frozen=True, eq=False)
class GenerationOptions:
    """What a caller of `RNNNextTokenModel.generate` wants, as Python's own numbers and numbers of tokens.

    Parameters
    ----------
    n_sequences : int
        Number of continuations of each prompt.
    max_new_tokens : int
        Largest number of tokens to add.
    filters : Filters
        Which tokens may come.
    stops : ndarray of int
        Tokens after which a sequence stops.
    end : int
        END; `NOTHING` where it is not modelled.
    num_beams : int
        Above 1, number of candidates for the likeliest sequence.
    """

    n_sequences: int
    max_new_tokens: int
    filters: Filters
    stops: np.ndarray
    end: int
    num_beams: int

    @classmethod
    def read(
        cls,
        vocabulary: Vocabulary,
        *,
        n_sequences: Any,
        max_new_tokens: Any,
        temperature: Any,
        top_k: Any,
        top_p: Any,
        min_p: Any,
        repetition_penalty: Any,
        no_repeat_ngram_size: Any,
        stop_tokens: Any,
        forbidden_tokens: Any,
        num_beams: Any,
    ) -> GenerationOptions:
        """Return the options of a call; raises where one is out of range, or has no meaning beside another."""
        filters = Filters(
            repetition_penalty=_number("repetition_penalty", repetition_penalty, lambda x: x > 0, "a number > 0"),
            no_repeat_ngram_size=_integer("no_repeat_ngram_size", no_repeat_ngram_size, 0, "an integer >= 0"),
            forbidden=_codes("forbidden_tokens", forbidden_tokens, vocabulary),
            unknown=vocabulary.unknown,
            temperature=_number("temperature", temperature, lambda x: x >= 0, "a number >= 0; 0 is greedy"),
            top_k=None if top_k is None else _integer("top_k", top_k, 1, "an integer >= 1, or None"),
            top_p=_number("top_p", top_p, lambda x: 0 < x <= 1, "in (0, 1]"),
            min_p=None if min_p is None else _number("min_p", min_p, lambda x: 0 <= x <= 1, "in [0, 1], or None"),
        )
        options = cls(
            n_sequences=read_size(n_sequences, "n_sequences"),
            max_new_tokens=_integer("max_new_tokens", max_new_tokens, 1, "an integer >= 1"),
            filters=filters,
            stops=_codes("stop_tokens", stop_tokens, vocabulary),
            end=vocabulary.end if vocabulary.has_end else NOTHING,
            num_beams=_integer("num_beams", num_beams, 1, "an integer >= 1"),
        )
        if options.num_beams > 1:
            _reject_sampling(num_beams, temperature, top_k, top_p, min_p, repetition_penalty)
        return options


_NEUTRAL = {"temperature": 1.0, "top_k": None, "top_p": 1.0, "min_p": None, "repetition_penalty": 1.0}
"""What a sampling option is where it changes nothing."""


def _reject_sampling(num_beams: Any, *sampling: Any) -> None:
    """Raise where a sampling option, of those in `_NEUTRAL`, is set beside beams."""
    for value, (name, neutral) in zip(sampling, _NEUTRAL.items(), strict=True):
        if value != neutral:
            raise ValueError(
                f"num_beams={shown(num_beams)} looks for the likeliest sequence and samples nothing, but "
                f"{name}={shown(value)} is set. Leave it out, or use num_beams=1."
            )


def _integer(name: str, value: Any, least: int, needed: str) -> int:
    """Return an integer as Python's own, since NumPy's overflow."""
    if not is_integer(value, least):
        raise ValueError(f"{name} is {shown(value)}, but it must be {needed}.")
    return int(value)


def _number(name: str, value: Any, is_valid: Callable[[float], bool], needed: str) -> float:
    """Return a real number as a float."""
    try:
        number = float(value) if isinstance(value, Real) else nan
    except OverflowError:  # an integer beyond floats
        number = nan
    if not (isfinite(number) and is_valid(number)):
        raise ValueError(f"{name} is {shown(value)}, but it must be {needed}.")
    return number


def _codes(name: str, tokens: Any, vocabulary: Vocabulary) -> np.ndarray:
    """Return the numbers of tokens that the caller names; raises for those that are not in the vocabulary."""
    if tokens is None:
        return np.empty(0, dtype=np.intp)
    if is_single(tokens):
        is_text = isinstance(tokens, str) and vocabulary.reads_characters
        tokens = list(tokens) if is_text and vocabulary.find(tokens, name) is None else [tokens]
    elif is_no_list(tokens):
        raise TypeError(f"{name} is {shown(tokens)}. Pass a list of tokens, or one token.")
    codes = []
    for i, token in enumerate(as_list(tokens)):
        code = vocabulary.find(token, f"{name}[{i}]")
        if token is UNKNOWN or code is None:
            raise ValueError(f"{name}[{i}] is {shown(token)}, which is not in the vocabulary. Leave it out.")
        codes.append(code)
    return np.array(codes, dtype=np.intp)
