r"""A linear chain of labels: one for every step, with a score for each pair of labels that follow each other.

The probability of labels :math:`y_1, ..., y_T`, given raw predictions (emissions) :math:`z_t`, is

.. math::
    p(y) = \frac{e^{s(y)}}{Z}, \qquad
    s(y) = b^{first}_{y_1} + b^{last}_{y_T} + \sum_t z_{t, y_t} + \sum_t W_{y_t, y_{t+1}}, \qquad
    Z = \sum_{y'} e^{s(y')} \tag{1}

:math:`\log Z` is the result of the forward recursion

.. math::
    \alpha_{1j} = b^{first}_j + z_{1j}, \qquad
    \alpha_{t+1, j} = z_{t+1, j} + \log \sum_i e^{\alpha_{ti} + W_{ij}}, \qquad
    \log Z = \log \sum_j e^{\alpha_{Tj} + b^{last}_j} \tag{2}

Its derivative with respect to :math:`z_{tj}` is the marginal :math:`p(y_t = j)`: the way back over the recursion gives
gradients and marginals alike. Where only some labels are known, their probability is :math:`Z` of the chain that is
held at them, divided by :math:`Z`.

Conventions: T steps of n columns, the longest first, and K labels. Emissions are (T, K, n), with anything where a
column has ended. Arithmetic is in float64, whatever the network's dtype.

References
----------
Lafferty, McCallum and Pereira, *Conditional random fields: probabilistic models for segmenting and labeling sequence
data* (2001), section 3. Viterbi, *Error bounds for convolutional codes and an asymptotically optimum decoding
algorithm* (1967).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Ints, Values
from ..parameters import NO_WEIGHTS, Weights
from .losses.loss import Loss

_BATCH_SIZE = 2**18
"""Emissions of the sequences that are worked on at a time."""

_TINY = 1e-250
"""A sum of products below may have lost terms that count: such a step is summed pair by pair, in log space."""


class Recursion(NamedTuple):
    r"""The forward recursion of some columns.

    Attributes
    ----------
    log_z : ndarray of shape (n,)
        log Z of each.
    alphas : list of ndarray of shape (K, n_t)
        After each step, of the columns that it has.
    log_sums : list of ndarray of shape (K, n_t)
        From the second step on, :math:`\log \sum_i e^{\alpha_i + W_{ij}}` of the step before.
    """

    log_z: Floats
    alphas: list[Floats]
    log_sums: list[Floats]


class ChainGradient(NamedTuple):
    """Gradients of a function of log Z.

    Attributes
    ----------
    emissions : ndarray of shape (T, K, n)
        With respect to the emissions; zero where a column has ended.
    pairs, first, last : ndarray of shape (K, K), (K,), (K,)
        With respect to the scores of the chain.
    """

    emissions: Floats
    pairs: Floats
    first: Floats
    last: Floats


@dataclass(frozen=True)
class Chain:
    """The scores that are the same at every step.

    Attributes
    ----------
    pairs : ndarray of shape (K, K)
        W, of a label (column) that follows another (row).
    first, last : ndarray of shape (K,)
        Of the label of the first step, and of that of the last one.
    """

    pairs: Floats
    first: Floats
    last: Floats

    @classmethod
    def of(cls, weights: Weights) -> Chain:
        """Take the scores from the parameters of a head, by name."""
        pairs, first, last = (weights[name].astype(np.float64) for name in ("W_t", "b_first", "b_last"))
        return cls(pairs, first, last)

    def forward(self, emissions: Floats, lengths: Ints) -> Recursion:
        """Run the recursion (2) over emissions (T, K, n) of columns of these lengths (n,)."""
        log_z, alphas, log_sums = np.empty(len(lengths)), list[Floats](), list[Floats]()
        transfer, maxima = self._transfer()
        alpha = emissions[0] + self.first[:, None]
        for t, n in enumerate(_widths(lengths)):
            if t:
                sums = self._log_sums(alpha[:, :n], transfer, maxima)
                alpha = emissions[t, :, :n] + sums
                log_sums.append(sums)
            alphas.append(alpha)
            ends = lengths == t + 1
            log_z[ends] = _log_sum_exp(alpha[:, ends[:n]] + self.last[:, None])
        return Recursion(log_z, alphas, log_sums)

    def backward(self, recursion: Recursion, lengths: Ints, d_log_z: Floats) -> ChainGradient:
        """Run back over a recursion, with a derivative (n,) of each log Z: with ones, emissions get the marginals."""
        T, K, n_columns = len(recursion.alphas), len(self.first), len(lengths)
        d_emissions, d_pairs = np.zeros((T, K, n_columns)), np.zeros((K, K))
        d_last, transfer, maxima = np.zeros(K), *self._transfer()
        for t in reversed(range(T)):
            alpha = recursion.alphas[t]
            n = alpha.shape[1]
            d_alpha = d_emissions[t, :, :n]  # what came back from the step after it is there already
            ends = lengths[:n] == t + 1
            last = np.exp(alpha[:, ends] + self.last[:, None] - recursion.log_z[:n][ends]) * d_log_z[:n][ends]
            d_alpha[:, ends] = last
            d_last += last.sum(axis=1)
            if t:
                before = recursion.alphas[t - 1][:, :n]
                d_before = d_emissions[t - 1, :, :n]
                d_pairs += self._step_back(before, recursion.log_sums[t - 1], d_alpha, d_before, transfer, maxima)
        return ChainGradient(d_emissions, d_pairs, d_emissions[0].sum(axis=1), d_last)

    def best(self, emissions: Floats, lengths: Ints) -> Ints:
        """Find the likeliest labels (T, n) of columns, by Viterbi's algorithm; the first of equally likely ones."""
        scores = emissions[0] + self.first[:, None]
        before: list[Ints] = []  # the best label before each one
        labels = np.zeros((len(emissions), len(lengths)), np.intp)
        for t, n in enumerate(_widths(lengths)):
            if t:
                of_pairs = scores[:, None, :n] + self.pairs[:, :, None]  # (K, K, n)
                before.append(of_pairs.argmax(axis=0))
                scores = emissions[t, :, :n] + of_pairs.max(axis=0)
            ends = np.flatnonzero(lengths == t + 1)
            labels[t, ends] = (scores[:, ends] + self.last[:, None]).argmax(axis=0)
        for t in reversed(range(1, len(emissions))):
            continues = np.arange(before[t - 1].shape[1])
            labels[t - 1, continues] = before[t - 1][labels[t, continues], continues]
        return labels

    def _transfer(self) -> tuple[Floats, Floats]:
        """Give the factor of each pair, at most 1, and the score (K,) that each column was divided by."""
        maxima = self.pairs.max(axis=0)
        return np.exp(self.pairs - maxima), maxima

    def _log_sums(self, alpha: Floats, transfer: Floats, maxima: Floats) -> Floats:
        """The sums of (2), (K, n), from alpha (K, n): a product of matrices, where none of them is lost in it."""
        top = alpha.max(axis=0)
        sums = transfer.T @ np.exp(alpha - top)
        if sums.min() < _TINY:
            return _log_sum_exp(alpha[:, None] + self.pairs[:, :, None])
        log_sums: Floats = np.log(sums) + top + maxima[:, None]
        return log_sums

    def _step_back(
        self, alpha: Floats, log_sums: Floats, d: Floats, d_alpha: Floats, transfer: Floats, maxima: Floats
    ) -> Floats:
        """Overwrite d_alpha (K, n), from the gradient `d` of log_sums (K, n); give that of the pairs (K, K)."""
        top = alpha.max(axis=0)
        a, s = np.exp(alpha - top), np.exp(log_sums - top - maxima[:, None])
        if s.min() < _TINY:
            of_pairs = np.exp(alpha[:, None] + self.pairs[:, :, None] - log_sums) * d  # (K, K, n)
            d_alpha[...] = of_pairs.sum(axis=1)
            d_pairs: Floats = of_pairs.sum(axis=2)
            return d_pairs
        ratio = d / s
        np.multiply(a, transfer @ ratio, out=d_alpha)
        d_pairs = transfer * (a @ ratio.T)
        return d_pairs


