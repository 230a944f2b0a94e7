#!/bin/sh
# Puts back what backup.sh has written: restore.sh FOLDER [--replace]
#
# Where there are requests already it does nothing without --replace. Everything is read into new
# databases first, and these take the place of the old ones in one go: whatever fails before leaves
# all as it was.
set -eu
deploy=$(cd "$(dirname "$0")/.." && pwd)

fail() { echo "! $*" >&2; exit 1; }
usage="usage: deploy/scripts/restore.sh FOLDER [--replace]"
from= replace=
for word in "$@"; do
    case $word in
        --help) echo "$usage"; exit 0 ;;
        --replace) replace=yes ;;
        -*) echo "$usage" >&2; exit 2 ;;
        *) [ -z "$from" ] || { echo "$usage" >&2; exit 2; }; from=$word ;;
    esac
done
[ -n "$from" ] || { echo "$usage" >&2; exit 2; }
in_postgres() { docker compose -f "$deploy/compose.yaml" exec -T postgres "$@"; }
sql() { in_postgres psql --username=temporal --no-psqlrc --quiet --tuples-only --no-align \
    --set=ON_ERROR_STOP=1 "--dbname=$1" "--command=$2" </dev/null; }

# --- What speaks against it, before anything is touched

for database in temporal temporal_visibility; do
    [ -f "$from/$database.dump" ] || fail "$from is no backup: it has no $database.dump"
done
(cd "$from" && sha256sum --check --quiet SHA256SUMS) >/dev/null 2>&1 ||
    fail "$from is not as it was written: its files do not fit SHA256SUMS. Nothing was changed; take another backup"
known=$(sql postgres "SELECT datname FROM pg_database") ||
    fail "PostgreSQL does not answer, for the reason above. Start it alone: docker compose -f deploy/compose.yaml up -d postgres"
others=$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'temporal%' AND backend_type = 'client backend'")
[ "$others" = 0 ] ||
    fail "Temporal is still at its database. Nothing was changed; stop it first: docker compose -f deploy/compose.yaml stop temporal"
for database in temporal temporal_visibility; do
    printf '%s\n' "$known" | grep -qx "$database" || continue
    tables=$(sql "$database" "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    [ "$tables" = 0 ] || [ -n "$replace" ] ||
        fail "the database $database holds requests already. Nothing was changed; with --replace all of them go, and those of $from come back"
done

# --- Into new databases, and these into the place of the old ones

swap=
for database in temporal temporal_visibility; do
    # What an attempt left that was broken off.
    sql postgres "DROP DATABASE IF EXISTS ${database}_restored"
    sql postgres "DROP DATABASE IF EXISTS ${database}_replaced"
    sql postgres "CREATE DATABASE ${database}_restored"
    in_postgres pg_restore --username=temporal --exit-on-error --no-owner --no-privileges \
        "--dbname=${database}_restored" <"$from/$database.dump" ||
        fail "the database $database was not put back, for the reason above; what was there before is as it was"
    ! printf '%s\n' "$known" | grep -qx "$database" ||
        swap="$swap ALTER DATABASE $database RENAME TO ${database}_replaced;"
    swap="$swap ALTER DATABASE ${database}_restored RENAME TO $database;"
done
sql postgres "BEGIN; $swap COMMIT;" ||
    fail "what was put back did not take its place, for the reason above; what was there before is as it was"
for database in temporal temporal_visibility; do
    sql postgres "DROP DATABASE IF EXISTS ${database}_replaced"
done
echo "ok: all requests are as they were when $from was written; go on: docker compose -f deploy/compose.yaml up -d"
