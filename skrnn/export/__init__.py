"""Take a fitted model elsewhere: to ONNX, and to PyTorch and back."""

from ._onnx import to_onnx
from ._torch import params_from_torch, to_torch_state_dict

for _public in (params_from_torch, to_onnx, to_torch_state_dict):
    _public.__module__ = "skrnn.export"
del _public

__all__ = ["params_from_torch", "to_onnx", "to_torch_state_dict"]
