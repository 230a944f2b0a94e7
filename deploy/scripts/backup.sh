#!/bin/sh
# Writes both databases of Temporal, and with them all requests, into a new folder: backup.sh [FOLDER]
#
# FOLDER is deploy/backups if not told. Requests go on meanwhile: each database is written as it is
# at one moment, the list a moment after the requests. The seal key, the tokens and the policy book
# are not in it: they are files, to be kept elsewhere.
set -eu
umask 077
deploy=$(cd "$(dirname "$0")/.." && pwd)

fail() { echo "! $*" >&2; exit 1; }
usage="usage: deploy/scripts/backup.sh [FOLDER]"
case ${1:-} in --help) echo "$usage"; exit 0 ;; -*) echo "$usage" >&2; exit 2 ;; esac
[ $# -le 1 ] || { echo "$usage" >&2; exit 2; }
into=${1:-$deploy/backups}
in_postgres() { docker compose -f "$deploy/compose.yaml" exec -T postgres "$@"; }

mkdir -p "$into" || fail "$into cannot be made"
made=$into/$(date -u +%Y-%m-%dT%H-%M-%SZ)
[ ! -e "$made" ] || fail "$made is there already; nothing was written"
# Only what is whole gets its name.
partial=$made.partial
trap 'rm -rf "$partial"' EXIT
mkdir "$partial"

for database in temporal temporal_visibility; do
    in_postgres pg_dump --username=temporal --format=custom --no-owner --no-privileges \
        "--dbname=$database" >"$partial/$database.dump" ||
        fail "the database $database was not written, for the reason above; nothing is kept of this backup. PostgreSQL has to run: docker compose -f deploy/compose.yaml up -d postgres"
    # Read it to the end, as a restore would.
    in_postgres pg_restore --file=/dev/null <"$partial/$database.dump" ||
        fail "what was written of the database $database cannot be read again; nothing is kept of this backup. Is the disk full?"
done
(cd "$partial" && sha256sum ./*.dump >SHA256SUMS)
mv "$partial" "$made"
echo "ok: $made, $(du -sh "$made" | cut -f1), read again to its end"
