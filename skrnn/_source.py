"""Where a fit may begin: at the input and the layers of another fitted estimator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ._config import SequenceConfig
from ._fitted import Fitted
from ._input_reading import FeatureInputReading, MixedInputReading
from ._vocabulary import Vocabulary
from .core.model.network import Network


def read_source(init_from: Any, config: SequenceConfig) -> Fitted[Any]:
    """Return what an estimator has learned; raises where it is none, or its layers have another shape."""
    fitted = getattr(init_from, "_fitted", None)
    if not isinstance(fitted, Fitted):
        raise ValueError(
            f"init_from is of type {type(init_from).__name__}, and no fitted estimator of skrnn. Pass one, for example "
            "a fitted RNNNextTokenModel; of a pipeline, its last step."
        )
    for name in ("cell", "hidden_size", "n_layers"):
        if getattr(config, name) != fitted.arguments[name]:
            raise ValueError(
                f"{name} is {getattr(config, name)!r}, but init_from has {fitted.arguments[name]!r}. Set "
                f"{name}={fitted.arguments[name]!r}."
            )
    has_two, had_two = config.bidirectional, fitted.network.stack.bidirectional
    if has_two != had_two and (had_two or config.n_layers > 1):
        raise ValueError(
            f"bidirectional is {has_two}, but init_from has {had_two}, so their layers read different things. Set "
            f"bidirectional={had_two}."
        )
    for name in ("vocabulary", "min_frequency", "max_tokens"):
        if fitted.reading.known_tokens() and getattr(config, name) is not None:
            raise ValueError(f"init_from has a vocabulary of its own, so {name} says nothing. Set {name}=None.")
    return fitted


def vocabulary_of(source: Fitted[Any]) -> Vocabulary:
    """Return the tokens that an estimator knows, for one that does not predict the end of a sequence."""
    vocabulary = source.reading.known_tokens()
    if vocabulary is None:
        raise ValueError("X holds tokens, but init_from was fitted on features. Pass a model of tokens.")
    return replace(vocabulary, has_end=False)


def categories_of(source: Fitted[Any], columns: list[Any]) -> MixedInputReading:
    """Return how an estimator reads columns of categories, whose numbers its vectors are for; raises for others."""
    known = getattr(source.reading, "input", None)
    if not isinstance(known, MixedInputReading) or known.columns != columns:
        has = known.columns if isinstance(known, MixedInputReading) else "no columns"
        raise ValueError(
            f"X has categories in the columns {columns}, but init_from knows {has} of categories. Pass the same ones."
        )
    return known


def check_reads_features(source: Fitted[Any]) -> None:
    """Raise unless an estimator reads rows of numbers, and nothing else."""
    if not isinstance(getattr(source.reading, "input", None), FeatureInputReading):
        raise ValueError("X holds numbers, but init_from was fitted on tokens or categories. Pass such sequences.")


def copy_layers(source: Fitted[Any], network: Network, params: np.ndarray) -> None:
    """Write the weights of the source's input and layers over those of another network; raises for another shape."""
    vocabulary, weights = source.reading.known_tokens(), network.layout.views(params)
    if vocabulary is not None:  # UNKNOWN stands behind the end, which others do not have
        known = np.append(np.arange(len(vocabulary.tokens)), vocabulary.unknown)
    for part, arrays in source.network.layout.views(source.params).items():
        for name, array in arrays.items() if part != "head" else ():
            if vocabulary is not None and part == "embedding":
                array = array[known]
            elif vocabulary is not None and part.startswith("rnn.0") and name == "W_x" and "embedding" not in weights:
                array = array[:, known]
            target = weights.get(part, {}).get(name)
            if target is None or target.shape != array.shape:
                raise ValueError(
                    f"{part}.{name} has the shape {None if target is None else target.shape}, but that of init_from is "
                    f"{array.shape}. Pass X with the same features, and embedding_size='auto'."
                )
            target[...] = array
