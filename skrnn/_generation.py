"""Writing sequences: filters of the next-token distribution, sampling, beams."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import frexp
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ._parallel.blas import guarded
from ._token_scores import TokenScores
from ._validation.values import as_list, is_no_list, shown
from ._vocabulary import UNKNOWN, Vocabulary, is_single
from .core.data.sequences import TokenSequences
from .core.model.network import PackedNetwork
from .core.model.state import State
from .core.workspace import Workspace

_NOTHING = -1  # where a row of tokens has none


@dataclass
class Generator:
    """Continues prompts, all together, one product a step.

    Parameters
    ----------
    scores, params, vocabulary
        Of a fitted model.
    max_new_tokens, temperature, top_k, top_p, min_p, repetition_penalty, no_repeat_ngram_size, stop_tokens, \
forbidden_tokens, num_beams
        See `RNNNextTokenModel.generate`.
    """

    scores: TokenScores
    params: np.ndarray
    vocabulary: Vocabulary
    max_new_tokens: int
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float | None = None
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    stop_tokens: Any = None
    forbidden_tokens: Any = None
    num_beams: int = 1
    _stops: np.ndarray = field(init=False)
    _forbidden: np.ndarray = field(init=False)
    _unit: float = field(init=False)

    def __post_init__(self) -> None:
        for name, is_valid, needed in [
            ("max_new_tokens", is_integer(self.max_new_tokens, 1), "an integer >= 1"),
            ("temperature", _is_finite(self.temperature) and self.temperature >= 0, "a number >= 0; 0 is greedy"),
            ("top_k", self.top_k is None or is_integer(self.top_k, 1), "an integer >= 1, or None"),
            ("top_p", _is_finite(self.top_p) and 0 < float(self.top_p) <= 1, "in (0, 1]"),
            ("min_p", self.min_p is None or (_is_finite(self.min_p) and 0 <= self.min_p <= 1), "in [0, 1], or None"),
            (
                "repetition_penalty",
                _is_finite(self.repetition_penalty) and float(self.repetition_penalty) > 0,
                "a number > 0",
            ),
            ("no_repeat_ngram_size", is_integer(self.no_repeat_ngram_size, 0), "an integer >= 0"),
            ("num_beams", is_integer(self.num_beams, 1), "an integer >= 1"),
        ]:
            if not is_valid:
                raise ValueError(f"{name} is {shown(getattr(self, name))}, but it must be {needed}.")
        if self.num_beams > 1:
            defaults = {"temperature": 1.0, "top_k": None, "top_p": 1.0, "min_p": None, "repetition_penalty": 1.0}
            changed = [name for name, value in defaults.items() if getattr(self, name) != value]
            if changed:
                raise ValueError(
                    f"num_beams={shown(self.num_beams)} looks for the likeliest sequence and samples nothing, but "
                    f"{changed[0]}={shown(getattr(self, changed[0]))} is set. Leave it out, or use num_beams=1."
                )
        for name in ("max_new_tokens", "no_repeat_ngram_size", "num_beams"):  # NumPy's integers overflow
            setattr(self, name, int(getattr(self, name)))
        for name in ("temperature", "top_p", "repetition_penalty"):
            setattr(self, name, float(getattr(self, name)))
        self.top_k = None if self.top_k is None else int(self.top_k)
        self.min_p = None if self.min_p is None else float(self.min_p)
        # A power of two that the penalised scores are divided by, so that they cannot overflow.
        self._unit = 2.0 ** max(frexp(self.repetition_penalty)[1] - 1, 0)
        self._stops = self._codes("stop_tokens", self.stop_tokens)
        self._forbidden = self._codes("forbidden_tokens", self.forbidden_tokens)

    def run(self, prompts: TokenSequences, n_sequences: int, random_state: Any) -> tuple[list[np.ndarray], np.ndarray]:
        """Numbers of the tokens that come after each prompt, prompt-major, and their summed log-probabilities.

        The prompts are sequences to read, begin first. END is not among the results, its log-probability is in the
        sums.
        """
        if not is_integer(n_sequences, 1) or n_sequences >= 2**31:
            raise ValueError(f"n_sequences is {shown(n_sequences)}, but it must be an integer >= 1 and < 2**31.")
        n_sequences = int(n_sequences)
        if not len(prompts):
            return [], np.empty(0)
        return guarded(self._run, prompts, n_sequences, random_state)

    def _run(self, prompts: TokenSequences, n_sequences: int, random_state: Any) -> tuple[list[np.ndarray], np.ndarray]:
        """As `run`, inside the guard."""
        workspace = Workspace(self.params.dtype)
        h, state = self.scores.read(self.params, prompts, workspace)
        log_proba = self.scores.log_proba_after(self.params, h)
        packed = self.scores.pack(self.params, workspace)
        histories = _right_aligned([ids[1:-1] for ids in prompts.arrays()])
        if self.num_beams > 1:
            if n_sequences > self.num_beams:
                raise ValueError(f"n_sequences={n_sequences} is more than num_beams={self.num_beams}.")
            found = []
            for i, history in enumerate(histories):
                best = self._beams(history, log_proba[i], state.take([i]), packed, workspace)
                if len(best) < n_sequences:
                    raise ValueError(
                        f"n_sequences={n_sequences}, but only {len(best)} sequences can follow prompts[{i}]. Pass a "
                        "smaller n_sequences, more num_beams or max_new_tokens, or loosen the filters."
                    )
                found += best[:n_sequences]
            return [np.array(new, dtype=np.intp) for new, _ in found], np.array([total for _, total in found])
        of_prompt = np.repeat(np.arange(len(prompts)), n_sequences)
        return self._sample(
            histories[of_prompt],
            log_proba[of_prompt],
            state.take(of_prompt),
            check_random_state(random_state),
            packed,
            workspace,
        )

    def _sample(
        self,
        history: np.ndarray,
        log_proba: np.ndarray,
        state: State,
        rng: np.random.RandomState,
        packed: PackedNetwork,
        workspace: Workspace,
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Draw token after token for every history (n, T); n uniform numbers a step, whoever has ended."""
        n = len(history)
        n_before = (history != _NOTHING).sum(axis=1)
        totals = np.zeros(n)
        going = np.arange(n)
        written: list[np.ndarray] = []
        for step in range(self.max_new_tokens):
            u = rng.uniform(size=n) if self.temperature > 0 else np.zeros(n)
            scores = self._allowed(log_proba, history)
            stuck = np.flatnonzero(scores.max(axis=1) == -np.inf)
            if len(stuck):
                raise self._nothing_may_come(n_before[going[stuck[0]]] + step)
            tokens = _draw(self._filtered(scores), u[going])
            totals[going] += log_proba[np.arange(len(going)), tokens]
            is_end = self._is_end(tokens)
            written.append(np.full(n, _NOTHING))
            written[-1][going] = np.where(is_end, _NOTHING, tokens)
            goes_on = ~((tokens[:, None] == self._stops).any(axis=1) | is_end)
            if not goes_on.any() or step + 1 == self.max_new_tokens:
                break
            if self._looks_back:
                history = np.column_stack([history, tokens])
            if not goes_on.all():
                going, tokens, history = going[goes_on], tokens[goes_on], history[goes_on]
                state = state.take(np.flatnonzero(goes_on))
            log_proba, state = self.scores.advance(packed, tokens, state, workspace)
        return [row[row != _NOTHING] for row in np.column_stack(written)], totals

    def _filtered(self, scores: np.ndarray) -> np.ndarray:
        """Log-scores (n, K), -inf where a token is not to be drawn; may overwrite `scores` (n, K)."""
        if self.temperature == 0:
            greedy = np.full_like(scores, -np.inf)
            best = scores.argmax(axis=1)[:, None]
            np.put_along_axis(greedy, best, 0.0, axis=1)
            return greedy
        scores -= scores.max(axis=1, keepdims=True)  # the best is 0 at any temperature
        with np.errstate(over="ignore"):
            np.multiply(scores, self._unit / self.temperature, out=scores, where=scores < 0)
        if self.top_k is not None and self.top_k < scores.shape[1]:
            order = np.argsort(-scores, axis=1, kind="stable")
            np.put_along_axis(scores, order[:, self.top_k :], -np.inf, axis=1)
        if self.top_p < 1:
            order = np.argsort(-scores, axis=1, kind="stable")
            proba = np.take_along_axis(_softmax(scores), order, axis=1)
            before = np.cumsum(proba, axis=1) - proba
            np.put_along_axis(
                scores, order, np.where(before < self.top_p, np.take_along_axis(scores, order, axis=1), -np.inf), axis=1
            )
        if self.min_p is not None:
            proba = _softmax(scores)
            scores[proba < self.min_p * proba.max(axis=1, keepdims=True)] = -np.inf
        return scores

    def _allowed(self, log_proba: np.ndarray, history: np.ndarray) -> np.ndarray:
        """Log-scores (n, K), float64, in `_unit`: with the repetition penalty, -inf where a token may not come."""
        scores = log_proba.astype(np.float64)
        if self.repetition_penalty != 1:
            is_seen = np.zeros((len(scores), scores.shape[1] + 1), dtype=bool)  # the last column is for _NOTHING
            np.put_along_axis(is_seen, history, True, axis=1)
            scores /= self._unit
            scores[is_seen[:, :-1]] *= self.repetition_penalty
        if self.no_repeat_ngram_size:
            scores[_completing(history, self.no_repeat_ngram_size)] = -np.inf
        scores[:, self._forbidden] = -np.inf
        scores[:, self.vocabulary.unknown] = -np.inf
        return scores

    @property
    def _looks_back(self) -> bool:
        """Whether what may come depends on all that was there before."""
        return self.repetition_penalty != 1 or self.no_repeat_ngram_size > 0

    def _beams(
        self,
        history: np.ndarray,
        log_proba: np.ndarray,
        state: State,
        packed: PackedNetwork,
        workspace: Workspace,
    ) -> list[tuple[list[int], float]]:
        """The likeliest continuations of one history (T,), the likeliest first, with their log-probabilities."""
        beams: list[list[int]] = [[]]
        totals = np.zeros(1)
        log_proba = log_proba[None].astype(np.float64)
        finished: list[tuple[list[int], float]] = []
        for step in range(self.max_new_tokens):
            allowed = self._allowed(log_proba, np.array([[*history, *beam] for beam in beams], dtype=np.intp))
            candidates = np.where(np.isneginf(allowed), -np.inf, totals[:, None] + log_proba).ravel()
            order = np.argsort(-candidates, kind="stable")[: 2 * self.num_beams]
            parents, tokens = np.divmod(order[np.isfinite(candidates[order])], log_proba.shape[1])
            grown: list[tuple[int, int, float]] = []
            for parent, token in zip(parents.tolist(), tokens.tolist(), strict=True):
                total = float(candidates[parent * log_proba.shape[1] + token])
                if self._is_end(token):
                    finished.append((beams[parent], total))
                elif token in self._stops or step + 1 == self.max_new_tokens:
                    finished.append(([*beams[parent], token], total))
                else:
                    grown.append((parent, token, total))
            finished = sorted(finished, key=lambda found: -found[1])[: self.num_beams]
            grown = grown[: self.num_beams]
            is_settled = len(finished) == self.num_beams and (not grown or finished[-1][1] >= grown[0][2])
            if not grown or is_settled:
                break
            beams = [[*beams[parent], token] for parent, token, _ in grown]
            totals = np.array([total for *_, total in grown])
            state = state.take(np.array([parent for parent, *_ in grown]))
            tokens = np.array([token for _, token, _ in grown])
            log_proba, state = self.scores.advance(packed, tokens, state, workspace)
            log_proba = log_proba.astype(np.float64)
        if not finished:
            raise self._nothing_may_come(int((history != _NOTHING).sum()) + step)
        return finished

    def _nothing_may_come(self, n_before: int) -> ValueError:
        """What to raise where the filters leave no token."""
        filters = {"forbidden_tokens": len(self._forbidden), "no_repeat_ngram_size": self.no_repeat_ngram_size}
        names = " and ".join(name for name, is_set in filters.items() if is_set)
        return ValueError(
            f"No token may come after {n_before} tokens: all are ruled out by {names}. Loosen the filters."
        )

    def _is_end(self, tokens: Any) -> Any:
        return (tokens == self.vocabulary.end) if self.vocabulary.has_end else np.zeros(np.shape(tokens), dtype=bool)

    def _codes(self, name: str, tokens: Any) -> np.ndarray:
        """Return the numbers of tokens that the caller names; raise for those that are not in the vocabulary."""
        if tokens is None:
            return np.empty(0, dtype=np.intp)
        if is_single(tokens):
            is_text = isinstance(tokens, str) and self.vocabulary.reads_characters
            tokens = list(tokens) if is_text and self.vocabulary.find(tokens, name) is None else [tokens]
        elif is_no_list(tokens):
            raise TypeError(f"{name} is {shown(tokens)}. Pass a list of tokens, or one token.")
        codes = []
        for i, token in enumerate(as_list(tokens)):
            code = self.vocabulary.find(token, f"{name}[{i}]")
            if token is UNKNOWN or code is None:
                raise ValueError(f"{name}[{i}] is {shown(token)}, which is not in the vocabulary. Leave it out.")
            codes.append(code)
        return np.array(codes, dtype=np.intp)


