#!/bin/bash
# Makes every certificate and key of this folder anew, by OpenSSL 3. The keys of the authorities are thrown away, so that
# nothing can be added later. All but the expired one are good from 2020 to 2120.
#
#   ca.pem                    the authority that the tests trust
#   other-ca.pem              one that nobody trusts unless a test says so
#   server-cert.pem           for localhost, 127.0.0.1 and ::1
#   vhost-cert.pem            for cloud.example, which is a virtual host of that server
#   expired-cert.pem          for the same names as server-cert.pem, until 2001
#   client-cert.pem           CN=nova of O=OpenStack
#   nameless-cert.pem         a client's without a CN
#   stranger-cert.pem         CN=nova too, signed by the other authority
#   server-key.pem            the key of the three certificates of servers
#   client-key.pem            the key of the three certificates of clients
#   client-key-encrypted.pem  the same; passphrase: pass: ä/phrase
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$1"
}

# sign FILE KEY SUBJECT EXTENSIONS OPTION...
sign() {
  openssl req -new -key "$2" -subj "$3" -out "$folder/request"
  printf '%b\n' "$4" > "$folder/extensions"
  : > "$folder/index"
  openssl ca -batch -notext -config "$folder/ca.conf" -in "$folder/request" -extfile "$folder/extensions" \
    -out "$1.pem" "${@:5}"
}

# authority FILE NAME
authority() {
  key "$folder/$1.key"
  sign "$1" "$folder/$1.key" "/CN=$2" "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign" \
    -selfsign -keyfile "$folder/$1.key"
}

# certificate FILE KEY AUTHORITY SUBJECT EXTENSIONS [OPTION...]
certificate() {
  sign "$1" "$2.pem" "$4" "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n$5" \
    -cert "$3.pem" -keyfile "$folder/$3.key" "${@:6}"
}

cat > "$folder/ca.conf" <<CONF
[ca]
default_ca = tests
[tests]
database = $folder/index
new_certs_dir = $folder
rand_serial = yes
default_md = sha256
default_startdate = 20200101000000Z
default_enddate = 21200101000000Z
policy = anything
email_in_dn = no
unique_subject = no
[anything]
organizationName = optional
organizationalUnitName = optional
commonName = optional
CONF

authority ca "Test authority"
authority other-ca "Other authority"
key server-key.pem
key client-key.pem
openssl pkcs8 -topk8 -in client-key.pem -v2 aes-256-cbc -passout "pass:pass: ä/phrase" -out client-key-encrypted.pem

here="extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
certificate server-cert server-key ca "/CN=localhost" "$here"
certificate vhost-cert server-key ca "/CN=cloud.example" "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:cloud.example"
certificate expired-cert server-key ca "/CN=localhost" "$here" -startdate 20000101000000Z -enddate 20010101000000Z
certificate client-cert client-key ca "/O=OpenStack/CN=nova" "extendedKeyUsage=clientAuth"
certificate nameless-cert client-key ca "/O=OpenStack/OU=compute" "extendedKeyUsage=clientAuth"
certificate stranger-cert client-key other-ca "/O=OpenStack/CN=nova" "extendedKeyUsage=clientAuth"
