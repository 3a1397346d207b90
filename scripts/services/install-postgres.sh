#!/bin/sh
# Installs the Postgres server that the wider tests start for themselves (Debian and Ubuntu, as root).
set -eu
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql
