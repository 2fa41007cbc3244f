"""A property that is computed once, without a lock."""

from __future__ import annotations

import functools
from typing import Any


class cached_property(functools.cached_property):
    """Compute an attribute when it is first read, and keep it.

    As `functools.cached_property`, which before Python 3.12 lets one thread at a time compute it for all instances of a
    class: others wait, and the child of a fork may wait for ever. Here two threads may compute the same value.

    Parameters
    ----------
    func : callable
        The method that computes it; the instance needs a ``__dict__``.

    Examples
    --------
    >>> from skrnn.core.cached import cached_property
    >>> class Square:
    ...     side = 3
    ...     @cached_property
    ...     def area(self):
    ...         return self.side**2
    >>> Square().area
    9
    """

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = instance.__dict__[self.attrname] = self.func(instance)  # found there before the next __get__
        return value