def is_integer(value: Any, least: int) -> bool:
    """Whether `value` is an integer, and at least `least`."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= least)


def _is_finite(value: Any) -> bool:
    try:
        return isinstance(value, Real) and bool(np.isfinite(float(value)))
    except OverflowError:  # an integer beyond floats
        return False


def _softmax(scores: np.ndarray) -> np.ndarray:
    proba = np.exp(scores - scores.max(axis=1, keepdims=True))
    return proba / proba.sum(axis=1, keepdims=True)


def _draw(scores: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Token (n,) of each row of log-scores (n, K) at the quantile u (n,) in [0, 1)."""
    cumulative = np.exp(scores - scores.max(axis=1, keepdims=True)).cumsum(axis=1)
    beyond = cumulative > (u * cumulative[:, -1])[:, None]
    return beyond.argmax(axis=1)


def _right_aligned(arrays: list[np.ndarray]) -> np.ndarray:
    """Arrays of numbers as the rows of one (n, T), which end in its last column and begin after `_NOTHING`."""
    rows = np.full((len(arrays), max(map(len, arrays))), _NOTHING)
    for row, array in zip(rows, arrays, strict=True):
        row[len(row) - len(array) :] = array
    return rows


def _completing(history: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of histories (n, T), and the tokens that would complete an n-gram there that the row already holds."""
    if history.shape[1] < size:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    ngrams = np.lib.stride_tricks.sliding_window_view(history, size, axis=1)  # (n, T - size + 1, size)
    start = history[:, None, history.shape[1] - size + 1 :]
    is_same = (ngrams[:, :, :-1] == start).all(axis=2) & (ngrams[:, :, 0] != _NOTHING)
    return np.nonzero(is_same)[0], ngrams[is_same, -1]
