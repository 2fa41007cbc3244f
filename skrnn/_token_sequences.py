"""Sequences of tokens: what a fit finds out about them, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ._base import Examples, Passed
from ._config import NextTokenConfig
from ._fitted import Reading
from ._hold_out import hold_out_any
from ._token_scores import TokenScores
from ._validation.tokens import TokenReader, append_tokens, read_prompts, read_sequences, read_tokens
from ._validation.values import as_list, shown, shown_all
from ._validation.weights import check_sample_weight
from ._vocabulary import Vocabulary, count_equal, count_tokens, frequent_tokens, make_vocabulary
from ._warnings import warn_caller
from .core.data.dataset import Dataset
from .core.data.sequences import TokenSequences
from .core.model.network import Network


@dataclass(frozen=True, eq=False, repr=False)
class TokenReading(Reading):
    """How sequences of tokens are read, and how they are scored."""

    vocabulary: Vocabulary
    n_tokens_seen: float
    """Weighted number of tokens that the vocabulary was learned from, ends included."""

    @classmethod
    def learn(
        cls, shape: BaseEstimator, config: NextTokenConfig, passed: Passed, tokens: Any
    ) -> tuple[TokenReading, TokenExamples]:
        """Read X, and learn its vocabulary, or take the `tokens` that `partial_fit` was told of."""
        sequences, weights = _read_weighted(shape, passed, reset=True)
        vocabulary = learn_vocabulary(config, sequences, weights, not hasattr(shape, "n_features_in_"), tokens)
        n_tokens_seen = float(weights @ (sequences.lengths + vocabulary.has_end))
        reading = cls(shape, np.dtype(config.dtype), vocabulary, n_tokens_seen)
        return reading, reading._examples(config, sequences, weights)

    @classmethod
    def from_values(cls, shape: BaseEstimator, values: dict[str, Any]) -> TokenReading:
        """Make a reading of plain values, its vocabulary included; `shape` has nothing yet."""
        reading, vocabulary = Reading.from_values(shape, values), Vocabulary(**values["vocabulary"])
        return cls(**vars(reading), vocabulary=vocabulary, n_tokens_seen=values["n_tokens_seen"])

    def to_values(self) -> dict[str, Any]:
        """Return plain values, and those of the vocabulary."""
        vocabulary = self.vocabulary.to_values()
        return {**super().to_values(), "vocabulary": vocabulary, "n_tokens_seen": self.n_tokens_seen}

    def check_same_tokens(self, tokens: Any) -> None:
        """Raise unless the tokens that `partial_fit` was told of are the known ones."""
        if _distinct(tokens) != self.vocabulary.tokens.tolist():
            raise ValueError("tokens is not the same as on the first call to partial_fit. Leave it out.")

    def to_learn(self, config: NextTokenConfig, passed: Passed) -> TokenExamples:
        """Read what is learned from."""
        return self._examples(config, *_read_weighted(self.shape, passed, reset=False))

    def to_validate(self, config: NextTokenConfig, passed: Passed) -> TokenExamples:
        """Read what is held out by the caller."""
        X = list(passed.X) if isinstance(passed.X, Iterator) else passed.X
        steps = self.to_score(X, config.handle_unknown, "X_val")
        if not steps.n_steps:
            raise ValueError("X_val has no token to score. Pass at least one sequence that is not empty.")
        data = Dataset(steps, steps.next_ids, np.ones(len(steps)), is_per_step=True)
        return TokenExamples(data, False, X)

    def to_score(self, X: Any, handle_unknown: str, name: str = "X") -> TokenSequences:
        """Return steps that predict every token of X, END included where it is modelled."""
        sequences = read_sequences(self.shape, X, reset=False, name=name)
        return self.encode(sequences, handle_unknown, self.vocabulary.has_end)

    def to_continue(self, X: Any, handle_unknown: str) -> TokenSequences:
        """Return steps that read every token of X."""
        return self.encode(read_sequences(self.shape, X, reset=False), handle_unknown, with_final_step=True)

    def to_extend(self, prompts: Any, handle_unknown: str) -> tuple[list[Any], TokenSequences]:
        """Return prompts as a list, and steps that read every token of them; one that is empty for None."""
        empty = {"str": "", "list": [], "tuple": (), "ndarray": self.vocabulary.tokens[:0]}
        items = read_prompts(prompts, empty[self.shape._sequence_type])
        return items, self.encode(TokenReader.open(items, "prompts"), handle_unknown, with_final_step=True)

    def extend(self, prompts: list[Any], found: list[np.ndarray], n_sequences: int) -> list[Any]:
        """Return each prompt with each of the `n_sequences` that were found after it, in the type of the prompt."""
        return [append_tokens(prompts[i // n_sequences], self.vocabulary.decode(new)) for i, new in enumerate(found)]

    def scores(self, network: Network) -> TokenScores:
        """Return what `network` says of tokens, UNKNOWN included."""
        if self.vocabulary.learns_unknown:
            return TokenScores(network, None)
        return TokenScores(network, 1 / (self.n_tokens_seen + len(self.vocabulary.tokens)))

    def encode(self, sequences: TokenReader, handle_unknown: str, with_final_step: bool) -> TokenSequences:
        """Return begin, and the tokens, as numbers; with `with_final_step` one step more after the last token."""
        vocabulary = self.vocabulary
        data = vocabulary.sequences(sequences.expecting(vocabulary), sequences.lengths, with_final_step)
        rejects = handle_unknown == "error" and not vocabulary.learns_unknown
        n_unknown = count_equal(data.ids, vocabulary.unknown)
        if n_unknown and (rejects or n_unknown == sequences.lengths.sum()):
            self._report_unknown(sequences, data, rejects)
        return data

    def _report_unknown(self, sequences: TokenReader, data: TokenSequences, rejects: bool) -> None:
        """Say where the first token is that is not in the vocabulary: raise, or warn that none is."""
        unknown = int(np.argmax(data.ids == self.vocabulary.unknown))
        i = int(np.searchsorted(data.offsets, unknown, side="right")) - 1
        begin = unknown - data.offsets[i] - 1
        where = f"{sequences.name}[{sequences.places[i]}]"
        if rejects:
            token = shown(as_list(sequences.items[i][begin : begin + 1])[0])
            raise ValueError(
                f"{where} holds {token}, which is not in the vocabulary. Leave it out, or use "
                "handle_unknown='use_unknown'."
            )
        read = shown_all(as_list(sequences.items[i][begin : begin + 7]))
        warn_caller(
            f"No token of {sequences.name} is in the vocabulary: {where} was read as {read}, but the model was fitted "
            f"on tokens such as {shown_all(self.vocabulary.tokens.tolist())}. Pass sequences of these tokens."
        )

    def _examples(self, config: NextTokenConfig, sequences: TokenReader, weights: np.ndarray) -> TokenExamples:
        has_end = self.vocabulary.has_end
        if not has_end and not sequences.lengths.all():
            raise ValueError(
                "A sequence is empty and its end is not modelled, so it holds nothing to learn. Leave it out, or use "
                "add_end_token=True."
            )
        encoded = self.encode(sequences, config.handle_unknown, has_end)
        return TokenExamples(Dataset(encoded, encoded.next_ids, weights, is_per_step=True), False, sequences.items)


@dataclass(frozen=True)
class TokenExamples(Examples):
    """Sequences of numbers of tokens."""

    X: Any
    """The sequences as they were passed: a list of them, or what the caller passes to validate on."""

    def hold_out(self, fraction: float, seed: int) -> tuple[Dataset, TokenExamples]:
        """Return what is left to learn from, and what is held out: sequences, or the end of a single one."""
        data = self.data
        if len(data) == 1:
            return self._hold_out_end(fraction)
        train, held_out = hold_out_any(len(data), fraction, seed)
        return data.take(train), TokenExamples(data.take(held_out), False, [self.X[i] for i in held_out])

    def for_scorer(self) -> tuple[Any, ...]:
        """Return X as a scorer gets it."""
        return (self.X,)

    def _hold_out_end(self, fraction: float) -> tuple[Dataset, TokenExamples]:
        sequences = self.data.sequences
        (n_steps,) = sequences.lengths
        n_train = round(n_steps * (1 - fraction))
        if not 0 < n_train < n_steps:
            raise ValueError(
                f"X is one sequence of {n_steps} tokens: too short to hold out validation_fraction={fraction} of it. "
                "Pass more, X_val, or early_stopping=False."
            )
        held_out = replace(self.data, sequences=sequences.slices(np.array([n_train]), np.array([n_steps - n_train])))
        train = replace(self.data, sequences=sequences.slices(np.array([0]), np.array([n_train])))
        return train, TokenExamples(held_out, False, [self.X[0][n_train:]])


def learn_vocabulary(
    config: NextTokenConfig, sequences: TokenReader, weights: np.ndarray, ends_by_itself: bool, tokens: Any = None
) -> Vocabulary:
    """Return the vocabulary of the sequences, or of the `tokens` that are given.

    `ends_by_itself` says whether sequences end where they do for a reason; rows of a table do not.
    """
    has_end = ends_by_itself if config.add_end_token == "auto" else bool(config.add_end_token)
    dtypes = sequences.dtypes
    learns_unknown = config.is_partial and config.handle_unknown == "use_unknown"
    if tokens is not None:
        kept = _distinct(tokens)
    elif not sequences.lengths.any():
        raise ValueError("X holds no token: every sequence is empty. Pass at least one that is not.")
    else:
        counts, dtypes_of_values = count_tokens(sequences, weights)
        kept = frequent_tokens(counts, config.min_frequency, config.max_tokens)
        learns_unknown |= len(kept) < len(counts)
        dtypes = dtypes or dtypes_of_values
    return make_vocabulary(kept, dtypes, has_end, learns_unknown, sequences.has_texts)


def _read_weighted(shape: BaseEstimator, passed: Passed, *, reset: bool) -> tuple[TokenReader, np.ndarray]:
    """Return the sequences that weigh something, and their weights."""
    sequences = read_sequences(shape, passed.X, reset=reset)
    weights = check_sample_weight(passed.sample_weight, len(sequences.lengths))
    if weights.all():
        return sequences, weights
    keep = np.flatnonzero(weights)
    return sequences.take(keep), weights[keep]


def _distinct(tokens: Any) -> list[Any]:
    """Return the tokens that `partial_fit` was told of, sorted."""
    distinct = set(read_tokens(list(tokens) if isinstance(tokens, Set) else tokens, "tokens"))
    if not distinct:
        raise ValueError("tokens is empty: at least one token is needed.")
    return sorted(distinct)
