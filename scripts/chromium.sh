#!/usr/bin/env bash
# Make sure that a Chromium is there for the browser tests: Debian's, by apt, where we may install it.
# Exit 0 where there is one. PGASK_TEST_CHROMIUM names another.
set -euo pipefail
for candidate in "${PGASK_TEST_CHROMIUM:-}" chromium chromium-browser google-chrome; do
  [ -n "$candidate" ] && command -v "$candidate" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the browser tests"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium fonts-noto-cjk >/dev/null && exit 0
fi
echo "No Chromium: the browser tests are skipped. Install it (apt install chromium), or set PGASK_TEST_CHROMIUM." >&2
exit 1
