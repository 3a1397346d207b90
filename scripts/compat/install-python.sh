#!/bin/sh
# Installs Python packages into an environment of their own, outside the repository: install-python.sh <folder> <python> <package> ...
set -eu
folder="${1:?Usage: install-python.sh <folder> <python> <package> ...}"
python="${2:?}"
shift 2
[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
