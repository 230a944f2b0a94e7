#!/bin/sh
# Writes the lock files anew from pyproject.toml: hashes of every archive, and no addresses.
#   run.txt     what the production image needs
#   laptop.txt  and what the laptop needs
#   dev.txt     and what the tests need
set -eu
cd "$(dirname "$0")/../.."
here=deploy/requirements

compile() {
    out=$1
    shift
    uv pip compile pyproject.toml "$here/build.in" "$@" --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet \
        --output-file "$here/$out"
}

compile dev.txt --group pyproject.toml:dev
compile laptop.txt --group pyproject.toml:laptop --constraint "$here/dev.txt"
compile run.txt --constraint "$here/dev.txt"
