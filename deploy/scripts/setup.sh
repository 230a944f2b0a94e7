#!/bin/sh
# Makes this machine able to run the demo (setup.sh demo, or demo-compose for the installation with
# Compose), the tests (setup.sh test), with them the fault campaign (faults) or the tests of the
# installation (image), or all of it (all).
# What is there already is left alone, so that a second run takes a moment.
set -eu
cd "$(dirname "$0")/../.."
goal=$1
case $goal in
    demo|demo-compose) lock=deploy/requirements/laptop.txt size="0.3 GB" ;;
    test|faults|image|all) lock=deploy/requirements/dev.txt size="0.6 GB" ;;
    *) echo "setup.sh takes demo, demo-compose, test, faults, image or all" >&2; exit 2 ;;
esac
PATH=$PATH:/usr/sbin:/sbin

say() { echo "$*"; }
fail() { echo "! $*" >&2; exit 1; }
# What a tool prints matters only when it fails.
quietly() { out=$("$@" </dev/null 2>&1) || fail "$1 failed:
$out"; }
have() { command -v "$1" >/dev/null 2>&1; }

usable_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if have "$python" && "$python" -c \
            'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
}

is_demo() { case $goal in demo*) ;; *) false ;; esac; }
# The tests start and break engines of their own; the demo takes any that is there.
engine_runs() { is_demo && { [ -S /var/run/docker.sock ] || [ -n "${DOCKER_HOST:-}" ]; }; }
engine_is_there() { have dockerd || engine_runs; }
# An engine that runs has a registry to ask, if nobody says otherwise; others get a base image.
makes_base_image() {
    case $goal in
        image|all) ;;
        demo-compose) [ -n "${STAND_INS:-}" ] || ! engine_runs ;;
        *) false ;;
    esac
}

# --- What the system has to bring

missing=
need() { missing="$missing $*"; }

[ -n "$(usable_python)" ] || need python3 python3-venv
have npm || need npm
engine_is_there || need docker.io
have busybox || need busybox-static
! makes_base_image || have mmdebstrap || need mmdebstrap
if ! is_demo; then
    have faketime || need faketime
    have haproxy || need haproxy
    have chromium || have chromium-browser || have google-chrome || need chromium
    have openssl || need openssl
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need postgresql
    have fc-list && fc-list | grep -qi emoji || need fontconfig fonts-noto-color-emoji
fi
if [ "$goal" = faults ] || [ "$goal" = all ]; then
    have podman || need podman
    have runc || need runc
    have mkfs.ext4 || need e2fsprogs
    have faketime || need faketime
fi

if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && have apt-get && [ -f /etc/debian_version ]; then
        say "installing with apt-get, which takes a few minutes:$missing"
        export DEBIAN_FRONTEND=noninteractive
        quietly apt-get update
        # shellcheck disable=SC2086 # a list of packages
        quietly apt-get install -y --no-install-recommends $missing
    else
        [ -n "$(usable_python)" ] || fail "Python 3.11 or newer, with venv, is missing: install it"
        have npm || fail "npm is missing: install Node.js with npm; it brings the local Slack"
        engine_is_there || fail "there is no Docker engine: install and start one (on Debian as root this does it by itself)"
        say "missing here, some things may not work:$missing"
    fi
fi
python=$(usable_python)
[ -n "$python" ] || fail "Python 3.11 or newer is missing; this system's is older"

# --- What the project brings

done=.venv/.set-up-from-$(basename "$lock" .txt)
stamp="$("$python" -V) $(cat pyproject.toml "$lock" | cksum) $(pwd)"
is_current() { [ -x .venv/bin/dockwarden ] && [ "$(cat "$1" 2>/dev/null)" = "$stamp" ]; }

if ! is_current "$done"; then
    if ! .venv/bin/python -c '' 2>/dev/null; then
        say "making the virtual environment .venv"
        quietly "$python" -m venv --clear .venv
    fi
    say "installing $(grep -c '==' "$lock") locked packages in .venv, each checked by its hash: $size, a minute or less"
    pip="quietly .venv/bin/python -m pip --disable-pip-version-check --no-input install"
    $pip --require-hashes -r "$lock"
    $pip --no-deps --no-index --no-build-isolation --editable .
    echo "$stamp" >"$done"
fi

.venv/bin/python -m deploy.laptop fetch
