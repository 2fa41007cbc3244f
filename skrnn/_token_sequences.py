"""Sequences of tokens: what a fit finds out about them, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ._base import Examples, Passed
from ._config import NextTokenConfig
from ._fitted import Reading
from ._hold_out import hold_out_any
from ._known_tokens import check_known, learn_vocabulary, read_weighted
from ._token_scores import TokenScores
from ._validation.sequence_column import is_fitted_on_column
from ._validation.tokens import TokenReader, append_tokens, read_prompts, read_sequences
from ._vocabulary import Vocabulary
from .core.data.dataset import Dataset
from .core.data.sequences import NextTokenSequences
from .core.model.network import Network


@dataclass(frozen=True, eq=False, repr=False)
class TokenReading(Reading):
    """How sequences of tokens are read, and how they are scored."""

    vocabulary: Vocabulary
    n_tokens_seen: float
    """Weighted number of tokens that the vocabulary was learned from, ends included."""

    @classmethod
    def learn(cls, shape: BaseEstimator, config: NextTokenConfig, passed: Passed) -> tuple[TokenReading, TokenExamples]:
        """Read X, and learn its vocabulary; the end of a sequence is modelled if it has a reason."""
        sequences, weights = read_weighted(shape, passed, reset=True)
        has_end = config.add_end_token
        if isinstance(has_end, str):  # neither the rows of a table nor the only text end for a reason
            is_table = hasattr(shape, "n_features_in_") and not is_fitted_on_column(shape)
            has_end = not is_table and len(sequences.items) > 1
        vocabulary = learn_vocabulary(config, sequences, weights, has_end=has_end, may_grow=config.is_partial)
        n_tokens_seen = float(weights @ (sequences.lengths + vocabulary.has_end))
        reading = cls(shape, config.fixed_dtype or np.dtype(np.float64), vocabulary, n_tokens_seen)
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

    def known_tokens(self) -> Vocabulary:
        """Return the vocabulary."""
        return self.vocabulary

    def to_learn(self, config: NextTokenConfig, passed: Passed) -> TokenExamples:
        """Read what is learned from."""
        return self._examples(config, *read_weighted(self.shape, passed, reset=False))

    def to_validate(self, config: NextTokenConfig, passed: Passed) -> TokenExamples:
        """Read what is held out by the caller."""
        sequences = read_sequences(self.shape, passed.X, reset=False, name="X_val")
        steps = self.encode(sequences, config.handle_unknown, self.vocabulary.has_end)
        if not steps.n_steps:
            raise ValueError("X_val has no token to score. Pass at least one sequence that is not empty.")
        data = Dataset(steps, steps.next_ids, np.ones(len(steps)), is_per_step=True)
        return TokenExamples(data, False, sequences.items)

    def to_score(self, X: Any, handle_unknown: str, name: str = "X") -> NextTokenSequences:
        """Return steps that predict every token of X, END included where it is modelled."""
        sequences = read_sequences(self.shape, X, reset=False, name=name)
        return self.encode(sequences, handle_unknown, self.vocabulary.has_end)

    def to_continue(self, X: Any, handle_unknown: str) -> NextTokenSequences:
        """Return steps that read every token of X."""
        return self.encode(read_sequences(self.shape, X, reset=False), handle_unknown, with_final_step=True)

    def to_extend(self, prompts: Any, handle_unknown: str) -> tuple[list[Any], NextTokenSequences]:
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

    def encode(self, sequences: TokenReader, handle_unknown: str, with_final_step: bool) -> NextTokenSequences:
        """Return begin, and the tokens, as numbers; with `with_final_step` one step more after the last token."""
        vocabulary = self.vocabulary
        data = vocabulary.sequences(sequences.expecting(vocabulary), sequences.lengths, with_final_step)
        check_known(vocabulary, sequences, data, handle_unknown, n_before=1)
        return data

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
    """Sequences of numbers of tokens, and as they were passed."""

    def hold_out(self, fraction: float, seed: int) -> tuple[Dataset, TokenExamples]:
        """Return what is left to learn from, and what is held out: sequences, or the end of a single one."""
        data = self.data
        if len(data) == 1:
            return self._hold_out_end(fraction)
        train, held_out = hold_out_any(len(data), fraction, seed)
        return data.take(train), self.take(held_out)

    def for_scorer(self) -> tuple[Any, ...]:
        """Return X as a scorer gets it."""
        return (self.X_for_scorer(),)

    def _hold_out_end(self, fraction: float) -> tuple[Dataset, TokenExamples]:
        sequences = self.data.sequences
        (n_steps,) = sequences.lengths
        n_train = round(n_steps * (1 - fraction))
        if not 0 < n_train < n_steps:
            raise ValueError(
                f"X is one sequence of {n_steps} tokens: too short to hold out validation_fraction={fraction} of it. "
                "Pass more, X_val, or early_stopping=False."
            )
        ids = sequences.ids[n_train:].copy()
        ids[0] = sequences.ids[0]  # what is scored begins at zero, and so knows nothing of the token before
        end = NextTokenSequences(ids, np.array([n_steps - n_train]), np.array([0]))
        held_out = replace(self.data, sequences=end, targets=end.next_ids)
        train = replace(self.data, sequences=sequences.slices(np.array([0]), np.array([n_train])))
        return train, TokenExamples(held_out, False, [self.items[0][n_train:]])
