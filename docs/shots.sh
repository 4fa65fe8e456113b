#!/bin/bash
# Take the manual's screenshots anew, from machines that really boot:
#   docs/shots.sh [pytest's arguments]
# They are what the tests see; each is made as small as 32 colours allow.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v pngquant >/dev/null || { echo "pngquant is missing: apt-get install pngquant" >&2; exit 1; }
shots=$(mktemp -d); trap 'rm -rf "$shots"' EXIT
CI=true SNFD_SHOTS=$shots .venv/bin/python -m pytest -q \
    tests/functional/test_boot.py tests/functional/test_console_ganeti.py "$@"
mkdir -p docs/images
for picture in "$shots"/*.png; do
    pngquant --speed 1 --force --output "docs/images/$(basename "$picture")" 32 "$picture"
done
ls -l docs/images
