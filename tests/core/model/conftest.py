"""What every test of the model gets: each set of kernels in turn."""

import pytest
from helpers import KERNELS_HERE

from skrnn.core.kernels import KERNELS


@pytest.fixture(scope="module", params=KERNELS_HERE, autouse=True)
def kernels(request):
    """Every law holds for every set of kernels: while a module is tested, this one takes the place of the default."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KERNELS, "numpy", KERNELS[request.param])
        yield request.param
