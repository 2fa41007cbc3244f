"""How X is read by the estimators that learn something of each sequence: as features, as tokens, or as both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from sklearn.base import BaseEstimator

from ._base import Passed
from ._config import SequenceConfig
from ._fitted import Reading
from ._known_tokens import check_known, learn_vocabulary
from ._source import vocabulary_of
from ._validation.features import validate_sequences
from ._validation.input_types import holds_text
from ._validation.tokens import TokenReader, read_sequences
from ._validation.weights import check_sample_weight
from ._vocabulary import Vocabulary
from ._warnings import warn_caller
from .core.data.sequences import Sequences

S = TypeVar("S", bound="SequenceReading")

MANY_FEATURES = 8
"""From as many on, features of a single step may be steps of a single feature, in the layout of other libraries."""


class ReadX(NamedTuple):
    """What X became."""

    sequences: Sequences
    items: list[Any] | None
    """The sequences as they were passed, where `sequences` do not hold what was passed; a scorer gets them."""


@dataclass(frozen=True, eq=False, repr=False)
class InputReading(ABC):
    """Contract of a way to read X that a first fit found out."""

    input_type: ClassVar[str]

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> InputReading:
        """Make one of what `to_values` gave."""
        return cls(**values)

    def to_values(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @abstractmethod
    def read(self, shape: BaseEstimator, X: Any, dtype: np.dtype, name: str = "X", copy: bool = True) -> ReadX:
        """Read X as at the first fit; without `copy` in its place, where it can be."""

    @abstractmethod
    def network_arguments(self, shape: BaseEstimator) -> dict[str, Any]:
        """Return what the network's input is built from."""

    def attributes(self) -> dict[str, Any]:
        """Return the public attributes that tell of it."""
        return {}


@dataclass(frozen=True, eq=False, repr=False)
class FeatureInput(InputReading):
    """Steps are rows of numbers."""

    input_type = "features"

    def read(self, shape: BaseEstimator, X: Any, dtype: np.dtype, name: str = "X", copy: bool = True) -> ReadX:
        if holds_text(X):
            raise TypeError(
                f"{name} holds text, but the model was fitted on numbers. Pass numbers, or fit anew on tokens."
            )
        return ReadX(validate_sequences(shape, X, reset=False, dtype=dtype, copy=copy, name=name), None)

    def network_arguments(self, shape: BaseEstimator) -> dict[str, Any]:
        return {"n_inputs": int(shape.n_inputs_)}


@dataclass(frozen=True, eq=False, repr=False)
class TokenInput(InputReading):
    """Steps are tokens."""

    vocabulary: Vocabulary
    handle_unknown: str
    embedding_size: int | None

    input_type = "tokens"

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> TokenInput:
        return cls(**{**values, "vocabulary": Vocabulary(**values["vocabulary"])})

    def to_values(self) -> dict[str, Any]:
        return {**super().to_values(), "vocabulary": self.vocabulary.to_values()}

    def read(self, shape: BaseEstimator, X: Any, dtype: np.dtype, name: str = "X", copy: bool = True) -> ReadX:
        return self.encode(read_sequences(shape, X, reset=False, name=name))

    def encode(self, sequences: TokenReader) -> ReadX:
        """Return sequences as numbers of their tokens; raises for one that is empty."""
        if not sequences.lengths.all():
            place = sequences.places[int(np.argmin(sequences.lengths))]
            raise ValueError(f"{sequences.name}[{place}] is empty: every sequence needs at least one token.")
        data = self.vocabulary.inputs(sequences.expecting(self.vocabulary), sequences.lengths)
        check_known(self.vocabulary, sequences, data, self.handle_unknown)
        return ReadX(data, sequences.items)

    def network_arguments(self, shape: BaseEstimator) -> dict[str, Any]:
        n_inputs = len(self.vocabulary.tokens) + 1
        return {"n_inputs": n_inputs, "input_type": "tokens", "embedding_size": self.embedding_size}

    def attributes(self) -> dict[str, Any]:
        return {"vocabulary_": {token: code for code, token in enumerate(self.vocabulary.column_tokens)}}


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
        return self.input.vocabulary if isinstance(self.input, TokenInput) else None

    def read_sequences(self, X: Any, name: str = "X") -> ReadX:
        """Read sequences to learn from or to validate on, a copy."""
        return self.input.read(self.shape, X, self.dtype, name)

    def to_predict(self, X: Any) -> Sequences:
        """Read what is predicted for, in its place where it can be."""
        return self.input.read(self.shape, X, self.dtype, copy=False).sequences


_OF_X = {"shape", "dtype", "input"}
INPUTS: dict[str, type[InputReading]] = {kind.input_type: kind for kind in (FeatureInput, TokenInput)}


def learn_input(shape: BaseEstimator, config: SequenceConfig, passed: Passed) -> tuple[KnownOfX, ReadX]:
    """Read X, and find out how later ones are read."""
    X = passed.X
    if config.input_type == "tokens" or (config.input_type == "auto" and holds_text(X)):
        return _learn_tokens(shape, config, X, passed.sample_weight)
    sequences = validate_sequences(shape, X, reset=True, dtype=config.fixed_dtype)
    n = sequences.n_features
    if n >= MANY_FEATURES and (sequences.lengths == 1).all():
        warn_caller(
            f"Every sequence of X has one step of {n} features, so no step follows another. If they are {n} steps of "
            "one feature, in the layout (n, channels, time), pass skrnn.sequences.from_channels_first(X)."
        )
    return (shape, sequences.steps.dtype, FeatureInput()), ReadX(sequences, None)


def _learn_tokens(shape: BaseEstimator, config: SequenceConfig, X: Any, sample_weight: Any) -> tuple[KnownOfX, ReadX]:
    """As `learn_input`, for tokens; those of sequences that weigh nothing are not learned."""
    sequences = read_sequences(shape, X, reset=True)
    weights = check_sample_weight(sample_weight, len(sequences.lengths))
    if config.init_from is not None:
        vocabulary = vocabulary_of(config.init_from)
    else:
        keep = np.flatnonzero(weights)
        seen, may_grow = sequences.take(keep), config.is_partial
        vocabulary = learn_vocabulary(config, seen, weights[keep], has_end=False, may_grow=may_grow)
    input_ = TokenInput(vocabulary, config.handle_unknown, embedding_size(len(vocabulary.tokens), config))
    return (shape, config.fixed_dtype or np.dtype(np.float64), input_), input_.encode(sequences)


def embedding_size(n: int, config: SequenceConfig) -> int | None:
    """Return the length of the vectors of n tokens; None for none."""
    if config.embedding_size == "auto" and config.init_from is not None:
        return config.init_from.arguments.get("embedding_size")
    if config.embedding_size != "auto":
        return config.embedding_size  # type: ignore[return-value]
    return None if n < config.hidden_size else config.hidden_size
