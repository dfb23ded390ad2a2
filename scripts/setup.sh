#!/usr/bin/env bash
# Installs the prerequisites of the tests other than npm packages: the Python oslo.messaging with its AMQP 1.0 driver,
# RabbitMQ, Chromium, Firefox, WebKitGTK and a virtual screen for them, a Java runtime, and, into .cache/, a current Node,
# ActiveMQ Artemis, Qpid Broker-J, a newer oslo.messaging, and the newest RabbitMQ of Debian. Skips everything that is
# already installed. Starts no service.
set -euo pipefail
cd "$(dirname "$0")/.."

node_version=26.10.0
node_home=.cache/node-$node_version
artemis_version=2.44.0
artemis_sha256=d711e6aacd43fd2e3e90993260b2ad391a2e13392d6100e8f6f304f8a7bee801
artemis_home=.cache/apache-artemis-$artemis_version
broker_j_version=9.2.1
broker_j_sha256=bfbfbcffc6a8ad904f97edc6dcebc688f232b582843b9cb1f240decb8b8a181a
broker_j_home=.cache/apache-qpid-broker-j-$broker_j_version
newer_oslo_version=18.3.1
newer_oslo_home=.cache/oslo.messaging-$newer_oslo_version
rabbitmq_sid=.cache/rabbitmq-sid

has_python() { /usr/bin/python3 -c 'import oslo_messaging._drivers.impl_amqp1, pyngus, proton' 2>/dev/null; }
has_sasl() { compgen -G '/usr/lib/*/sasl2/libplain.so*' >/dev/null; }
has_rabbitmq() { [ -x /usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/sbin/rabbitmq-server ]; }
has_chromium() { [ -x /usr/bin/chromium ]; }
has_firefox() { [ -x /usr/bin/firefox-esr ]; }
has_webkit() { [ -x /usr/bin/WebKitWebDriver ]; }
has_java() {
  local version
  version=$(java -version 2>&1 | sed -nE 's/.* version "([0-9]+).*/\1/p') && [ "${version:-0}" -ge 17 ]
}
has_node() { [ -x "$node_home/node_modules/node/bin/node" ]; }
has_artemis() { [ -d "$artemis_home" ]; }
has_broker_j() { [ -d "$broker_j_home" ]; }
has_newer_oslo() { [ -d "$newer_oslo_home" ]; }
has_venv() { /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null; }
has_rabbitmq_sid() { [ -d "$rabbitmq_sid" ]; }
has_command() { command -v "$1" >/dev/null; }

# Runs apt-get. While another process holds a lock of apt or dpkg, says so once and tries again, for ten minutes.
apt_get() {
  local errors said=
  local deadline=$((SECONDS + 600))
  until errors=$(DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qq "$@" 2>&1 >/dev/null); do
    if [[ $errors != *"Could not get lock"* ]] || [ "$SECONDS" -ge "$deadline" ]; then
      echo "$errors" >&2
      return 1
    fi
    [ -n "$said" ] || echo "Waiting for another package manager: ${errors%%$'\n'*}"
    said=yes
    sleep 2
  done
}

# Installs packages without starting their services: the tests start RabbitMQ themselves.
install_packages() {
  local policy=/usr/sbin/policy-rc.d made= status=0
  if [ ! -e "$policy" ]; then
    made=yes
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  apt_get install -y --no-install-recommends "$@" || status=$?
  if [ -n "$made" ]; then
    rm "$policy"
    trap - EXIT
  fi
  return "$status"
}

missing=()
packages=()
need() { # name, Debian packages
  missing+=("$1")
  shift
  packages+=("$@")
}
has_python || need "Python's oslo.messaging with pyngus and proton" python3-oslo.messaging python3-pyngus python3-qpid-proton
has_sasl || need "SASL PLAIN for Python's proton" libsasl2-modules
has_rabbitmq || need "RabbitMQ 3.10.8" rabbitmq-server
has_chromium || need "Chromium" chromium
has_firefox || need "Firefox" firefox-esr
has_webkit || need "WebKitGTK with its WebDriver" webkit2gtk-driver
has_command Xvfb || need "Xvfb, a virtual screen for browsers" xvfb
has_command certutil || need "certutil, to add a CA to browsers" libnss3-tools
has_java || need "a Java runtime, 17 or newer" openjdk-17-jre-headless
has_artemis && has_broker_j || has_command mvn || need "Maven, to download brokers" maven
has_artemis || has_command unzip || need "unzip, to unpack ActiveMQ Artemis" unzip
has_newer_oslo || has_venv || need "venv, to install oslo.messaging $newer_oslo_version" python3-venv
has_rabbitmq_sid || has_command mmdebstrap || need "mmdebstrap, to unpack the RabbitMQ of Debian sid" mmdebstrap

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ] || ! has_command apt-get; then
    {
      echo "Missing prerequisites of the tests:"
      printf '  - %s\n' "${missing[@]}"
      echo "On Debian 12, install them with: sudo apt-get install -y --no-install-recommends ${packages[*]}"
    } >&2
    exit 1
  fi
  echo "Installing: ${packages[*]}"
  apt_get update
  install_packages "${packages[@]}"
