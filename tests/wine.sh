#!/usr/bin/env bash
# Builds smartemail.exe and tests it under Wine: bash tests/wine.sh
#
# Two goes. "In Windows": the unit tests and the test programs that need no server, built for
# Windows and run there. "From Linux": test programs of the Linux build with their servers, whose
# program is the .exe. What is left out of the second, and why, stands below; what is left out of
# the first is marked #[cfg(unix)] where it stands.
#
# What is missing is installed (on Debian and Ubuntu, as root or through sudo; Rust's part by
# rustup). Wine knows no rights for root, so the tests run as an ordinary user: for root as
# "nobody", who must be able to read this folder and cargo's. Exit code 3: they can't be run here.
set -euo pipefail
# What each build is for is said below, and what cargo says is read.
unset CARGO_BUILD_TARGET
export CARGO_TERM_COLOR=never
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Test programs whose servers run on Linux.
beside=(brake certificates crash graph_inbox imap lock msal notices pop quarantine sign_in smail xoauth2)
# Their tests that Wine can't do justice to.
left_out=(
    # They ask the mailbox itself, without the program.
    faults:: hostile:: mails:: turns::
    # On a busy machine Wine takes over a minute for its files.
    two_thousand_mails_cost_few_durable_writes_of_the_journal
    # The memory that is measured is Wine's as well.
    saved_mails_are_the_server_s_bytes
    # Wine's schannel knows no certificates for addresses, and versions of TLS of its own.
    each_server_and_port_has_its_own
    exits::every_code_has_its_reasons
    languages::what_is_no_word_of_a_server_s_is_in_french_too
    tls::the_version_is_a_floor
    # Windows looks at a certificate on a connection of its own, so another one would have to break.
    a_certificate_that_changes_within_a_first_run_is_refused_before_the_log_in
    # The language of Windows is not one of the environment.
    languages::the_language_is_the_one_asked_for_or_the_system_s
    # They start the program by links, which lead to the Linux build.
    names::
)

windows=x86_64-pc-windows-gnu
build=$(realpath -m "${CARGO_TARGET_DIR:-target}")
# The prefix, the runner and all that the tests write: an ordinary user's.
place=$build/wine
wine=/usr/lib/wine/wine64
server=/usr/lib/wine/wineserver64

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

nobody() {
    setpriv --reuid nobody --regid nogroup --clear-groups -- "$@"
}

mkdir -p "$place/tmp"
lends=false
if [ "$(id -u)" -eq 0 ]; then
    if nobody test -r "$PWD/Cargo.toml" && nobody test -x "$place"; then
        lends=true
    else
        echo "nobody can't read $PWD or $build, so no ordinary user can run the tests there" >&2
        exit 3
    fi
fi

as_user() {
    if $lends; then
        nobody env HOME="$place" TMPDIR="$place/tmp" "$@"
    else
        env TMPDIR="$place/tmp" "$@"
    fi
}

