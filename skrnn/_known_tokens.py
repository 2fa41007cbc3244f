"""Which tokens are known: learned from sequences, or given; and what is said of the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ._base import Passed
from ._config import FitConfig
from ._validation.single_steps import Where
from ._validation.tokens import TokenReader, read_sequences, read_tokens
from ._validation.values import as_list, shown, shown_all
from ._validation.weights import check_sample_weight
from ._vocabulary import END, Vocabulary, count_equal, count_tokens, frequent_tokens, make_vocabulary
from ._warnings import warn_caller
from .core.data.sequences import TokenSequences


def read_weighted(shape: BaseEstimator, passed: Passed, *, reset: bool) -> tuple[TokenReader, np.ndarray]:
    """Return the sequences that weigh something, and their weights."""
    sequences = read_sequences(shape, passed.X, reset=reset)
    weights = check_sample_weight(passed.sample_weight, len(sequences.lengths))
    if weights.all():
        return sequences, weights
    keep = np.flatnonzero(weights)
    return sequences.take(keep), weights[keep]


def learn_vocabulary(
    config: FitConfig, sequences: TokenReader, weights: np.ndarray, *, has_end: bool, may_grow: bool
) -> Vocabulary:
    """Return the vocabulary of the sequences, or the one that is given.

    `may_grow` says that other sequences come later, so that UNKNOWN is learned where it is not an error.
    """
    learns_unknown = may_grow and config.handle_unknown == "use_unknown"
    if config.vocabulary is not None:
        return _given_vocabulary(config, sequences, has_end, learns_unknown)
    if not sequences.lengths.any():
        raise ValueError("X holds no token: every sequence is empty. Pass at least one that is not.")
    counts, dtypes_of_values = count_tokens(sequences, weights)
    kept = frequent_tokens(counts, config.min_frequency, config.max_tokens)
    learns_unknown |= len(kept) < len(counts)
    return make_vocabulary(
        sorted(kept), sequences.dtypes or dtypes_of_values, has_end, learns_unknown, sequences.has_texts
    )


def _given_vocabulary(config: FitConfig, sequences: TokenReader, has_end: bool, learns_unknown: bool) -> Vocabulary:
    """Return the vocabulary that a parameter gives, in its order; others are learned as UNKNOWN if any come."""
    tokens = read_tokens(config.vocabulary, "vocabulary")
    for name in ("max_tokens", "min_frequency"):
        if (value := getattr(config, name)) is not None:
            raise ValueError(
                f"{name}={value} chooses tokens from the data, but vocabulary gives them. Pass one of both."
            )
    if not len(tokens):
        raise ValueError("vocabulary is empty: at least one token is needed.")
    if len(set(tokens)) < len(tokens):
        twice = next(token for i, token in enumerate(tokens) if token in tokens[:i])
        raise ValueError(f"vocabulary holds {shown(twice)} twice. Name each token once.")
    vocabulary = make_vocabulary(tokens, sequences.dtypes, has_end, learns_unknown, sequences.has_texts)
    if learns_unknown or config.handle_unknown == "error":
        return vocabulary
    n_unknown = sum(
        count_equal(vocabulary.encode(tokens), vocabulary.unknown) for _, tokens in sequences.expecting(vocabulary)
    )
    return make_vocabulary(tokens, sequences.dtypes, has_end, n_unknown > 0, sequences.has_texts)


def check_known(
    vocabulary: Vocabulary, sequences: TokenReader, data: TokenSequences, handle_unknown: str, n_before: int = 0
) -> None:
    """Raise where a token is not known and must be, warn where none is; `n_before` ids open each sequence of `data`."""
    rejects = handle_unknown == "error" and not vocabulary.learns_unknown
    n_unknown = count_equal(data.ids, vocabulary.unknown)
    if not n_unknown or not (rejects or n_unknown == sequences.lengths.sum()):
        return
    unknown = int(np.argmax(data.ids == vocabulary.unknown))
    i = int(np.searchsorted(data.offsets, unknown, side="right")) - 1
    begin = unknown - data.offsets[i] - n_before
    where = f"{sequences.name}[{sequences.places[i]}]"
    if rejects:
        token = shown(as_list(sequences.items[i][begin : begin + 1])[0])
        raise ValueError(
            f"{where} holds {token}, which is not in the vocabulary. Leave it out, or use handle_unknown='use_unknown'."
        )
    read = shown_all(as_list(sequences.items[i][begin : begin + 7]))
    warn_caller(
        f"No token of {sequences.name} is in the vocabulary: {where} was read as {read}, but the model was fitted "
        f"on tokens such as {shown_all(vocabulary.tokens.tolist())}. Pass sequences of these tokens."
    )


def find_tokens(vocabulary: Vocabulary, tokens: list[Any], handle_unknown: str, where: Where) -> np.ndarray:
    """Return the numbers (n,) of single tokens, END and UNKNOWN among them; ``where(i)`` is what errors call the i-th.

    Raises where one is not known and must be, or none at all.
    """
    if set(map(type, tokens)) <= ({str} if vocabulary.is_text else {int, bool}):
        codes = vocabulary.encode(tokens)
        is_unknown = codes == vocabulary.unknown
    else:
        found = [vocabulary.find(token, where(i)) for i, token in enumerate(tokens)]
        is_unknown = np.array([code is None for code in found], dtype=bool)
        codes = np.array([vocabulary.unknown if code is None else code for code in found], dtype=np.intp)
    for i in np.flatnonzero(is_unknown).tolist():
        if tokens[i] is END:
            raise ValueError(f"{where(i)} is END, but the model was fitted without the ends of sequences.")
        if handle_unknown == "error" and not vocabulary.learns_unknown:
            raise ValueError(
                f"{where(i)} is {shown(tokens[i])}, which is not in the vocabulary. Leave it out, or use "
                "handle_unknown='use_unknown'."
            )
    return codes
