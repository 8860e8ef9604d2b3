#!/bin/sh
# Makes the certificate that HTTPS tests serve (server.crt, server.key) and the authority that their clients trust
# (authority.crt). The authority's key is not kept: nobody can sign anything else with it. Both are valid from the first
# second that a clock can show, for a machine whose clock was never set.
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/config" <<END
[ca]
default_ca = own
[own]
new_certs_dir = $scratch
database = $scratch/database
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
email_in_dn = no
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server]
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
: >"$scratch/database"

request() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" \
        -keyout "$scratch/$1.key" -out "$scratch/$1.csr"
}

# The first argument is the name; the others say who signs.
sign() {
    name=$1
    shift
    openssl ca -batch -notext -config "$scratch/config" -startdate 19700101000000Z -enddate 21260101000000Z \
        -keyfile "$scratch/authority.key" "$@" -extensions "$name" -in "$scratch/$name.csr" -out "$name.crt"
}

request authority "asynctest_tornado test authority"
request server localhost
sign authority -selfsign
sign server -cert authority.crt

{
    cat <<END
This key is public by design: it is part of every copy of asynctest_tornado, whose tests serve HTTPS with it. Its
certificate is for localhost, 127.0.0.1 and ::1 alone, and only clients that are told to do so trust it. It protects
nothing. Do not use it for anything but tests, and do not add authority.crt to the authorities of a system.

END
    cat "$scratch/server.key"
} >server.key
chmod 644 server.key
