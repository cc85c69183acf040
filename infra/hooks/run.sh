#!/bin/sh
# Runs one step of the deployment with the project's own Python; makes .venv when it cannot run it.
set -eu
cd "$(dirname "$0")/../.."
python=.venv/bin/python
if ! "$python" -c 'import mlevents.rules.file' 2>/dev/null; then
    "${PYTHON:-$(command -v python3.13 || command -v python3)}" -m venv .venv
    hashes=$(grep -q -e --hash= requirements.txt && echo --require-hashes || true)
    "$python" -m pip install --quiet --disable-pip-version-check $hashes -r requirements.txt
fi
exec "$python" -m infra.hooks "$@"
