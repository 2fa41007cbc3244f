"""Scores of the next token, with a constant for tokens that training never showed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log, log1p

import numpy as np

from .core.cached import cached_property
from .core.data.sequences import NextTokenSequences
from .core.model.losses import CrossEntropy
from .core.model.network import Network, PackedNetwork
from .core.model.state import State
from .core.parameters import Weights
from .core.workspace import Workspace

Advance = Callable[[np.ndarray, State], tuple[np.ndarray, State]]
"""``advance(tokens, state) -> (log_proba, state)``: `TokenScores.advance` with all else bound."""


@dataclass(frozen=True)
class TokenScores:
    """Log-probabilities of tokens, nats.

    Parameters
    ----------
    network : Network
        Its columns are the tokens that it was trained to predict.
    unknown_probability : float or None
        Where the network has no column for unknown tokens, because training showed none: the constant that is taken
        from all others for one more column, the last.
    """

    network: Network
    unknown_probability: float | None

    def token_log_proba(self, params: np.ndarray, data: NextTokenSequences, workspace: Workspace) -> np.ndarray:
        """Log-probability (sum of lengths,) of the target of every step, sequence after sequence."""
        log_proba = np.empty(data.n_steps, params.dtype)
        for _, places, values in self._measured(params, data, workspace, self._log_proba_of_targets):
            log_proba[places] = values
        return log_proba

    def token_rank(self, params: np.ndarray, data: NextTokenSequences, workspace: Workspace) -> np.ndarray:
        """Rank (sum of lengths,), intp, of the target of every step among all tokens; 1 is the likeliest."""
        ranks = np.empty(data.n_steps, np.intp)
        for _, places, values in self._measured(params, data, workspace, self._rank_of_targets):
            ranks[places] = values
        return ranks

    def log_likelihood(self, params: np.ndarray, data: NextTokenSequences, workspace: Workspace) -> np.ndarray:
        """Sum (n,) of the log-probabilities of each sequence's targets, float64; 0 for one without steps."""
        totals = np.zeros(len(data))
        for indices, _, values in self._measured(params, data, workspace, self._log_proba_of_targets):
            np.add.at(totals, indices, values)
        return totals

    def read(self, params: np.ndarray, data: NextTokenSequences, workspace: Workspace) -> tuple[np.ndarray, State]:
        """Output (n, H) of the top layer after the last step of each sequence, and the state of every layer there."""
        state = self.network.read(params, data, workspace)
        return np.ascontiguousarray(state.layers[-1][0].T), state

    def log_proba_after(self, params: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Log-probabilities (n, K) of the next token, from outputs h (n, H) of the top layer."""
        return self.log_proba_of_columns(self.network.views(params)["head"], h.T)

    def log_proba_of_columns(self, head: Weights, columns: np.ndarray) -> np.ndarray:
        """Log-probabilities (n, K) of the next token, from the head's parameters and outputs (H, n)."""
        return self._with_unknown(self.network.predict_columns(head, columns))

    def pack(self, params: np.ndarray, workspace: Workspace) -> PackedNetwork:
        """Pack what `advance` needs of the parameters, once for any number of steps."""
        return self.network.pack(params, workspace)

    def advance(
        self, packed: PackedNetwork, tokens: np.ndarray, state: State, workspace: Workspace
    ) -> tuple[np.ndarray, State]:
        """Read one token (n,) of every sequence: log-probabilities (n, K) of what comes next, and the state then."""
        log_proba, state = self.network.step(packed, tokens, state, workspace)
        return self._with_unknown(log_proba), state

    def _measured(
        self,
        params: np.ndarray,
        data: NextTokenSequences,
        workspace: Workspace,
        measure: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """``measure(raw (L, K, n), targets (L, n))`` of every step, see `Network.map_steps`."""

        def of_rows(raw: np.ndarray, rows: np.ndarray) -> np.ndarray:
            return measure(raw, data.next_ids[rows].astype(np.intp))

        return self.network.map_steps(params, data, workspace, of_rows)

    def _log_proba_of_targets(self, raw: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Log-probabilities (L, n) of targets (L, n), from raw predictions (L, K, n), which are overwritten."""
        known = np.minimum(targets, raw.shape[1] - 1)
        log_proba = self._loss.log_proba_of(raw, known)
        if self.unknown_probability is not None:
            log_proba += self.log_of_others
            log_proba[targets > known] = log(self.unknown_probability)
        return log_proba

    def _rank_of_targets(self, raw: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """One more than the number of tokens that are likelier than the target, (L, n)."""
        log_proba = self._with_unknown(self._loss.inverse_link(raw).transpose(0, 2, 1))
        return 1 + (log_proba > np.take_along_axis(log_proba, targets[:, :, None], axis=2)).sum(axis=2)

    def _with_unknown(self, log_proba: np.ndarray) -> np.ndarray:
        """Log-probabilities (..., n, K) with a last column for unknown tokens, if the network has none."""
        if self.unknown_probability is None:
            return log_proba
        unknown = np.full((*log_proba.shape[:-1], 1), log(self.unknown_probability), log_proba.dtype)
        return np.concatenate([log_proba + self.log_of_others, unknown], axis=-1)

    @property
    def _loss(self) -> CrossEntropy:
        """The loss of the network, which is that of tokens."""
        loss = self.network.loss
        assert isinstance(loss, CrossEntropy)
        return loss

    @cached_property
    def log_of_others(self) -> float:
        """Logarithm of what is left for the tokens that the network knows."""
        return log1p(-(self.unknown_probability or 0))
