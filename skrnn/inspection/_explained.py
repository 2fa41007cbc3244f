"""A fitted model and sequences, brought into the form in which predictions are explained: vectors, and a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._base import BaseRecurrent
from .._fitted import Fitted
from .._input_reading import MixedInputReading
from .._next_token import RNNNextTokenModel
from .._sequence_classifier import RNNSequenceClassifier
from .._sequence_regressor import RNNSequenceRegressor
from .._sequence_tagger import RNNSequenceTagger
from .._validation.values import as_list, shown, shown_all
from .._vocabulary import END, is_single
from .._wrapped import transform_by, unwrap
from ..core.data.sequences import PackedSequences
from ..core.model.chain import LinearChain
from ..core.model.network import Network
from ..core.model.pooling import POOLINGS
from ..core.model.vectors import on_vectors, read_vectors
from ..core.workspace import Workspace
from ._baselines import check_same_lengths, read_baseline, read_tokens_of, reads_tokens
from ._targets import (
    ChainTarget,
    RowTarget,
    Target,
    log_odds,
    log_odds_of_label,
    log_proba,
    predicted_number,
    read_classes_of,
    read_outputs_of,
    read_steps,
)

_MAX_STEPS = 2**12
"""Steps of the sequences whose vectors are held at a time."""

_MAX_NUMBERS = 2**22
"""Numbers in the vectors that are predicted from in one call."""


@dataclass(frozen=True)
class Explained:
    """A network on vectors, the vectors of n sequences and of their baselines, and what is asked about.

    Attributes
    ----------
    network, params : Network, ndarray
        Whose input is dense.
    vectors, baseline : ndarray of shape (N, F)
        Of all steps, sequence after sequence.
    lengths : ndarray of shape (n,)
        Steps of each.
    target : Target
        A number for each sequence.
    """

    network: Network
    params: np.ndarray
    vectors: np.ndarray
    baseline: np.ndarray
    lengths: np.ndarray
    target: Target

    @property
    def max_copies(self) -> int:
        """How many times all sequences may be predicted from in one call."""
        n_predicted = len(self.vectors) if self.network.readout.is_per_step else len(self.lengths)
        return max(1, _MAX_NUMBERS // (self.vectors.size + n_predicted * self.network.head.n_raw))

    def sequence(self, i: int) -> Explained:
        """Return what is asked about one sequence."""
        last = int(self.lengths[: i + 1].sum())
        steps, index = slice(last - int(self.lengths[i]), last), np.array([i])
        part = {"vectors": self.vectors[steps], "baseline": self.baseline[steps], "lengths": self.lengths[index]}
        return replace(self, target=self.target.take(index), **part)

    def values(self, vectors: np.ndarray) -> np.ndarray:
        """Return the numbers (m, n) of m copies (m, N, F) of all sequences, with other vectors."""
        raw, target, data = self._predict(vectors)
        return target.values(raw, data.lengths)[0].reshape(len(vectors), -1)

    def gradients(self, vectors: np.ndarray) -> np.ndarray:
        """Return the gradients (m, N, F) of the numbers of m copies of all sequences."""
        raw, target, data = self._predict(vectors)
        _, d_raw = target.values(raw, data.lengths)
        d_x = self.network.raw_gradient(self.params, data, d_raw, Workspace(raw.dtype))
        return np.concatenate(d_x).reshape(vectors.shape)

    def _predict(self, vectors: np.ndarray) -> tuple[np.ndarray, Target, PackedSequences]:
        m, n = len(vectors), len(self.lengths)
        rows = PackedSequences.from_arrays([vectors.reshape(-1, vectors.shape[2])], vectors.dtype)
        data = replace(rows, lengths=np.tile(self.lengths, m))
        target = self.target.take(np.tile(np.arange(n), m))
        return self.network.predict_raw(self.params, data, Workspace(vectors.dtype)), target, data


@dataclass(frozen=True)
class Question:
    """What a user asks about sequences.

    Attributes
    ----------
    network, params : Network, ndarray
        The fitted ones, in float64.
    steps : list of ndarray of shape (n_steps_i, F) or (n_steps_i,)
        Rows of data of each sequence that its prediction depends on: numbers of features, or of tokens.
    baseline : list of ndarray, ndarray of shape (F,), int or None
        Rows of data of the same shapes; a row, or a token, for all steps; or zero vectors.
    target : Target
        A number for each sequence.
    n_steps : ndarray of shape (n,)
        Steps of each sequence as it was passed.
    n_before : int
        Steps that open each sequence and are no part of it.
    widths : ndarray of shape (n_columns,), int
        How many numbers of a vector belong to each column of X.
    order : ndarray of shape (n_columns,), or None
        Which column of X each of them is; None for tokens, which have no columns.
    names : list of str
        What is explained of each sequence, in words.
    """

    network: Network
    params: np.ndarray
    steps: list[np.ndarray]
    baseline: Any
    target: Target
    n_steps: np.ndarray
    n_before: int
    widths: np.ndarray
    order: np.ndarray | None
    names: list[str]

    def parts(self) -> Iterator[Explained]:
        """Yield some sequences at a time."""
        lengths = np.array(list(map(len, self.steps)), np.intp)
        first, ends = 0, np.cumsum(lengths)
        while first < len(lengths):
            begin = ends[first] - lengths[first]
            last = max(first + 1, int(np.searchsorted(ends, begin + _MAX_STEPS, side="right")))
            yield self._part(np.arange(first, last), lengths[first:last])
            first = last

    def by_column(self, attributions: np.ndarray) -> np.ndarray:
        """Return attributions (N, n_columns), or (N,) of tokens, from those of the numbers of vectors (N, F)."""
        if self.order is None:
            return attributions.sum(axis=1)
        firsts = np.cumsum(self.widths) - self.widths
        columns = np.empty((len(attributions), len(self.widths)))
        columns[:, self.order] = np.add.reduceat(attributions, firsts, axis=1)
        return columns

    def by_sequence(self, attributions: list[np.ndarray]) -> list[np.ndarray]:
        """Return attributions for each step of X, from those of the steps that predictions depend on."""
        found = []
        for values, n in zip(attributions, self.n_steps.tolist()):
            whole = np.zeros((n, *values.shape[1:]))
            whole[: len(values) - self.n_before] = values[self.n_before :]
            found.append(whole)
        return found

    def _part(self, indices: np.ndarray, lengths: np.ndarray) -> Explained:
        steps, baseline, tokens = np.concatenate([self.steps[i] for i in indices]), self.baseline, None
        if isinstance(baseline, list):
            baseline = np.concatenate([baseline[i] for i in indices])
        elif baseline is not None:
            baseline = np.broadcast_to(np.asarray(baseline, steps.dtype), steps.shape)
        if self.network.stack.input.is_one_hot:
            tokens = np.unique(steps if baseline is None else np.concatenate([steps, baseline]))
        vectors = read_vectors(self.network, self.params, steps, tokens)
        zero = np.zeros_like(vectors)
        of_baseline = zero if baseline is None else read_vectors(self.network, self.params, baseline, tokens)
        starts = np.cumsum(lengths) - lengths
        for k in range(self.n_before):
            of_baseline[starts + k] = vectors[starts + k]
        network, params = on_vectors(self.network, self.params, tokens)
        return Explained(network, params, vectors, of_baseline, lengths, self.target.take(indices))


def split_model(model: Any, name: str) -> tuple[list[Any], Any]:
    """Return the transformers before an estimator of skrnn, and that; raises for any other."""
    transformers, estimator = unwrap(model)
    if not isinstance(estimator, BaseRecurrent):
        raise TypeError(
            f"model is, or ends with, {shown(estimator)} ({type(estimator).__name__}), but {name} needs a fitted "
            "network of skrnn, such as an RNNSequenceClassifier, or a pipeline or a fitted search that ends in one."
        )
    return transformers, estimator


def tokens_of(model: Any, X: list[Any]) -> list[Any] | None:
    """Return the tokens of the only sequence of X, as the estimator at the end of `model` reads it; None of numbers."""
    transformers, estimator = split_model(model, "tokens_of")
    if estimator._check_fitted().reading.known_tokens() is None:
        return None
    (sequence,) = transform_by(transformers, X)
    return list(sequence) if isinstance(sequence, str) else as_list(sequence)


def ask(model: Any, X: Any, target: Any, step: Any, baseline: Any) -> Question:
    """Read a model, sequences, and what is asked about them; raises where that makes no sense."""
    transformers, estimator = split_model(model, "attribute")
    fitted, X = estimator._check_fitted(), transform_by(transformers, X)
    if isinstance(estimator, RNNNextTokenModel):
        return _ask_about_tokens(estimator, fitted, X, target, step, baseline)
    sequences = fitted.reading.to_predict(X)
    n, reading = len(sequences), fitted.reading
    widths, order = _columns(fitted)
    steps = None
    if fitted.network.readout.is_per_step:
        steps = read_steps(-1 if step is None else step, sequences.lengths)
    elif step is not None:
        raise ValueError("step chooses among predictions for each step, but the model has one for each sequence.")
    if isinstance(estimator, RNNSequenceRegressor):
        columns = read_outputs_of(target, n, reading.n_outputs)
        of_rows, names = predicted_number(fitted.network.loss), [f"output {column}" for column in columns]
        asked: Target = RowTarget(columns, steps, of_rows)
        names = names if reading.n_outputs > 1 else ["prediction"] * n
    else:
        asked = _class_target(estimator, fitted, sequences, target, steps)
        names = [f"log-odds of {shown(label)}" for label in reading.classes[asked.columns].tolist()]
    return Question(
        network=fitted.network,
        params=fitted.params.astype(np.float64),
        steps=[np.asarray(array, None if reads_tokens(fitted) else np.float64) for array in sequences.arrays()],
        baseline=read_baseline(fitted, baseline, sequences.lengths),
        target=asked,
        n_steps=sequences.lengths,
        n_before=0,
        widths=widths,
        order=order,
        names=names,
    )


def _class_target(
    estimator: RNNSequenceClassifier | RNNSequenceTagger, fitted: Fitted, sequences: Any, target: Any, steps: Any
) -> Target:
    """Return the log-odds of a class: of the predicted one, or that of the target."""
    classes, loss = fitted.reading.classes, fitted.network.loss
    is_multilabel = getattr(fitted.reading, "is_multilabel", False)
    if len(classes) < 2:
        raise ValueError(f"The model knows one class, {shown_all(classes.tolist())}, so there is nothing to explain.")
    if target is not None:
        columns = read_classes_of(target, len(sequences), classes)
    elif is_multilabel:
        columns = estimator._predict_network(fitted, sequences).argmax(axis=1)
    else:
        columns = estimator._predict_codes(fitted, sequences)
        columns = columns if steps is None else columns[np.cumsum(sequences.lengths) - sequences.lengths + steps]
    if isinstance(loss, LinearChain):
        return ChainTarget(columns, steps, loss, fitted.network.views(fitted.params)["head"])
    return RowTarget(columns, steps, log_odds_of_label if is_multilabel else log_odds)


def _ask_about_tokens(
    estimator: RNNNextTokenModel, fitted: Fitted, X: Any, target: Any, step: Any, baseline: Any
) -> Question:
    """As `ask`, about the log-probability of a token: one of X, or what may come at its place or behind its end.

    It depends on the tokens before it, so that the last state of these is all that the head has to see.
    """
    reading, vocabulary = fitted.reading, fitted.reading.vocabulary
    data = reading.to_continue(X, estimator.handle_unknown)
    n_tokens, ids = data.lengths - 1, [array[:-1] for array in data.arrays()]
    if step is None:
        steps = n_tokens - 1 if target is None else n_tokens
    else:
        steps = read_steps(step, n_tokens, n_more=1)
    if target is None:
        columns = np.array([_token_at(x, s, i, vocabulary) for i, (x, s) in enumerate(zip(ids, steps.tolist()))])
    else:
        columns = read_tokens_of(target, len(ids), vocabulary, "target")
    if baseline is END:
        raise ValueError("baseline is END, which is predicted but never read. Pass a token, sequences like X, or None.")
    if is_single(baseline):
        (baseline,) = read_tokens_of(baseline, 1, vocabulary, "baseline").tolist()
    elif baseline is not None:
        others = reading.to_score(baseline, estimator.handle_unknown, "baseline").arrays()
        others = [array[: len(array) - vocabulary.has_end] for array in others]
        check_same_lengths(others, n_tokens + 1, n_before=1)
        baseline = [array[: s + 1].astype(np.intp) for array, s in zip(others, steps.tolist())]
    tokens = vocabulary.column_tokens[columns].tolist()
    return Question(
        network=replace(fitted.network, readout=POOLINGS["last"]),
        params=fitted.params.astype(np.float64),
        steps=[array[: s + 1].astype(np.intp) for array, s in zip(ids, steps.tolist())],
        baseline=baseline,
        target=RowTarget(columns, None, log_proba),
        n_steps=n_tokens,
        n_before=1,
        widths=np.empty(0, np.intp),
        order=None,
        names=[f"log-probability of {shown(token)}" for token in tokens],
    )


def _token_at(ids: np.ndarray, step: int, i: int, vocabulary: Any) -> int:
    """Return the number of the token at a place of sequence i, whose ids are begin and its tokens; END behind it."""
    if 0 <= step < len(ids) - 1:
        return int(ids[step + 1])
    if step < 0 or not vocabulary.has_end:
        where = "is empty" if step < 0 else f"has {len(ids) - 1} tokens, and its end is not modelled"
        raise ValueError(f"X[{i}] {where}, so there is no token to explain. Pass target, a token that may come.")
    return int(vocabulary.end)


def _columns(fitted: Fitted) -> tuple[np.ndarray, np.ndarray | None]:
    """Return how many numbers of a vector belong to each column of X, and which column that is."""
    if reads_tokens(fitted):
        return np.empty(0, np.intp), None
    reading, n = fitted.reading.input, int(fitted.reading.shape.n_inputs_)
    if not isinstance(reading, MixedInputReading):
        return np.ones(n, np.intp), np.arange(n)
    widths = [size or len(v.tokens) for v, size in zip(reading.vocabularies, reading.embedding_sizes)]
    numbers = np.setdiff1d(np.arange(n), reading.places)
    return np.array([1] * len(numbers) + widths), np.append(numbers, reading.places).astype(np.intp)
