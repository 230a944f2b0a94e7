#!/bin/sh
# Makes both databases of Temporal in PostgreSQL, and brings their tables to what this release of
# Temporal wants. Runs before the server, at every start; what is there already is left alone.
set -u

step() {
    what=$1
    shift
    said=$(temporal-sql-tool --plugin postgres12 --ep postgres -p 5432 -u temporal "$@" 2>&1) && return
    # Whoever reads only the end of the log reads what to do.
    printf '%s\n' "$said" >&2
    echo "! $what failed, for the reason above; Temporal is not started, and no request is lost." \
        "If the password is refused: PostgreSQL keeps the one that it was first started with," \
        "whatever POSTGRES_PASSWORD in deploy/.env says now. Then start again: what is done already is skipped." >&2
    exit 1
}

for database in temporal temporal_visibility; do
    case $database in
        temporal) tables=temporal ;;
        *) tables=visibility ;;
    esac
    step "making the database $database" --db "$database" create
    step "beginning the schema of $database" --db "$database" setup-schema -v 0.0
    step "updating the schema of $database" --db "$database" \
        update-schema -d "/etc/temporal/schema/postgresql/v12/$tables/versioned"
    echo "ok: the database $database is as this release of Temporal wants it"
done
