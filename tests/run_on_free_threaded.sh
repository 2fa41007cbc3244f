#!/usr/bin/env bash
# Run the tests on a free-threaded Python, where threads have no lock in common, in a throwaway environment.
# Usage: tests/run_on_free_threaded.sh PYTHON, for example python3.14t
set -euo pipefail
python=${1:?Say which free-threaded Python, for example python3.14t}
cd "$(dirname "$0")/.."

environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT

"$python" -m venv "$environment"
# the extra for tests without polars, which has no wheels for it; its tests are skipped
"$environment/bin/python" -m pip install -q -e . 'pytest>=8' 'pytest-xdist>=3.5' 'hypothesis>=6.100' 'matplotlib>=3.6' \
    'numpydoc~=1.11.0' 'pandas>=2'
"$environment/bin/python" -c 'import sys, skrnn; sys.exit(getattr(sys, "_is_gil_enabled", lambda: True)())'
"$environment/bin/python" -m pytest
