#!/usr/bin/env bash
# Installs what the tests need and runs all of them: bash tests/run.sh [arguments of cargo test]
#
# On Debian and Ubuntu missing packages are installed by apt, as root or through sudo; no
# service is started or enabled by that. Servers on Node.js go to tests/npm/node_modules,
# Cyrus to the target folder. With everything in place nothing is installed or downloaded.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Where the tests look for it: CARGO_TARGET_TMPDIR/cyrus.
cyrus=${CARGO_TARGET_DIR:-target}/tmp/cyrus

# Each line: how to see that it is there, and the package that brings it.
missing_packages() {
    [ -x /usr/sbin/dovecot ] || echo dovecot-imapd
    [ -x /usr/lib/dovecot/imap ] || echo dovecot-imapd
    [ -x /usr/lib/dovecot/pop3 ] || echo dovecot-pop3d
    [ -x /usr/lib/dovecot/lmtp ] || echo dovecot-lmtpd
    [ -x /usr/lib/cyrus/bin/master ] || echo cyrus-common
    [ -x /usr/sbin/saslpasswd2 ] || echo sasl2-bin
    compgen -G '/usr/lib/*/sasl2/libplain.so' >/dev/null || echo libsasl2-modules
    compgen -G '/usr/lib/*/sasl2/libsasldb.so' >/dev/null || echo libsasl2-modules-db
    [ -e /usr/share/doc/exim4-daemon-heavy ] || echo exim4-daemon-heavy
    command -v node >/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
    command -v openssl >/dev/null || echo openssl
    command -v xmllint >/dev/null || echo libxml2-utils
    command -v setpriv >/dev/null || echo util-linux
    command -v cc >/dev/null || echo build-essential
    command -v pkg-config >/dev/null || echo pkg-config
    pkg-config --exists openssl 2>/dev/null || echo libssl-dev
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian starts a service when its package is installed, on ports that may be in use, and
# enables it for the next boot. The tests start their own servers; these stay silent.
# (A subshell: its trap takes the policy away however it ends.)
without_services() (
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'as_root rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    for unit in {dovecot,cyrus-imapd,saslauthd,exim4}.service dovecot.socket exim4-base.timer; do
        if [ ! -e "/etc/systemd/system/$unit" ] && [ ! -e "/lib/systemd/system/$unit" ]; then
            as_root mkdir -p /etc/systemd/system
            as_root ln -s /dev/null "/etc/systemd/system/$unit"
        fi
    done
    "$@"
)

# A folder of its own for what is downloaded: another apt on the same machine may empty the
# common one at any moment.
install() (
    archives=$(mktemp -d)
    trap 'as_root rm -rf "$archives"' EXIT
    mkdir "$archives/partial"
    chmod 755 "$archives"
    without_services as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o DPkg::Lock::Timeout=600 -o "Dir::Cache::archives=$archives" \
        -o APT::Sandbox::User=root install -y --no-install-recommends "$@"
)

cyrus_version() { dpkg-query --show --showformat '${Version}' cyrus-common; }

# Debian's Cyrus and its Dovecot exclude each other: only what they share is installed, the
# servers of Cyrus are unpacked beside it.
unpack_cyrus() (
    debs=$(mktemp -d)
    trap 'rm -rf "$debs"' EXIT
    rm -rf "$cyrus"
    mkdir -p "$cyrus"
    version=$(cyrus_version)
    (
        cd "$debs"
        apt-get -q -o APT::Sandbox::User=root download "cyrus-imapd=$version" "cyrus-pop3d=$version"
    )
    for deb in "$debs"/*.deb; do dpkg -x "$deb" "$cyrus"; done
    cyrus_version >"$cyrus/version"
)

mapfile -t missing < <(missing_packages | sort -u)
if [ "${#missing[@]}" -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "The tests need these, under the names that Debian has for them: ${missing[*]}" >&2
        exit 1
    fi
    if [[ " ${missing[*]} " == *" npm "* ]]; then
        echo "Debian's npm brings some 400 packages and takes minutes: install Node.js with its own npm to save them."
    fi
    as_root apt-get -q update
    install "${missing[@]}"
fi
if [ "$(cat "$cyrus/version" 2>/dev/null)" != "$(cyrus_version)" ]; then
    unpack_cyrus
fi
if ! cmp -s tests/npm/package-lock.json tests/npm/node_modules/installed.json; then
    npm ci --prefix tests/npm --omit=dev --ignore-scripts --no-audit --no-fund
    cp tests/npm/package-lock.json tests/npm/node_modules/installed.json
fi

export SMARTEMAIL_TEST_SERVERS=required
exec cargo test --locked "$@"
