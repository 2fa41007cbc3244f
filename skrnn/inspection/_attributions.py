"""Attributions: how much each step and feature contributed to a prediction."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._parallel.blas import guarded
from .._validation.values import is_integer, shown
from .._warnings import warn_caller
from ._explained import Explained, Question, ask

_MAX_FACTOR = 16
"""Up to how many times `n_steps` points are taken where integrated gradients are not complete."""


def attribute(
    model: Any,
    X: Any,
    *,
    method: str = "integrated_gradients",
    target: Any = None,
    step: Any = None,
    baseline: Any = None,
    n_steps: int = 32,
    tol: float = 0.01,
) -> list[np.ndarray]:
    r"""How much each step, and each of its features, contributed to a prediction.

    Three ways to share out a prediction f over the numbers x that it was made from, against a baseline x' that stands
    for the absence of information:

    .. math::
        (x_i - x'_i) \int_0^1 \frac{\partial f(x' + a (x - x'))}{\partial x_i} \, da, \qquad
        (x_i - x'_i) \, \frac{\partial f(x)}{\partial x_i}, \qquad
        f(x) - f(x \text{ with } x'_i \text{ for } x_i)

    What is explained, f, is

    - of a classifier the log-odds of a class, :math:`\log p - \log (1 - p)`: with two classes the decision value of
      the one that is asked about. Unlike a probability it has no bounds, so contributions add up where the model is
      sure; unlike a single raw score it counts what speaks for the class against the others.
    - of a tagger the log-odds of a label at a step; in a chain those of the marginal probability;
    - of a regressor a predicted number, in the units of y; of "gaussian" the mean;
    - of a token model the log-probability of a token, given those before it.

    Parameters
    ----------
    model : estimator
        A fitted estimator of skrnn, or a pipeline or a fitted search that ends in one. What the steps before the last
        one of a pipeline make of X is what is explained: after a `SequenceScaler` attributions are still those of the
        features, one for one.
    X : list of sequences, or array
        As for `predict`.
    method : {"integrated_gradients", "gradient_x_input", "occlusion"}, default="integrated_gradients"
        The formulas above, in this order. Integrated gradients are complete: they add up to f(x) - f(x'). The gradient
        alone is the quickest. Occlusion takes one prediction for each step and feature, and looks at no gradient;
        tokens and categories are taken away as a whole.
    target : class, int, token, or array-like of shape (n_sequences,), default=None
        Which class, number or token; one for all sequences, or one for each. By default the predicted class (of several
        labels the likeliest), the only number, or the token that is there.
    step : int or array-like of shape (n_sequences,), default=None
        Whose prediction is explained, where there is one for each step, negative from the end; by default the last
        one's. Of a token model the place of the token: by default the last one's, or, with a `target`, that behind the
        end of X.
    baseline : float, array-like of shape (n_features,), token, or sequences like X, default=None
        What stands for the absence of information. By default zero, which is a feature's mean after a `SequenceScaler`;
        of tokens and categories the zero vector, which is that of a token that training never showed. In a pipeline it
        is given as the last step sees it.
    n_steps : int, default=32
        Points at which the integral of integrated gradients is first taken.
    tol : float, default=0.01
        By how much integrated gradients may miss f(x) - f(x'), as a share of the sum of their absolute values. Where
        they do, the number of points is doubled, up to 16 times `n_steps`.

    Returns
    -------
    attributions : list of ndarray of shape (n_steps_i, n_features), or (n_steps_i,) of tokens
        float64, in the units of f: positive where a step speaks for the target. Those of a token, or a category, are
        the sum over its vector. Steps that the prediction does not depend on have 0.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    TypeError
        If it is no estimator of skrnn, or an argument has another type.
    ValueError
        If a target, a step or a baseline does not fit the model or X, or a parameter is out of range.

    Warns
    -----
    ConvergenceWarning
        If integrated gradients are not complete within `tol` with the largest number of points, as may happen with
        relu.

    Notes
    -----
    The integral is taken by Gauss-Legendre quadrature, in float64 whatever the model's dtype. Gradients go back over
    all steps, also where training had ``bptt_steps``, and memory grows with the length of the longest sequence.

    References
    ----------
    Sundararajan, Taly and Yan, *Axiomatic attribution for deep networks* (2017), equation 1. Shrikumar, Greenside and
    Kundaje, *Learning important features through propagating activation differences* (2017), section 2: the gradient
    times the input. Zeiler and Fergus, *Visualizing and understanding convolutional networks* (2014), section 4.2:
    occlusion.

    Examples
    --------
    Only the third step tells whether a sequence is one of "high":

    >>> import numpy as np
    >>> from skrnn import RNNSequenceClassifier
    >>> from skrnn.inspection import attribute
    >>> X = np.random.default_rng(0).standard_normal((100, 5))
    >>> y = np.where(X[:, 2] > 0, "high", "low")
    >>> model = RNNSequenceClassifier(16, learning_rate_init=0.02, random_state=0).fit(X, y)
    >>> attributions = attribute(model, X, target="high")
    >>> attributions[0].shape
    (5, 1)
    >>> int(np.abs(attributions).mean(axis=0).argmax())
    2
    """
    attributions, _ = attribute_with_names(
        model, X, method=method, target=target, step=step, baseline=baseline, n_steps=n_steps, tol=tol
    )
    return attributions


def attribute_with_names(
    model: Any,
    X: Any,
    *,
    method: str,
    target: Any,
    step: Any,
    baseline: Any,
    n_steps: Any = 32,
    tol: Any = 0.01,
) -> tuple[list[np.ndarray], list[str]]:
    """Return what `attribute` does, and what is explained of each sequence, in words."""
    methods: dict[str, Callable[[Explained, Question], np.ndarray]] = {
        "integrated_gradients": partial(_integrated_gradients, n_steps=n_steps, tol=tol),
        "gradient_x_input": _gradient_x_input,
        "occlusion": _occlusion,
    }
    if method not in methods:
        raise ValueError(f"method is {shown(method)}, but it must be one of {', '.join(methods)}.")
    if not is_integer(n_steps, 1):
        raise ValueError(f"n_steps is {shown(n_steps)}, but it must be an integer >= 1.")
    if not isinstance(tol, (int, float)) or not tol > 0:
        raise ValueError(f"tol is {shown(tol)}, but it must be a number > 0.")
    question, found = ask(model, X, target, step, baseline), list[np.ndarray]()
    for part in question.parts():
        found += np.split(guarded(methods[method], part, question), np.cumsum(part.lengths)[:-1])
    return question.by_sequence(found), question.names


def _gradient_x_input(part: Explained, question: Question) -> np.ndarray:
    (gradients,) = part.gradients(part.vectors[None])
    return question.by_column((part.vectors - part.baseline) * gradients)


def _integrated_gradients(part: Explained, question: Question, n_steps: int, tol: float) -> np.ndarray:
    """Integrate, and take the integral of those sequences anew that are not complete, at twice as many points."""
    attributions = _integrate(part, n_steps)
    of_x, of_baseline = (part.values(v[None])[0] for v in (part.vectors, part.baseline))
    rounding = 1e3 * np.finfo(attributions.dtype).eps * (np.abs(of_x) + np.abs(of_baseline))
    starts, n_points = np.cumsum(part.lengths) - part.lengths, n_steps
    while True:
        missed = np.abs(np.add.reduceat(attributions.sum(axis=1), starts) - (of_x - of_baseline))
        total = np.add.reduceat(np.abs(attributions).sum(axis=1), starts)
        incomplete = np.flatnonzero(missed > tol * total + rounding)
        if not len(incomplete):
            break
        if n_points >= _MAX_FACTOR * n_steps:
            share = (missed[incomplete] / np.maximum(total[incomplete], rounding[incomplete])).max()
            warn_caller(
                f"Integrated gradients of {len(incomplete)} sequences miss f(x) - f(baseline) by up to {share:.1%} of "
                f"the sum of their absolute values, at {n_points} points. Raise n_steps or tol.",
                ConvergenceWarning,
            )
            break
        n_points *= 2
        for i in incomplete:
            steps = slice(starts[i], starts[i] + part.lengths[i])
            attributions[steps] = _integrate(part.sequence(int(i)), n_points)
    return question.by_column(attributions)


def _integrate(part: Explained, n_steps: int) -> np.ndarray:
    """Integrated gradients (N, F) by Gauss-Legendre quadrature, at some points in a call."""
    points, weights = np.polynomial.legendre.leggauss(n_steps)
    points, weights = (points + 1) / 2, weights / 2  # from [-1, 1] to [0, 1]
    difference, mean = part.vectors - part.baseline, np.zeros_like(part.vectors)
    for first in range(0, n_steps, part.max_copies):
        chosen = slice(first, first + part.max_copies)
        path = part.baseline + points[chosen, None, None] * difference
        mean += np.tensordot(weights[chosen], part.gradients(path), axes=1)
    return mean * difference


def _occlusion(part: Explained, question: Question) -> np.ndarray:
    """Take away one column of one step at a time, of each sequence."""
    firsts = np.cumsum(question.widths) - question.widths
    columns = [slice(a, a + w) for a, w in zip(firsts, question.widths)] or [slice(None)]
    differences = []
    for i in range(len(part.lengths)):
        one = part.sequence(i)
        (of_x,) = one.values(one.vectors[None])[0]
        n = len(one.vectors) * len(columns)
        found = np.empty(n)
        for first in range(0, n, one.max_copies):
            places = np.arange(first, min(first + one.max_copies, n))
            without = np.repeat(one.vectors[None], len(places), axis=0)
            for copy, (step, k) in zip(without, zip(*divmod(places, len(columns)))):
                copy[step, columns[k]] = one.baseline[step, columns[k]]
            found[places] = of_x - one.values(without)[:, 0]
        differences.append(found.reshape(-1, len(columns)))
    changes = np.concatenate(differences)
    if question.order is None:
        return changes[:, 0]
    by_column = np.empty_like(changes)
    by_column[:, question.order] = changes
    return by_column