@dataclass(frozen=True)
class LinearChain(Loss):
    """Minus the log-probability (1) of the labels of a sequence, nats; what is predicted is emissions.

    A target of K or more is unknown: the probability is that of the known ones. The parameters of its own are W, the
    scores of pairs (K, K), and those of the first and the last label, ``W_t``, ``b_first`` and ``b_last``.
    """

    couples_steps = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"W_t": (self.n_raw, self.n_raw), "b_first": (self.n_raw,), "b_last": (self.n_raw,)}

    def prepare(self, targets: Values, weights: Floats) -> tuple[Values, Floats]:
        return targets.astype(np.intp)[:, None], weights

    def loss_gradient(
        self,
        raw: Floats,
        targets: Values,
        weights: Floats,
        parameters: Weights = NO_WEIGHTS,
        gradients: Weights = NO_WEIGHTS,
    ) -> float:
        lengths = np.count_nonzero(weights, axis=0)
        emissions, labels = raw.astype(np.float64), targets[:, :, 0]
        loss, gradient = chain_loss_gradient(Chain.of(parameters), emissions, labels, lengths, weights[0])
        raw[...] = gradient.emissions
        gradients["W_t"] += gradient.pairs.astype(raw.dtype)
        gradients["b_first"] += gradient.first.astype(raw.dtype)
        gradients["b_last"] += gradient.last.astype(raw.dtype)
        return loss

    def inverse_link(self, raw: Floats) -> Floats:
        return raw

    def initial_bias(self, targets: Values, weights: Floats) -> Floats:
        return np.zeros(self.n_raw)

    def best_labels(self, emissions: Floats, lengths: Ints, parameters: Weights) -> Ints:
        """Find the likeliest labels (N,) of sequences, from the emissions (N, K) of their steps, one after another."""
        labels, chain = np.empty(len(emissions), np.intp), Chain.of(parameters)
        for _, rows, is_step, n_steps in self._batches(lengths):
            labels[rows[is_step]] = chain.best(_columns(emissions, rows), n_steps)[is_step]
        return labels

    def marginals(self, emissions: Floats, lengths: Ints, parameters: Weights) -> Floats:
        """Compute the probability (N, K) of each label at each step, given the whole sequence."""
        proba, chain = np.empty_like(emissions), Chain.of(parameters)
        for _, rows, is_step, n_steps in self._batches(lengths):
            recursion = chain.forward(_columns(emissions, rows), n_steps)
            found = chain.backward(recursion, n_steps, np.ones(len(n_steps))).emissions
            proba[rows[is_step]] = found.transpose(0, 2, 1)[is_step]
        return proba

    def log_odds(
        self, emissions: Floats, labels: Ints, steps: Ints, lengths: Ints, parameters: Weights
    ) -> tuple[Floats, Floats]:
        """Compute the log-odds (n,) of a label (n,) at a step (n,) of each sequence, and their gradient (N, K).

        Of two chains one is held at the label, the other at all others: their log Z differ by the log-odds, so nothing
        is lost where a probability rounds to 0 or 1.
        """
        found, d_emissions, chain = np.empty(len(lengths)), np.zeros_like(emissions), Chain.of(parameters)
        for indices, rows, is_step, n_steps in self._batches(lengths):
            both, columns = np.repeat(_columns(emissions, rows), 2, axis=2), np.arange(len(indices))
            at = both[steps[indices], :, 2 * columns]  # (n, K), a copy, as the next one
            at_others = at.copy()
            at_others[columns, labels[indices]] = -np.inf
            at[np.arange(self.n_raw) != labels[indices, None]] = -np.inf
            both[steps[indices], :, 2 * columns], both[steps[indices], :, 2 * columns + 1] = at, at_others
            recursion, signs = chain.forward(both, np.repeat(n_steps, 2)), np.tile([1.0, -1.0], len(indices))
            found[indices] = recursion.log_z[::2] - recursion.log_z[1::2]
            d_both = chain.backward(recursion, np.repeat(n_steps, 2), signs).emissions
            d_emissions[rows[is_step]] = (d_both[:, :, ::2] + d_both[:, :, 1::2]).transpose(0, 2, 1)[is_step]
        return found, d_emissions

    def log_likelihood(self, emissions: Floats, labels: Ints, lengths: Ints, parameters: Weights) -> Floats:
        """Compute the log-probability (n,) of the labels (N,) of each sequence, nats."""
        found, chain = np.empty(len(lengths)), Chain.of(parameters)
        for indices, rows, _, n_steps in self._batches(lengths):
            log_z = chain.forward(_free_and_held(_columns(emissions, rows), labels[rows]), np.repeat(n_steps, 2)).log_z
            found[indices] = log_z[1::2] - log_z[::2]
        return found

    def _batches(self, lengths: Ints) -> Iterator[tuple[Ints, Ints, Bools, Ints]]:
        """Cut sequences into batches: which (n,), rows of their steps (T, n), which are steps, and lengths (n,)."""
        offsets, order = np.cumsum(lengths) - lengths, np.argsort(-lengths, kind="stable")
        while len(order):
            n = max(1, _BATCH_SIZE // int(lengths[order[0]] * self.n_raw))
            indices, steps = order[:n], np.arange(lengths[order[0]])[:, None]
            n_steps = lengths[indices]
            yield indices, offsets[indices] + np.minimum(steps, n_steps - 1), steps < n_steps, n_steps
            order = order[n:]


def chain_loss_gradient(
    chain: Chain, emissions: Floats, labels: Ints, lengths: Ints, weights: Floats
) -> tuple[float, ChainGradient]:
    """Weighted sum (nats) of minus the log-probabilities (1) of labels (T, n), and its gradient.

    A label of K or more is unknown: the probability is that of the known ones. Weights are (n,), one a column.
    """
    both = _free_and_held(emissions, labels)
    lengths, signed = np.repeat(lengths, 2), np.repeat(weights, 2).astype(np.float64)
    signed[1::2] *= -1
    recursion = chain.forward(both, lengths)
    d_both = chain.backward(recursion, lengths, signed)
    d_emissions = d_both.emissions[:, :, ::2] + d_both.emissions[:, :, 1::2]
    return float(signed @ recursion.log_z), d_both._replace(emissions=d_emissions)


def _free_and_held(emissions: Floats, labels: Ints) -> Floats:
    """Repeat each column of emissions (T, K, n): as it is, and with no label but the known one possible (T, K, 2n)."""
    K, both = emissions.shape[1], np.repeat(emissions, 2, axis=2)
    is_other = (labels[:, None] != np.arange(K)[:, None]) & (labels[:, None] < K)
    both[:, :, 1::2][is_other] = -np.inf
    return both


def _columns(emissions: Floats, rows: Ints) -> Floats:
    """Gather emissions (N, K) of the steps of columns, rows (T, n), as (T, K, n) in float64."""
    columns: Floats = emissions[rows].transpose(0, 2, 1).astype(np.float64)
    return columns


def _widths(lengths: Ints) -> Ints:
    """Number of columns (T,) of each step, from lengths (n,), the longest first."""
    widths: Ints = np.count_nonzero(lengths > np.arange(lengths[0])[:, None], axis=1)
    return widths


def _log_sum_exp(scores: Floats) -> Floats:
    """Logarithm of the sum of exponentials over the first axis; finite where one of them is."""
    top = scores.max(axis=0)
    sums: Floats = np.log(np.exp(scores - top).sum(axis=0)) + top
    return sums
