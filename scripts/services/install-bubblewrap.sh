#!/bin/sh
# Installs bubblewrap, the stronger of the two outer walls around detections (Debian and Ubuntu, as root).
set -eu
command -v bwrap >/dev/null && exit 0
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends bubblewrap
