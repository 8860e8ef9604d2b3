#!/bin/sh
# Makes the certificate that HTTPS tests serve (server.crt, server.key) and the authority that their clients trust
# (authority.crt). The authority's key is not kept: nobody can sign anything else with it.
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 \
    -subj "/CN=asynctest_tornado test authority" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout "$scratch/authority.key" -out authority.crt

openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" \
    -keyout server.key -out "$scratch/server.csr"

cat >"$scratch/extensions" <<END
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
openssl x509 -req -in "$scratch/server.csr" -CA authority.crt -CAkey "$scratch/authority.key" \
    -set_serial "0x$(openssl rand -hex 16)" -days 36500 -extfile "$scratch/extensions" -out server.crt
chmod 644 server.key
