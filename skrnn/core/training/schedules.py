"""How the learning rate changes from epoch to epoch."""

from __future__ import annotations

from math import cos, pi

ADAPTIVE_FACTOR = 5
MIN_ADAPTIVE_RATE = 1e-6


def learning_rate_at(schedule: str, initial: float, epoch: int, max_iter: int, n_plateaus: int) -> float:
    r"""Learning rate of an epoch.

    Parameters
    ----------
    schedule : {"constant", "adaptive", "cosine"}
        ``adaptive`` divides the rate by 5 at each plateau; ``cosine`` lets it fall from `initial` towards 0 as
        :math:`(1 + \cos(\pi\, epoch / max\_iter)) / 2`.
    initial : float
        Rate of epoch 0.
    epoch : int
        Number of epochs done.
    max_iter : int
        Number of epochs that the cosine covers; beyond them its rate stays at the last one's.
    n_plateaus : int
        How often the monitored score has stopped improving.

    Returns
    -------
    rate : float
        Of that epoch.

    References
    ----------
    Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts* (2017), equation 5, without restarts.

    Examples
    --------
    >>> [round(learning_rate_at("cosine", 1.0, epoch, max_iter=4, n_plateaus=0), 3) for epoch in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    >>> learning_rate_at("adaptive", 1.0, epoch=9, max_iter=10, n_plateaus=1)
    0.2
    """
    if schedule == "adaptive":
        return float(initial / ADAPTIVE_FACTOR**n_plateaus)
    if schedule == "cosine":
        return float(initial * (1 + cos(pi * min(epoch, max_iter - 1) / max_iter)) / 2)
    return float(initial)
