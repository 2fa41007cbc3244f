"""How X is read, as an ONNX model and its metadata tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._fitted import Reading
from .._input_reading import FeatureInputReading, InputReading, MixedInputReading, TokenInputReading
from .._sequence_reading import SequenceReading
from .._token_sequences import TokenReading
from .._validation.sequence_column import names_of_features
from .._vocabulary import Vocabulary
from ..preprocessing import SequenceScaler
from ._graph import exporter_of
from ._inputs import Ids, Source

Metadata = dict[str, Any]


def source_of(reading: Reading, scalers: list[SequenceScaler], handle_unknown: str) -> tuple[Source, Metadata]:
    """Return what comes before the network, and what has to be known to pass it; `handle_unknown` is of predictions."""
    read = reading.input if isinstance(reading, SequenceReading) else reading
    if scalers and not isinstance(read, FeatureInputReading):
        raise NotImplementedError(
            "The pipeline scales what the estimator reads as tokens or categories, which cannot be exported to ONNX. "
            "Export the last step alone, model[-1]."
        )
    if isinstance(read, TokenReading):
        return _of_next_tokens(read, handle_unknown)
    if isinstance(read, FeatureInputReading):
        return Source(scalers), _columns(reading)
    return exporter_of(_INPUTS, read)(reading, read)


def _of_next_tokens(reading: TokenReading, handle_unknown: str) -> tuple[Source, Metadata]:
    vocabulary = reading.vocabulary
    end = {"end": vocabulary.end} if vocabulary.has_end else {}
    metadata = {**_tokens(vocabulary), **end, "begin": vocabulary.begin}
    return Source(ids=[_ids(vocabulary, handle_unknown, vocabulary.begin)], is_continued=True), metadata


def _of_tokens(reading: SequenceReading, read: TokenInputReading) -> tuple[Source, Metadata]:
    return Source(ids=[_ids(read.vocabulary, read.handle_unknown)]), _tokens(read.vocabulary)


def _of_categories(reading: SequenceReading, read: MixedInputReading) -> tuple[Source, Metadata]:
    names = names_of_features(reading.shape) or list(range(int(reading.shape.n_inputs_)))
    numbers = [name for place, name in enumerate(names) if place not in read.places]
    categories = [
        {"column": column, **_tokens(vocabulary)}
        for column, vocabulary in zip(read.columns, read.vocabularies, strict=True)
    ]
    ids = [_ids(vocabulary, read.handle_unknown) for vocabulary in read.vocabularies]
    return Source(ids=ids), {"columns": numbers, "categories": categories}


def _columns(reading: Reading) -> Metadata:
    names = names_of_features(reading.shape)
    return {"columns": names} if names else {}


def _tokens(vocabulary: Vocabulary) -> Metadata:
    return {"vocabulary": vocabulary.tokens.tolist(), "unknown": vocabulary.unknown}


def _ids(vocabulary: Vocabulary, handle_unknown: str, begin: int | None = None) -> Ids:
    rejects_unknown = handle_unknown == "error" and not vocabulary.learns_unknown
    return Ids(len(vocabulary.tokens), vocabulary.unknown, begin, rejects_unknown)


_INPUTS: dict[type[InputReading], Callable[..., tuple[Source, Metadata]]] = {
    TokenInputReading: _of_tokens,
    MixedInputReading: _of_categories,
}
