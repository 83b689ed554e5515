#!/usr/bin/env bash
# Installs what the tests need and runs all of them: bash tests/run.sh [arguments of cargo test]
#
# On Debian and Ubuntu missing packages are installed by apt, as root or through sudo; no
# service is started or enabled by that. With everything in place nothing is installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Each line: how to see that it is there, and the package that brings it.
missing_packages() {
    [ -x /usr/sbin/dovecot ] || echo dovecot-imapd
    [ -x /usr/lib/dovecot/imap ] || echo dovecot-imapd
    [ -x /usr/lib/dovecot/pop3 ] || echo dovecot-pop3d
    [ -x /usr/lib/dovecot/lmtp ] || echo dovecot-lmtpd
    command -v openssl >/dev/null || echo openssl
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
    for unit in dovecot.service dovecot.socket; do
        if [ ! -e "/etc/systemd/system/$unit" ] && [ ! -e "/lib/systemd/system/$unit" ]; then
            as_root mkdir -p /etc/systemd/system
            as_root ln -s /dev/null "/etc/systemd/system/$unit"
        fi
    done
    "$@"
)

install() {
    as_root apt-get -q update
    without_services as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "$@"
}

mapfile -t missing < <(missing_packages | sort -u)
if [ "${#missing[@]}" -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "The tests need these, under the names that Debian has for them: ${missing[*]}" >&2
        exit 1
    fi
    install "${missing[@]}"
fi

export SMARTEMAIL_TEST_SERVERS=required
exec cargo test --locked "$@"
