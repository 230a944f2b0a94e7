#!/bin/sh
# Makes what requests are listed by; without these no request can be opened. Runs at every start,
# after the namespace is there; what is there already is left alone.
set -u

attributes="DockwardenStatus DockwardenHost DockwardenContainer DockwardenRequester DockwardenRequestId"

fail() { printf '%s\n! %s\n' "$said" "$1" >&2; exit 1; }

# A namespace that was just made is not known at once to all parts of the server.
left=30
until said=$(temporal operator search-attribute list 2>&1); do
    left=$((left - 1))
    [ "$left" -gt 0 ] ||
        fail "Temporal does not list the search attributes of the namespace $TEMPORAL_NAMESPACE, for the reason above."
    sleep 1
done

# shellcheck disable=SC2046 # a list of options
said=$(temporal operator search-attribute create \
    $(for name in $attributes; do echo "--name $name --type Keyword"; done) 2>&1) ||
    fail "The search attributes of Dockwarden were not made, for the reason above. PostgreSQL has room for ten of the type Keyword in a namespace: let this one be Dockwarden's own."
echo "ok: requests can be listed by $attributes"
