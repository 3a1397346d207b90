#!/bin/sh
# Installs the command line that detection repositories use, and the libraries that their rules import, into a folder of
# its own, outside the repository.
set -eu
version=1.7.0
folder="${1:?Usage: install-pat.sh <folder>}"
[ -x "$folder/bin/pat" ] && exit 0
python3 -m pip install --quiet --disable-pip-version-check --target "$folder" "panther_analysis_tool==$version" \
  "panther-detection-helpers==0.4.0" "policyuniverse==1.5.1.20230817" "pycountry==24.6.1"
