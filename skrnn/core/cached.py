"""A property that is computed once, without a lock."""

from __future__ import annotations

import functools
from typing import Any, TypeVar, overload

T = TypeVar("T")


class cached_property(functools.cached_property[T]):
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

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> cached_property[T]: ...

    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> T: ...

    def __get__(self, instance: object, owner: type[Any] | None = None) -> cached_property[T] | T:
        if instance is None:
            return self
        value: T = self.func(instance)
        vars(instance)[self.attrname] = value  # type: ignore[index]  # a name by now; found before the next __get__
        return value