fi
echo "RabbitMQ $(dpkg-query --show --showformat '${Version}' rabbitmq-server)"

# Not a dependency in package.json: npm scripts would run with its node command.
has_node || {
  echo "Downloading Node $node_version"
  npm install --silent --no-audit --no-fund --prefix "$node_home" "node@$node_version"
}

trap 'rm -rf .cache/fetched.$$.*' EXIT
mkdir -p .cache

# One move at the end: a folder of .cache is always complete, even if another process makes it at the same time.
keep() { # folder, destination
  mv -T "$1" "$2" 2>/dev/null || [ -d "$2" ]
}

fetch() { # Maven artifact, its sha256, folder in the archive, destination
  echo "Downloading $1"
  local fetched archive
  fetched=$(mktemp -d ".cache/fetched.$$.XXXXXX")
  mvn -B -q -C org.apache.maven.plugins:maven-dependency-plugin:2.8:copy -Dartifact="$1" -DoutputDirectory="$fetched"
  archive=$(echo "$fetched"/*)
  echo "$2  $archive" | sha256sum --check --quiet
  case $archive in
    *.zip) unzip -q "$archive" -d "$fetched" ;;
    *) tar -xzf "$archive" -C "$fetched" ;;
  esac
  keep "$fetched/$3" "$4"
}

has_artemis || fetch "org.apache.activemq:apache-artemis:$artemis_version:zip:bin" \
  "$artemis_sha256" "apache-artemis-$artemis_version" "$artemis_home"
has_broker_j || fetch "org.apache.qpid:apache-qpid-broker-j:$broker_j_version:tar.gz:bin" \
  "$broker_j_sha256" "qpid-broker/$broker_j_version" "$broker_j_home"

fetch_newer_oslo() {
  echo "Downloading oslo.messaging $newer_oslo_version"
  local fetched
  fetched=$(mktemp -d ".cache/fetched.$$.XXXXXX")
  /usr/bin/python3 -m venv "$fetched/venv"
  "$fetched/venv/bin/python" -m pip install --quiet --no-deps --requirement test/fixtures/python/requirements.txt
  keep "$fetched/venv" "$newer_oslo_home"
}

# Unpacks RabbitMQ and the packages that it needs into a folder, from which the tests run it by chroot: it needs a newer
# libc than that of Debian 12. The packages after it are those whose commands its scripts call.
fetch_rabbitmq_sid() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "Missing: the RabbitMQ of Debian sid, which root can unpack: sudo bash scripts/setup.sh" >&2
    exit 1
  fi
  echo "Downloading the RabbitMQ of Debian sid"
  local fetched
  fetched=$(mktemp -d ".cache/fetched.$$.XXXXXX")
  mmdebstrap --quiet --variant=extract --aptopt='Acquire::Retries "5"' --aptopt='Acquire::Check-Valid-Until "false"' \
    --include=rabbitmq-server,base-files,dash,bash,coreutils,sed,grep,gawk,hostname,procps sid "$fetched/sid"
  ln -sfn dash "$fetched/sid/usr/bin/sh"
  echo "127.0.0.1 localhost" >"$fetched/sid/etc/hosts"
  keep "$fetched/sid" "$rabbitmq_sid"
}

has_newer_oslo || fetch_newer_oslo
has_rabbitmq_sid || fetch_rabbitmq_sid
rabbitmq_sid_home=$(compgen -G "$rabbitmq_sid/usr/lib/rabbitmq/lib/rabbitmq_server-*")
echo "RabbitMQ ${rabbitmq_sid_home##*-} of Debian sid"
