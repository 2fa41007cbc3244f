"""Sequences that arrive step by step: each has a key, and its state is carried from call to call."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from ._base import BaseRecurrent
from ._files import reading_values, with_format
from ._fitted import Fitted
from ._known_tokens import find_tokens
from ._parallel.blas import guarded
from ._validation.values import is_no_list, read_size, shown, shown_all
from ._vocabulary import END, is_single
from .core.model.state import State
from .core.workspace import Workspace


class SequenceStream:
    """Sequences that have not ended, by key: what `start` of a classifier, regressor or tagger returns.

    A step costs the same however many came before, and what is predicted after it is what the model predicts for all
    steps so far. It holds the model's parameters, not the model, and can be pickled at any time. Not for use by two
    threads at once.

    Attributes
    ----------
    max_streams : int or None
        How many sequences can be open at a time.

    See Also
    --------
    TokenStream : Of a token model.

    Examples
    --------
    >>> from skrnn import RNNSequenceClassifier
    >>> model = RNNSequenceClassifier(4, learning_rate="cosine", learning_rate_init=0.05, random_state=0)
    >>> stream = model.fit([[0.0, 1.0], [1.0, 0.0]] * 10, [0, 1] * 10).start()
    >>> proba = stream.update({"a": 0.1, "b": 0.9})
    >>> proba = stream.update({"a": 0.9, "b": 0.1})
    >>> int(proba["a"].argmax()), int(proba["b"].argmax())
    (0, 1)
    >>> stream.close(["a"])
    >>> len(stream), "a" in stream, stream.keys()
    (1, False, ['b'])
    """

    def __init__(self, model: BaseRecurrent[Any], fitted: Fitted[Any], max_streams: int | None) -> None:
        self.max_streams = None if max_streams is None else read_size(max_streams, "max_streams")
        copied, fitted = copy(model), replace(fitted, training=None)
        copied._take(fitted)
        self._prepare(copied, fitted)
        self._states = _KeyedStates(self._initial_state())

    def _prepare(self, model: BaseRecurrent[Any], fitted: Fitted[Any]) -> None:
        """Make what every step needs of a fitted model, which is never changed."""
        self._model, self._fitted = model, fitted
        self._network, self._workspace = self._fitted.network, Workspace(self._fitted.params.dtype)
        self._packed = self._network.pack(self._fitted.params, self._workspace)

    def __getstate__(self) -> dict[str, Any]:
        state = self._states.take(self._states.find(self.keys()))
        return with_format(
            {
                "model": self._model,
                "max_streams": self.max_streams,
                "keys": self.keys(),
                "layers": [list(layer) for layer in state.layers],
                "carried": list(state.carried),
            }
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        with reading_values(state, type(self).__name__):
            self.max_streams = state["max_streams"]
            self._prepare(state["model"], state["model"]._check_fitted())
            self._states = _KeyedStates(self._initial_state())
            keys, layers = state["keys"], tuple(map(tuple, state["layers"]))
            self._states.put(keys, self._states.find(keys), State(layers, tuple(state["carried"])))

    def __len__(self) -> int:
        return len(self._states.slots)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._states.slots

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self.keys())

    def keys(self) -> list[Any]:
        """Return the keys of the open sequences.

        Returns
        -------
        keys : list
            In the order in which they were opened.
        """
        return list(self._states.slots)

    def update(self, steps: Mapping[Any, Any]) -> dict[Any, Any]:
        """Read the next step of some sequences; a key that is not open opens one.

        Parameters
        ----------
        steps : dict of key to step
            A step is what a sequence of X has of them: an array of shape (n_features,), a number where there is one
            feature, or a token. Where features have names, it may be a dict of these, too.

        Returns
        -------
        predicted : dict of key to ndarray or number
            What is predicted from all steps of each of these sequences so far: the probabilities (n_classes,) of a
            classifier, and of a tagger for this step, or the number, or numbers (n_outputs,), of a regressor.

        Raises
        ------
        TypeError, ValueError
            If `steps` is no dict, a step is not one that the model reads, or more than `max_streams` sequences would be
            open. Nothing has changed then.
        """
        if not isinstance(steps, Mapping):
            raise TypeError(f"steps is {shown(steps)}. Pass a dict of the next step by the key of its sequence.")
        keys = list(steps)
        if not keys:
            return {}
        slots = self._states.find(keys)
        self._check_room(slots)
        rows = self._read_steps([steps[key] for key in keys], lambda i: f"steps[{shown(keys[i])}]")
        told, after = guarded(self._advance, rows, self._states.take(slots))
        result = dict(zip(keys, told, strict=True))
        self._states.put(keys, slots, after)
        return result

    def close(self, keys: Any) -> None:
        """Forget some sequences.

        Parameters
        ----------
        keys : list
            Their keys.

        Raises
        ------
        TypeError
            If `keys` is a single key, or no list.
        ValueError
            If one of them is not open. Nothing has changed then.
        """
        self._states.drop(self._open(keys))

    def _check_room(self, slots: np.ndarray) -> None:
        """Raise where there is no room for the sequences that are not open."""
        n = len(self) + len(slots) - np.count_nonzero(slots)
        if self.max_streams is not None and n > self.max_streams:
            raise ValueError(
                f"steps would open {n} sequences, but max_streams is {self.max_streams}. Close some that have ended, "
                "or start with more."
            )

    def _open(self, keys: Any) -> list[Any]:
        """Return keys as a list; raises where one is not open."""
        if is_single(keys) or is_no_list(keys) or isinstance(keys, Mapping):
            raise TypeError(f"keys is {shown(keys)}. Pass a list of the keys that are meant.")
        keys = list(keys)
        missing = [key for key in keys if not (isinstance(key, Hashable) and key in self._states.slots)]
        if missing:
            raise ValueError(f"keys holds {shown_all(missing)}, of which no sequence is open. Pass keys that are open.")
        return keys

    # What differs between a token model and the others

    def _initial_state(self) -> State:
        """Make the state of one sequence before its first step."""
        return self._network.start(1, self._fitted.params.dtype)

    def _read_steps(self, steps: list[Any], where: Callable[[int], str]) -> np.ndarray:
        """Return what the network reads of n steps."""
        return self._fitted.reading.read_steps(steps, where)

    def _advance(self, rows: np.ndarray, before: State) -> tuple[np.ndarray, State]:
        """Read one step of n sequences: what is told of each (n, ...), and their state then."""
        predicted, after = self._network.step(self._packed, rows, before, self._workspace)
        return self._model._told_of_steps(self._fitted, predicted), after


class TokenStream(SequenceStream):
    """Sequences of tokens that have not ended, by key: what :meth:`skrnn.RNNNextTokenModel.start` returns.

    A token costs the same however many came before, and what is said of it is what the model says of the whole
    sequence. It holds the model's parameters, not the model, and can be pickled at any time. Not for use by two threads
    at once.

    Attributes
    ----------
    max_streams : int or None
        How many sequences can be open at a time.

    See Also
    --------
    SequenceStream : Of the other models.

    Examples
    --------
    >>> from skrnn import END, RNNNextTokenModel
    >>> model = RNNNextTokenModel(hidden_size=8, max_iter=50, random_state=0).fit([["login", "read", "logout"]] * 5)
    >>> stream = model.start()
    >>> surprise = stream.update({"session-7": "login", "session-8": "logout"})
    >>> bool(surprise["session-7"] < surprise["session-8"])
    True
    >>> stream.predict_proba()["session-7"].shape
    (5,)
    >>> surprise = stream.update({"session-8": END})
    >>> stream.keys()
    ['session-7']
    """

    def update(self, steps: Mapping[Any, Any]) -> dict[Any, Any]:
        """Read the next token of some sequences; a key that is not open opens one.

        Parameters
        ----------
        steps : dict of key to token
            What came. END, if it is modelled, closes its sequence.

        Returns
        -------
        surprise : dict of key to number
            Minus the log-probability that the model gave to what came, nats. Up to END they sum to minus
            `RNNNextTokenModel.score_samples`.

        Raises
        ------
        TypeError, ValueError
            If `steps` is no dict, a step is no token, is END where that is not modelled, or is unknown and
            `handle_unknown` is "error", or if more than `max_streams` sequences would be open. Nothing has changed
            then.
        """
        surprise = super().update(steps)
        ended = [key for key in surprise if steps[key] is END]
        if ended:
            self.close(ended)
        return surprise

    def predict_proba(self, keys: Any = None) -> dict[Any, np.ndarray]:
        """Predict the distribution of the next token.

        Parameters
        ----------
        keys : list, default=None
            Of which sequences; of all that are open by default.

        Returns
        -------
        proba : dict of key to ndarray of shape (n_columns,)
            As `RNNNextTokenModel.predict_proba` gives it for all tokens so far, in the order of ``column_tokens_``.

        Raises
        ------
        TypeError
            If `keys` is a single key, or no list.
        ValueError
            If one of them is not open.
        """
        keys = self.keys() if keys is None else self._open(keys)
        if not keys:
            return {}
        return dict(
            zip(keys, np.exp(guarded(self._log_proba, self._states.take(self._states.find(keys)))), strict=True)
        )

    def _prepare(self, model: BaseRecurrent[Any], fitted: Fitted[Any]) -> None:
        super()._prepare(model, fitted)
        self._vocabulary, self._scores = fitted.reading.vocabulary, fitted.reading.scores(self._network)

    def _initial_state(self) -> State:
        begin = np.array([self._vocabulary.begin])
        _, state = guarded(self._network.advance, self._packed, begin, super()._initial_state(), self._workspace)
        return state

    def _read_steps(self, steps: list[Any], where: Callable[[int], str]) -> np.ndarray:
        return find_tokens(self._vocabulary, steps, self._model.handle_unknown, where)

    def _advance(self, rows: np.ndarray, before: State) -> tuple[np.ndarray, State]:
        surprise = -self._log_proba(before)[np.arange(len(rows)), rows]
        _, after = self._network.advance(self._packed, rows, before, self._workspace)  # of END, too: it is closed next
        return surprise, after

    def _log_proba(self, state: State) -> np.ndarray:
        """Log-probabilities (n, n_columns) of the token that comes after a state."""
        return self._scores.log_proba_of_columns(self._packed.weights["head"], state.layers[-1][0])


class _KeyedStates:
    """States of sequences by key: a column each of arrays that grow. The first column is the initial state."""

    def __init__(self, initial: State) -> None:
        self.slots: dict[Any, int] = {}
        self._state = initial
        self._free: list[int] = []

    def find(self, keys: list[Any]) -> np.ndarray:
        """Return the columns (n,) of some sequences, 0 for those that are not open."""
        return np.array([self.slots.get(key, 0) for key in keys], dtype=np.intp)

    def take(self, slots: np.ndarray) -> State:
        """Copy some columns."""
        return self._state.take(slots)

    def put(self, keys: list[Any], slots: np.ndarray, state: State) -> None:
        """Overwrite the states of some sequences, of which `find` gave the columns, and open those that are not."""
        if len(state) != len(keys):
            raise ValueError(f"{len(state)} states for {len(keys)} keys")
        if slots.all():
            self._state.put(slots, state)
            return
        new = np.flatnonzero(slots == 0)
        if len(new) > len(self._free):
            self._grow(len(new) - len(self._free))
        slots[new] = self._free[-len(new) :]
        self._state.put(slots, state)
        del self._free[-len(new) :]
        self.slots.update((keys[i], int(slots[i])) for i in new)

    def _grow(self, n_more: int) -> None:
        """Make room for so many more sequences, and at least twice as many as before."""
        n = len(self._state)
        n_more = max(n_more, n)
        self._state = self._state.take(np.append(np.arange(n), np.zeros(n_more, np.intp)))
        self._free.extend(range(n, n + n_more))

    def drop(self, keys: list[Any]) -> None:
        """Close sequences."""
        for key in dict.fromkeys(keys):
            self._free.append(self.slots.pop(key))