missing=()
command -v x86_64-w64-mingw32-gcc >/dev/null || missing+=(gcc-mingw-w64-x86-64-win32)
[ -x "$wine" ] || missing+=(wine64)
if [ "${#missing[@]}" -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "The Windows tests need these, under the names that Debian has for them: ${missing[*]}" >&2
        exit 3
    fi
    as_root apt-get -q update || exit 3
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 \
        -o APT::Sandbox::User=root install -y --no-install-recommends "${missing[@]}" || exit 3
fi
if [ ! -d "$(rustc --print target-libdir --target $windows)" ]; then
    rustup target add $windows || exit 3
fi

cat >"$place/run" <<RUN
#!/bin/sh
# Runs a Windows program in the prefix of the tests: run PROGRAM.exe [ARGUMENT...]
export WINEPREFIX='$place/prefix' WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml='
# The same for all, or there would be several servers of Wine, each with a registry of its own.
export HOME='$place' TMPDIR='$place/tmp' LC_ALL=C.UTF-8
unset DISPLAY
exec $wine "\$@"
RUN
cat >"$place/smartemail" <<RUN
#!/bin/sh
exec '$place/run' '$build/$windows/debug/smartemail.exe' "\$@"
RUN
chmod 755 "$place/run" "$place/smartemail"
# Wine 8 lacks a library that Rust's standard library takes its random numbers from.
if [ ! -e "$place/bcryptprimitives.dll" ]; then
    x86_64-w64-mingw32-gcc -shared -O2 -o "$place/bcryptprimitives.dll" -x c - -ladvapi32 <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(void *bytes, ULONG count);
__declspec(dllexport) BOOL WINAPI ProcessPrng(unsigned char *bytes, SIZE_T count) {
    while (count > 0) {
        ULONG part = count > 1 << 30 ? 1 << 30 : (ULONG)count;
        if (!SystemFunction036(bytes, part)) return FALSE;
        bytes += part;
        count -= part;
    }
    return TRUE;
}
C
fi
rm -f "$place/idle"
if $lends; then chown -R nobody:nogroup "$place"; fi
if [ ! -e "$place/prefix/made" ]; then
    as_user "$place/run" wineboot --init 2>/dev/null
    system=$place/prefix/drive_c/windows/system32
    [ -e "$system/bcryptprimitives.dll" ] || as_user cp "$place/bcryptprimitives.dll" "$system/"
    # Wine 8 says that it is Windows 7.
    as_user "$place/run" reg add 'HKCU\Software\Wine' /v Version /d win10 /f >/dev/null
    # A program that crashes is to end, with its exit code.
    as_user "$place/run" reg add 'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug' /v Debugger /d '' /f >/dev/null
    as_user env WINEPREFIX="$place/prefix" "$server" --wait
    # Made and made known to the prefix by the tests.
    rm -rf "$place/tmp"/certificates-*
    as_user touch "$place/prefix/made"
fi
# One server for all programs, which none of them takes with it when it is killed.
as_user env WINEPREFIX="$place/prefix" "$server" --kill || true
as_user env WINEPREFIX="$place/prefix" "$server" --persistent
trap 'as_user env WINEPREFIX="$place/prefix" "$server" --kill' EXIT
# And one program that stays: with the last one Wine ends its services, whose start takes long.
mkfifo "$place/idle"
as_user "$place/run" cmd <>"$place/idle" >/dev/null 2>&1 &

export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
log=$place/cargo.log
programs=()

# Builds tests and notes the paths of their programs: build_tests [ARGUMENT OF CARGO TEST...]
build_tests() {
    cargo test --locked --no-run "$@" 2>&1 | tee "$log"
    mapfile -t programs < <(sed -n 's/^ *Executable [^(]*(\(.*\))$/\1/p' "$log")
    if [ "${#programs[@]}" -eq 0 ]; then
        echo "no test program was built" >&2
        exit 1
    fi
}

# Runs a test program and counts: tested WHERE PROGRAM [ARGUMENT...]
# It has three goes: now and then Wine doesn't start a program.
total=0
failed=()
tested() {
    local where=$1 program=$2 name go passed
    shift 2
    name=$(basename "$program" .exe | sed 's/-[0-9a-f]*$//')
    for go in 1 2 3; do
        if as_user timeout 900 env TZ=UTC "$@" >"$place/$name.txt" 2>&1; then break; fi
        echo "$where: $name failed at go $go: $(grep -A1 'panicked at' "$place/$name.txt" | tr '\n' ' ')"
    done
    if grep -q '^test result: ok' "$place/$name.txt"; then
        passed=$(sed -n 's/^test result: ok\. \([0-9]*\) passed.*/\1/p' "$place/$name.txt")
        if [ "$passed" -gt 0 ]; then
            printf '%-11s %-20s %4d passed\n' "$where" "$name" "$passed"
        fi
        total=$((total + passed))
    else
        cat "$place/$name.txt"
        failed+=("$name")
    fi
}

build_tests --target $windows --lib --bins --tests
for program in "${programs[@]}"; do
    tested "in Windows" "$program" "$place/run" "$program"
done

export SMARTEMAIL_TEST_SERVERS=required
names=()
for name in "${beside[@]}"; do names+=(--test "$name"); done
skipped=()
for name in "${left_out[@]}"; do skipped+=(--skip "$name"); done
in_windows=$total
build_tests "${names[@]}"
for program in "${programs[@]}"; do
    tested "from Linux" "$program" env SMARTEMAIL_EXE="$place/smartemail" SMARTEMAIL_TEST_FOLDER="$place/tmp" \
        SMARTEMAIL_CRASH_RUNS=8 "$program" "${skipped[@]}"
done

if [ "${#failed[@]}" -gt 0 ]; then
    echo "failed under Wine: ${failed[*]}" >&2
    exit 1
fi
echo "Wine: $total tests passed, $in_windows in Windows and $((total - in_windows)) from Linux; left out of these: ${left_out[*]}"
