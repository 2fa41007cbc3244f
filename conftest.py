"""Doctests that need a library which not everyone has are left out where it is missing."""

from importlib.util import find_spec

NEEDED = {
    "docs/user_guide/callbacks.md": ("sklearn.callback",),
    "docs/user_guide/export.md": ("onnx", "onnxruntime", "torch"),
    "skrnn/callbacks.py": ("sklearn.callback",),
    "skrnn/export/__init__.py": ("onnx",),
    "tests/torch_layers.py": ("torch",),
}
collect_ignore = [path for path, libraries in NEEDED.items() if not all(map(find_spec, libraries))]
