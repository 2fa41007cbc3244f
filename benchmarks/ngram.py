"""What counting can do: interpolated n-grams, to stand beside the recurrent models.

The next token's probability after a history h of n - 1 tokens mixes what was counted after h with the estimate for the
history that is one shorter, down to the uniform distribution (Witten and Bell 1991, as in Chen and Goodman 1999,
section 2.4):

    P(w | h) = (c(h, w) + T(h) P(w | h')) / (c(h) + T(h)),    T(h) = number of distinct tokens seen after h

Measured, for a check of the reference figures: mean nats per character of first names, the end included.

    python benchmarks/ngram.py DIR      (a folder with names/eurekalabs_{train,val,test}.txt)
"""

import sys
from pathlib import Path

import numpy as np


class NGram:
    """Interpolated Witten-Bell n-gram over the tokens of sequences and, unless told otherwise, their end.

    A token that training never showed is the one more that the uniform distribution knows, where `knows_unknown`.
    ``NGram(2)`` is a Markov chain.
    """

    def __init__(self, order, has_end=True, knows_unknown=False):
        self.order, self.has_end, self.knows_unknown = order, has_end, knows_unknown

    def fit(self, X):
        self.tokens = np.unique(_flat(X))
        self.n_outputs = len(self.tokens) + self.has_end + self.knows_unknown
        histories, targets = self._positions(X)
        self._counts = []  # for each length of history: (history, token) -> c(h, w), history -> c(h), T(h)
        for history in histories:
            pairs, counts = np.unique(history * self._base + targets, return_counts=True)
            seen, first, n_distinct = np.unique(pairs // self._base, return_index=True, return_counts=True)
            self._counts.append((pairs, counts, seen, np.add.reduceat(counts, first), n_distinct))
        return self

    def log_proba(self, X):
        """Log-probability of every token of every sequence, one behind the other: (number of positions,)."""
        histories, targets = self._positions(X)
        return np.log(self._proba_of(histories, targets))

    def predict(self, X):
        """Number of the likeliest token at every position; the end's is ``len(tokens)``."""
        histories, targets = self._positions(X)
        return np.argmax([self._proba_of(histories, np.full_like(targets, w)) for w in range(self.n_outputs)], axis=0)

    def targets(self, X):
        """Number of the token at every position."""
        return self._positions(X)[1]

    def _proba_of(self, histories, targets):
        proba = np.full(len(targets), 1 / self.n_outputs)
        for history, (pairs, counts, seen, totals, n_distinct) in zip(histories, self._counts, strict=True):
            c = _look_up(pairs, counts, history * self._base + targets)
            total, distinct = _look_up(seen, totals, history), _look_up(seen, n_distinct, history)
            with np.errstate(invalid="ignore"):
                proba = np.where(total > 0, (c + distinct * proba) / (total + distinct), proba)
        return proba

    @property
    def _base(self):
        return len(self.tokens) + 3  # the end, an unknown token, and what stands before the beginning

    def _positions(self, X):
        """Histories of 0 to order - 1 tokens, each as one integer, and the token that comes, of every position."""
        begin = end = len(self.tokens)
        codes, is_target = [], []
        for x in X:
            tokens = _as_array(x)
            found = np.searchsorted(self.tokens, tokens).clip(max=end - 1)
            found = np.where(self.tokens[found] == tokens, found, end + 1)
            before = np.full(self.order - 1, begin + 2)
            codes.append(np.concatenate([before, found, [end] * self.has_end]).astype(np.int64))
            is_target.append(np.arange(len(codes[-1])) >= self.order - 1)
        codes, where = np.concatenate(codes), np.flatnonzero(np.concatenate(is_target))
        histories = [np.zeros(len(where), dtype=np.int64)]
        for k in range(1, self.order):
            histories.append(histories[-1] + codes[where - k] * self._base ** (k - 1))
        return histories, codes[where]


def _look_up(keys, values, wanted):
    """Values of sorted keys, 0 for those that are not among them."""
    places = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0)


def _as_array(x):
    return np.frombuffer(x.encode("utf-32-le"), dtype="<U1") if isinstance(x, str) else np.asarray(x)


def _flat(X):
    return np.concatenate([_as_array(x) for x in X])


def main():
    folder = Path(sys.argv[1]) / "names"
    train, val, test = ((folder / f"eurekalabs_{part}.txt").read_text().split() for part in ("train", "val", "test"))
    for order in range(2, 7):
        model = NGram(order).fit(train)
        print(f"{order}-gram: val {-model.log_proba(val).mean():.3f}, test {-model.log_proba(test).mean():.3f}")


if __name__ == "__main__":
    main()
