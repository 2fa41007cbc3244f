#!/usr/bin/env bash
# Run scikit-learn's estimator checks on every supported minor version of scikit-learn, each in a throwaway environment.
# Usage: tests/run_on_older_sklearn.sh [requirement ...], for example 'scikit-learn==1.7.*'
set -euo pipefail
cd "$(dirname "$0")/.."

if (($# == 0)); then
    set -- 'scikit-learn==1.7.*' 'scikit-learn==1.8.*' 'scikit-learn'
fi

environments=$(mktemp -d)
trap 'rm -rf "$environments"' EXIT

failed=()
for requirement in "$@"; do
    environment="$environments/$requirement"
    python3 -m venv "$environment"
    "$environment/bin/python" -m pip install -q -e '.[test]' "$requirement"
    version=$("$environment/bin/python" -c 'import sklearn; print(sklearn.__version__)')
    echo "== scikit-learn $version"
    "$environment/bin/python" -m pytest tests/estimators/test_sklearn_checks.py || failed+=("$version")
done

if ((${#failed[@]})); then
    echo "== failed on scikit-learn ${failed[*]}"
    exit 1
fi
echo "== passed on all"
