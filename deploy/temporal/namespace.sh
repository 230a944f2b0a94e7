#!/bin/sh
# Makes the namespace of the requests if there is none, and has Temporal keep what is over for as
# long as RETENTION says. Runs at every start, and waits until Temporal serves.
set -u

# Asked to make or to change one, the command line itself does not look at TEMPORAL_NAMESPACE.
namespace() {
    action=$1
    shift
    said=$(temporal operator namespace "$action" --namespace "$TEMPORAL_NAMESPACE" "$@" 2>&1)
}

# Of what the command line says when it is misled, the reason, and not all of its options.
fail() {
    printf '%s\n' "$said" | grep -m 1 -E '^Error' >&2 || printf '%s\n' "$said" >&2
    echo "! $1" >&2
    exit 1
}

# An open port does not say yet that the server serves.
left=60
until said=$(temporal operator cluster health --command-timeout 5s 2>&1); do
    left=$((left - 1))
    [ "$left" -gt 0 ] ||
        fail "Temporal does not answer at $TEMPORAL_ADDRESS. Its log says why: docker compose -f deploy/compose.yaml logs temporal"
    sleep 1
done

if namespace describe; then
    namespace update --retention "$RETENTION" ||
        fail "The namespace $TEMPORAL_NAMESPACE is there, but it was not told to keep what is over for $RETENTION, for the reason above. TEMPORAL_RETENTION in deploy/.env takes days, such as 30d."
else
    case $said in
        *"not found"*) ;;
        *) fail "Temporal does not say whether it has a namespace $TEMPORAL_NAMESPACE, for the reason above." ;;
    esac
    namespace create --retention "$RETENTION" ||
        fail "The namespace $TEMPORAL_NAMESPACE was not made, for the reason above. TEMPORAL_RETENTION in deploy/.env takes days, such as 30d."
fi
echo "ok: the namespace $TEMPORAL_NAMESPACE is there, and keeps what is over for $RETENTION"
