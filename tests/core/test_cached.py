"""A property that is computed once, and without a lock."""

import threading
from concurrent.futures import ThreadPoolExecutor

from skrnn.core.cached import cached_property


class Square:
    def __init__(self, side):
        self.side, self.n_computed = side, 0

    @cached_property
    def area(self):
        """Side times side."""
        self.n_computed += 1
        return self.side**2


def test_computed_once():
    square = Square(3)
    assert (square.area, square.area, square.n_computed) == (9, 9, 1)
    assert Square.area.__doc__ == "Side times side."


def test_nobody_waits_for_another_instance():
    """functools.cached_property has one lock for all instances before Python 3.12; a child of a fork waits for ever."""
    is_computing, may_end = threading.Event(), threading.Event()

    class Slow:
        @cached_property
        def value(self):
            is_computing.set()
            return may_end.wait(10)

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(lambda: Slow().value)
        is_computing.wait(10)
        is_computing.clear()
        other = pool.submit(lambda: Slow().value)
        assert is_computing.wait(10)
        may_end.set()
        assert slow.result()
        assert other.result()
