#!/bin/sh
# Installs the Redis server that the wider tests start for themselves (Debian and Ubuntu, as root).
set -eu
command -v redis-server >/dev/null && exit 0
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server
