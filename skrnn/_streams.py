"""Sequences that arrive token by token: the state is carried from call to call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ._files import fitted_from_values, fitted_to_values, reading_values, with_format
from ._fitted import Fitted
from ._parallel.blas import guarded
from ._token_sequences import TokenReading
from ._validation.arrays import reject_masked
from ._validation.values import as_list, is_no_list, is_unordered, read_size, shown, shown_all
from ._vocabulary import END, is_single
from .core.model.network import Network
from .core.model.state import State
from .core.workspace import Workspace


class TokenStream:
    """Sequences in the middle, made by :meth:`skrnn.RNNNextTokenModel.start`.

    A token costs the same however many came before. What a stream gives equals what the model gives for the whole
    sequence. It holds the model's parameters, not the model, and can be pickled at any time.

    Attributes
    ----------
    n_streams : int
        Number of sequences.
    proba : ndarray of shape (n_streams, n_columns)
        Distribution of the next token of every stream, as `RNNNextTokenModel.predict_proba` gives it.

    Examples
    --------
    >>> from skrnn import RNNNextTokenModel
    >>> model = RNNNextTokenModel(hidden_size=8, random_state=0).fit([["login", "read", "logout"]] * 5)
    >>> stream = model.start()
    >>> proba, surprise = stream.update("login")
    >>> proba.shape, surprise.shape
    ((1, 5), (1,))
    """

    def __init__(self, fitted: Fitted[TokenReading], handle_unknown: str, n_streams: int) -> None:
        n_streams = read_size(n_streams, "n_streams")
        self._pack(fitted, handle_unknown)
        dtype = fitted.params.dtype
        self._state = fitted.network.start(n_streams, dtype)
        self._log_proba = np.empty((n_streams, len(self._vocabulary.column_tokens)), dtype)
        self.reset()

    def _pack(self, fitted: Fitted[TokenReading], handle_unknown: str) -> None:
        """Make what every step needs of a fitted model."""
        self._fitted, self._handle_unknown = replace(fitted, training=None), handle_unknown
        self._vocabulary = fitted.reading.vocabulary
        self._rejects_unknown = handle_unknown == "error" and not self._vocabulary.learns_unknown
        self._scores, self._workspace = fitted.reading.scores(fitted.network), Workspace(fitted.params.dtype)
        self._packed = self._scores.pack(fitted.params, self._workspace)

    def __getstate__(self) -> dict[str, Any]:
        return with_format(
            {
                "fitted": fitted_to_values(self._fitted),
                "handle_unknown": self._handle_unknown,
                "layers": [list(layer) for layer in self._state.layers],
                "log_proba": self._log_proba,
            }
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        with reading_values(state, type(self).__name__):
            fitted = fitted_from_values(state["fitted"], TokenReading, BaseEstimator(), Network.build_for_tokens)
            self._pack(fitted, state["handle_unknown"])
            layers = (tuple(map(np.array, layer)) for layer in state["layers"])  # copies: written in place
            self._state, self._log_proba = State(tuple(layers)), np.array(state["log_proba"])

    @property
    def n_streams(self) -> int:
        """Number of sequences."""
        return len(self._log_proba)

    @property
    def proba(self) -> np.ndarray:
        """Distribution of the next token of every stream, (n_streams, n_columns), as `predict_proba` gives it."""
        return np.exp(self._log_proba)

    def reset(self, index: Any = None) -> TokenStream:
        """Begin some streams, or all, anew.

        Parameters
        ----------
        index : int or array-like of int, default=None
            Which; all by default.

        Returns
        -------
        self : TokenStream
            At the beginning there.
        """
        index = self._indices(index)
        if len(index):
            self._state.put(index, self._fitted.network.start(len(index), self._log_proba.dtype))
            self._advance(np.full(len(index), self._vocabulary.begin), index)
        return self

    def update(self, tokens: Any, index: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Read the next token of some streams, or of all.

        Parameters
        ----------
        tokens : sequence of tokens, or one token for a single stream
            What came. END may be among them, if it is modelled; its stream then begins anew.
        index : int or array-like of int, default=None
            Of which streams, in this order; of all by default.

        Returns
        -------
        proba : ndarray of shape (n, n_columns)
            Distribution of what comes next in each of these streams.
        surprise : ndarray of shape (n,)
            Minus the log-probability that the model gave to what came, nats. Up to END they sum to minus
            `RNNNextTokenModel.score_samples`.

        Raises
        ------
        ValueError
            If there are not as many tokens as streams, a stream is named twice or does not exist, or a token is unknown
            and `handle_unknown` is "error".
        """
        index = self._indices(index)
        codes = self._codes(tokens, len(index))
        surprise = -self._log_proba[index, codes]
        is_end = codes == self._vocabulary.end if self._vocabulary.has_end else np.zeros(len(codes), dtype=bool)
        if not is_end.all():
            self._advance(codes[~is_end], index[~is_end])
        if is_end.any():
            self.reset(index[is_end])
        return np.exp(self._log_proba[index]), surprise

    def _advance(self, codes: np.ndarray, index: np.ndarray) -> None:
        log_proba, state = guarded(self._scores.advance, self._packed, codes, self._state.take(index), self._workspace)
        self._log_proba[index] = log_proba
        self._state.put(index, state)

    def _indices(self, index: Any) -> np.ndarray:
        if index is None:
            return np.arange(self.n_streams)
        reject_masked(index, "index", "Pass those of the streams that are meant.")
        try:
            array = np.atleast_1d(np.asarray(index))
        except (TypeError, ValueError, RuntimeError):  # ragged lists
            array = np.array([index], dtype=object)
        if not array.size:
            return np.empty(0, dtype=np.intp)
        is_valid = array.ndim == 1 and array.dtype.kind in "iu" and len(np.unique(array)) == len(array)
        if is_valid and all((array >= 0) & (array < self.n_streams)):
            return array
        raise ValueError(
            f"index is {shown_all(array.tolist())}: pass distinct integers from 0 to {self.n_streams - 1}."
        )

    def _codes(self, tokens: Any, n: int) -> np.ndarray:
        """Return the numbers (n,) of one token for each stream; a single token may stand for itself."""
        if is_single(tokens):
            tokens = [tokens]
        elif is_unordered(tokens) or is_no_list(tokens):
            raise TypeError(f"tokens is {shown(tokens)}. Pass a list of one token for each stream.")
        else:
            tokens = as_list(tokens)
        if len(tokens) != n:
            raise ValueError(f"tokens has {len(tokens)} entries for {n} streams. Pass one token for each.")
        codes = np.empty(n, dtype=np.intp)
        for i, token in enumerate(tokens):
            code = self._vocabulary.find(token, f"tokens[{i}]")
            if token is END and code is None:
                raise ValueError("END came, but the model was fitted without it (add_end_token).")
            if code is None and self._rejects_unknown:
                raise ValueError(f"tokens[{i}] is {shown(token)}, which is not in the vocabulary.")
            codes[i] = self._vocabulary.unknown if code is None else code
        return codes
