#!/bin/sh
# Installs the MCP server of the incumbent into an environment of its own, outside the repository. It asks for Python
# 3.12; where there is none, its code, which an older one can read, is installed with that demand put aside.
set -eu
version=2.4.0
folder="${1:?Usage: install-mcp.sh <folder> [python]}"
python="${2:-}"
for candidate in "$python" python3.14 python3.13 python3.12 python3; do
  [ -n "$candidate" ] && "$candidate" -c pass >/dev/null 2>&1 && { python="$candidate"; break; }
done
[ -x "$folder/bin/mcp-panther" ] && exit 0
"$python" -m venv "$folder"
option=""
"$folder/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' || option="--ignore-requires-python"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check $option "mcp-panther==$version"
