"""How X is read: as features, as tokens, or as both; found out by a first fit, and kept by files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from ._known_tokens import check_known, find_tokens
from ._validation.features import validate_sequences
from ._validation.input_types import holds_text
from ._validation.mixed_columns import column_name, columns_of, with_codes
from ._validation.sequence_column import names_of_features
from ._validation.single_steps import Where, plain_row, read_rows
from ._validation.tokens import TokenReader, read_sequences
from ._vocabulary import Vocabulary
from .core.data.sequences import Sequences


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
    def read_steps(self, shape: BaseEstimator, steps: list[Any], dtype: np.dtype, where: Where) -> np.ndarray:
        """Read one step of each of n sequences: what `Network.step` takes."""

    @abstractmethod
    def network_arguments(self, shape: BaseEstimator) -> dict[str, Any]:
        """Return what the network's input is built from."""

    def attributes(self) -> dict[str, Any]:
        """Return the public attributes that tell of it."""
        return {}


@dataclass(frozen=True, eq=False, repr=False)
class FeatureInputReading(InputReading):
    """Steps are rows of numbers."""

    input_type = "features"

    def read(self, shape: BaseEstimator, X: Any, dtype: np.dtype, name: str = "X", copy: bool = True) -> ReadX:
        if holds_text(X):
            raise TypeError(
                f"{name} holds text, but the model was fitted on numbers. Pass numbers, or fit anew on tokens."
            )
        return ReadX(validate_sequences(shape, X, reset=False, dtype=dtype, copy=copy, name=name), None)

    def read_steps(self, shape: BaseEstimator, steps: list[Any], dtype: np.dtype, where: Where) -> np.ndarray:
        return read_rows(steps, shape.n_inputs_, dtype, names_of_features(shape), where)

    def network_arguments(self, shape: BaseEstimator) -> dict[str, Any]:
        return {"n_inputs": int(shape.n_inputs_)}


@dataclass(frozen=True, eq=False, repr=False)
class TokenInputReading(InputReading):
    """Steps are tokens."""

    vocabulary: Vocabulary
    handle_unknown: str
    embedding_size: int | None

    input_type = "tokens"

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> TokenInputReading:
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

    def read_steps(self, shape: BaseEstimator, steps: list[Any], dtype: np.dtype, where: Where) -> np.ndarray:
        return find_tokens(self.vocabulary, steps, self.handle_unknown, where)

    def network_arguments(self, shape: BaseEstimator) -> dict[str, Any]:
        n_inputs = len(self.vocabulary.tokens) + 1
        return {"n_inputs": n_inputs, "input_type": "tokens", "embedding_size": self.embedding_size}

    def attributes(self) -> dict[str, Any]:
        return {"vocabulary_": {token: code for code, token in enumerate(self.vocabulary.column_tokens)}}


@dataclass(frozen=True, eq=False, repr=False)
class MixedInputReading(InputReading):
    """Steps are rows of numbers and categories."""

    columns: list[Any]
    """Of X, those that hold categories: labels of a frame, or places."""
    places: list[int]
    """Where they are among all columns."""
    vocabularies: list[Vocabulary]
    handle_unknown: str
    embedding_sizes: list[int | None]

    input_type = "mixed"

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> MixedInputReading:
        return cls(**{**values, "vocabularies": [Vocabulary(**of_column) for of_column in values["vocabularies"]]})

    def to_values(self) -> dict[str, Any]:
        return {**super().to_values(), "vocabularies": [vocabulary.to_values() for vocabulary in self.vocabularies]}

    def read(self, shape: BaseEstimator, X: Any, dtype: np.dtype, name: str = "X", copy: bool = True) -> ReadX:
        readers = [TokenReader.open(columns_of(X, column, name), column_name(column, name)) for column in self.columns]
        return self.encode(shape, X, readers, dtype, name)

    def encode(
        self, shape: BaseEstimator, X: Any, readers: list[TokenReader], dtype: Any, name: str = "X", reset: bool = False
    ) -> ReadX:
        """Read X with its categories, each column's in one of the readers, as numbers behind those that it holds."""
        codes = []
        for vocabulary, reader in zip(self.vocabularies, readers, strict=True):
            data = vocabulary.inputs(reader.expecting(vocabulary), reader.lengths)
            check_known(vocabulary, reader, data, self.handle_unknown)
            codes.append(data.arrays())
        encoded = with_codes(X, self.columns, codes)
        sequences = validate_sequences(shape, encoded, reset=reset, dtype=dtype, name=name)
        n_columns = sequences.n_features
        order = [*np.setdiff1d(np.arange(n_columns), self.places), *self.places, n_columns]  # ones stay the last
        return ReadX(replace(sequences, steps=np.ascontiguousarray(sequences.steps[:, order])), list(X))

    def read_steps(self, shape: BaseEstimator, steps: list[Any], dtype: np.dtype, where: Where) -> np.ndarray:
        n_columns, names = int(shape.n_inputs_), names_of_features(shape)
        rows = [plain_row(step, n_columns, names, where(i)) for i, step in enumerate(steps)]
        places = [k for k in range(n_columns) if k not in self.places]
        numbers = read_rows([[row[k] for k in places] for row in rows], len(places), dtype, None, where)
        codes = [
            find_tokens(vocabulary, [row[k] for row in rows], self.handle_unknown, where)
            for k, vocabulary in zip(self.places, self.vocabularies, strict=True)
        ]
        return np.column_stack([numbers, *codes]).astype(dtype, copy=False)

    def network_arguments(self, shape: BaseEstimator) -> dict[str, Any]:
        sizes = zip(self.vocabularies, self.embedding_sizes, strict=True)
        categories = [(len(vocabulary.tokens) + 1, size or 0) for vocabulary, size in sizes]
        return {"n_inputs": int(shape.n_inputs_), "categories": categories}

    def attributes(self) -> dict[str, Any]:
        known = zip(self.columns, self.vocabularies, strict=True)
        return {"categories_": {column: vocabulary.tokens for column, vocabulary in known}}


INPUTS: dict[str, type[InputReading]] = {
    kind.input_type: kind for kind in (FeatureInputReading, TokenInputReading, MixedInputReading)
}
