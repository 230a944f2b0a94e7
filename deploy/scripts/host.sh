#!/bin/sh
# Makes what a further machine needs to reach this installation: host.sh NAME ADDRESS
#
# NAME is how people call its engine (on NAME), ADDRESS the name or the IP address by which that
# machine reaches this one. The first call makes an authority of this installation's own too, and
# the certificate of the gate before Temporal (the profile "hosts" of compose.yaml).
set -eu
umask 077
cd "$(dirname "$0")/.."

fail() { echo "! $*" >&2; exit 1; }
usage="usage: deploy/scripts/host.sh NAME ADDRESS"
case ${3:-} in --help) echo "$usage"; exit 0 ;; esac
[ $# = 2 ] || { echo "$usage" >&2; exit 2; }
name=$1 address=$2 authority=authority gate=gate host=hosts/$1

printf '%s' "$name" | grep -Exq '[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?' ||
    fail "$name: a host's name has small letters, digits, dots and hyphens"
case $address in
    *[!A-Za-z0-9.:-]* | "") fail "$address: give a name or an IP address, without a port" ;;
    *:*:*) names=IP:$address is=-checkip at="[$address]:7233" ;;
    *:*) fail "$address: give a name or an IP address, without a port" ;;
    *[!0-9.]*) names=DNS:$address is=-checkhost at=$address:7233 ;;
    *) names=IP:$address is=-checkip at=$address:7233 ;;
esac
[ ! -e "$host" ] || fail "deploy/$host is there already; remove it to make $name a new certificate"
[ -r secrets/seal_key ] ||
    fail "deploy/secrets/seal_key is not there, or only root may read it: run this with sudo"

# certificate FOR USE [OPTION...]: makes FOR.key and FOR.crt, signed by the authority
certificate() {
    for=$1 use=$2
    shift 2
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
        -CA "$authority/ca.pem" -CAkey "$authority/ca.key" -subj "/CN=${for##*/}" \
        -addext basicConstraints=critical,CA:false -addext "extendedKeyUsage=$use" "$@" \
        -keyout "$for.key" -out "$for.crt" 2>/dev/null || fail "openssl made no certificate; it has to be 3.0 or newer"
}

if [ ! -e "$authority/ca.pem" ]; then
    mkdir -p "$authority"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
        -subj "/CN=Dockwarden hosts" -addext keyUsage=critical,keyCertSign \
        -keyout "$authority/ca.key" -out "$authority/ca.pem" 2>/dev/null ||
        fail "openssl made no authority"
fi
if [ ! -e "$gate/gate.pem" ]; then
    mkdir -p "$gate"
    certificate "$gate/gate" serverAuth -addext "subjectAltName=$names"
    cat "$gate/gate.crt" "$gate/gate.key" >"$gate/gate.pem"
    rm "$gate/gate.crt" "$gate/gate.key"
    cp "$authority/ca.pem" "$gate/ca.pem"
elif openssl x509 -in "$gate/gate.pem" -noout "$is" "$address" | grep -q "NOT match"; then
    fail "the gate has a certificate for another address, by which the hosts so far know it. Give that, or remove deploy/gate and make all hosts anew"
fi
mkdir -p "$host/secrets"
certificate "$host/secrets/$name" clientAuth
mv "$host/secrets/$name.crt" "$host/secrets/temporal_certificate"
mv "$host/secrets/$name.key" "$host/secrets/temporal_key"
cp "$authority/ca.pem" "$host/secrets/temporal_ca"
cp secrets/seal_key "$host/secrets/seal_key"
printf 'DOCKWARDEN_HOST=%s\nTEMPORAL_ADDRESS=%s\n' "$name" "$at" >"$host/.env"
# The user of the image reads them; who is not root gives them away on their own.
if [ "$(id -u)" = 0 ]; then
    chown -R 10001 "$gate" "$host/secrets"
fi
echo "made deploy/$host: copy what is in it, .env too, into deploy/ of a clone on $name"
