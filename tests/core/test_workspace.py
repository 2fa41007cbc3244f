"""The workspace: arrays that do not overlap, and memory that is allocated once."""

import numpy as np

from skrnn.core.workspace import Workspace


def test_workspace_arrays_do_not_overlap_and_are_released():
    workspace = Workspace(np.float32)
    mark = workspace.mark()
    first, second = workspace.empty((3, 5)), workspace.empty((7,))
    first.fill(1)
    second.fill(2)

    assert first.flags.c_contiguous
    assert first.dtype == np.float32
    assert (first == 1).all()
    assert not np.shares_memory(first, second)

    workspace.release(mark)
    assert np.shares_memory(workspace.empty((3, 5)), workspace._arenas[0])


def test_workspace_grows_once_and_then_allocates_nothing():
    workspace = Workspace(np.float64)

    def borrow():
        mark = workspace.mark()
        workspace.empty((100,))
        for _ in range(5):
            inner = workspace.mark()
            workspace.empty((1000,))
            workspace.release(inner)
        workspace.release(mark)

    borrow()
    size = workspace.size
    arena = workspace._arenas[0]
    borrow()

    assert workspace.size == size < 2500
    assert workspace._arenas == [arena]


def test_arrays_survive_the_growth_of_the_workspace():
    workspace = Workspace(np.float64)
    workspace.empty((4,))
    inner = workspace.mark()
    first = workspace.empty((10,))
    first.fill(5)
    second = workspace.empty((1000,))
    second.fill(6)

    assert (first == 5).all()
    workspace.release(inner)
    third = workspace.empty((1000,))
    third.fill(7)
    assert not np.shares_memory(first, third)
