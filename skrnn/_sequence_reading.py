"""What classifier, regressor and tagger know of X, and how a first fit finds it out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator

from ._base import Passed
from ._config import SequenceConfig
from ._fitted import Reading
from ._input_reading import INPUTS, FeatureInputReading, InputReading, MixedInputReading, ReadX, TokenInputReading
from ._known_tokens import learn_vocabulary
from ._source import categories_of, check_reads_features, vocabulary_of
from ._validation.features import validate_sequences
from ._validation.input_types import holds_text
from ._validation.mixed_columns import (
    categorical_columns,
    check_none_named,
    column_name,
    columns_of,
    reject_text_in_rows,
)
from ._validation.sequence_column import as_column
from ._validation.single_steps import Where
from ._validation.tokens import TokenReader, read_sequences
from ._validation.weights import check_sample_weight
from ._vocabulary import Vocabulary
from ._warnings import warn_caller
from .core.data.sequences import Sequences

S = TypeVar("S", bound="SequenceReading")

MANY_FEATURES = 8
"""From as many on, features of a single step may be steps of a single feature, in the layout of other libraries."""


KnownOfX = tuple[BaseEstimator, np.dtype, InputReading]
"""The first fields of a `SequenceReading`."""


@dataclass(frozen=True, eq=False, repr=False)
class SequenceReading(Reading):
    """What classifier, regressor and tagger know of X."""

    input: InputReading

    @classmethod
    def from_values(cls, shape: BaseEstimator, values: dict[str, Any]) -> Any:
        """Make a reading of plain values, that of X included; `shape` has nothing yet."""
        input_ = values.get("input", {"input_type": "features"})  # files had no other at first
        input_values = {name: value for name, value in input_.items() if name != "input_type"}
        own = {field.name: values[field.name] for field in fields(cls) if field.name in values.keys() - _OF_X}
        known = Reading.from_values(shape, values)
        return cls(known.shape, known.dtype, INPUTS[input_["input_type"]].from_values(input_values), **own)

    def to_values(self) -> dict[str, Any]:
        """Return plain values, with those that tell how X is read."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _OF_X}
        return {**super().to_values(), "input": {"input_type": self.input.input_type, **self.input.to_values()}, **own}

    def attributes(self) -> dict[str, Any]:
        """Return the public attributes that tell of X."""
        return {**super().attributes(), **self.input.attributes()}

    def known_tokens(self) -> Vocabulary | None:
        """Return the vocabulary; None where X holds no tokens."""
        return self.input.vocabulary if isinstance(self.input, TokenInputReading) else None

    def without_names(self) -> Any:
        """Return the same for data as a scorer gets them: without column names, unless frames are kept."""
        return self if isinstance(self.input, MixedInputReading) else super().without_names()

    def read_sequences(self, X: Any, name: str = "X") -> ReadX:
        """Read sequences to learn from or to validate on, a copy."""
        return self.input.read(self.shape, as_column(X, name), self.dtype, name)

    def to_predict(self, X: Any) -> Sequences:
        """Read what is predicted for, in its place where it can be."""
        return self.input.read(self.shape, as_column(X), self.dtype, copy=False).sequences

    def read_steps(self, steps: list[Any], where: Where) -> np.ndarray:
        """Read one step of each of some sequences; ``where(i)`` is what errors call the i-th."""
        return self.input.read_steps(self.shape, steps, self.dtype, where)


_OF_X = {"shape", "dtype", "input"}


def learn_input(shape: BaseEstimator, config: SequenceConfig, passed: Passed) -> tuple[KnownOfX, ReadX]:
    """Read X, and find out how later ones are read."""
    X = as_column(passed.X)
    if config.input_type == "tokens" or (config.input_type == "auto" and holds_text(X)):
        return _learn_tokens(shape, config, X, passed.sample_weight)
    categorical = categorical_columns(X, config.categorical_features)
    if categorical:
        return _learn_mixed(shape, config, X, categorical, passed.sample_weight)
    reject_text_in_rows(X, "X")
    if config.init_from is not None:
        check_reads_features(config.init_from)
    sequences = validate_sequences(shape, X, reset=True, dtype=config.fixed_dtype)
    n = sequences.n_features
    if n >= MANY_FEATURES and (sequences.lengths == 1).all():
        warn_caller(
            f"Every sequence of X has one step of {n} features, so no step follows another. If they are {n} steps of "
            "one feature, in the layout (n, channels, time), pass skrnn.sequences.from_channels_first(X)."
        )
    return (shape, sequences.steps.dtype, FeatureInputReading()), ReadX(sequences, None)


def _learn_tokens(shape: BaseEstimator, config: SequenceConfig, X: Any, sample_weight: Any) -> tuple[KnownOfX, ReadX]:
    """As `learn_input`, for tokens; those of sequences that weigh nothing are not learned."""
    check_none_named(config.categorical_features, "X holds tokens")
    sequences = read_sequences(shape, X, reset=True)
    weights = check_sample_weight(sample_weight, len(sequences.lengths))
    if config.init_from is not None:
        vocabulary = vocabulary_of(config.init_from)
    else:
        keep = np.flatnonzero(weights)
        seen, may_grow = sequences.take(keep), config.is_partial
        vocabulary = learn_vocabulary(config, seen, weights[keep], has_end=False, may_grow=may_grow)
    input_ = TokenInputReading(vocabulary, config.handle_unknown, embedding_size(len(vocabulary.tokens), config))
    return (shape, config.fixed_dtype or np.dtype(np.float64), input_), input_.encode(sequences)


def _learn_mixed(
    shape: BaseEstimator, config: SequenceConfig, X: Any, categorical: dict[Any, int], sample_weight: Any
) -> tuple[KnownOfX, ReadX]:
    """As `learn_input`, for numbers and categories, which are in some columns of X, by label and place."""
    if config.vocabulary is not None:
        raise ValueError("vocabulary gives tokens of sequences, but X has columns of categories. Use vocabulary=None.")
    readers = [TokenReader.open(columns_of(X, column, "X"), column_name(column, "X")) for column in categorical]
    weights = check_sample_weight(sample_weight, len(X))
    columns, places = list(categorical), list(categorical.values())
    if config.init_from is not None:
        input_ = categories_of(config.init_from, columns)
    else:
        keep, may_grow = np.flatnonzero(weights), config.is_partial
        vocabularies = [
            learn_vocabulary(config, reader.take(keep), weights[keep], has_end=False, may_grow=may_grow)
            for reader in readers
        ]
        sizes = [embedding_size(len(vocabulary.tokens), config) for vocabulary in vocabularies]
        input_ = MixedInputReading(columns, places, vocabularies, config.handle_unknown, sizes)
    read = input_.encode(shape, X, readers, config.fixed_dtype, reset=True)
    return (shape, read.sequences.arrays()[0].dtype, input_), read


def embedding_size(n: int, config: SequenceConfig) -> int | None:
    """Return the length of the vectors of n tokens; None for none."""
    if config.embedding_size == "auto" and config.init_from is not None:
        return config.init_from.arguments.get("embedding_size")
    if config.embedding_size != "auto":
        return config.embedding_size  # type: ignore[return-value]
    return None if n < config.hidden_size else config.hidden_size
