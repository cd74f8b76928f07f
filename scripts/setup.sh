# Sourced by the other scripts: makes sure that the programs they need are there, or says which are missing.

say() { printf '%s\n' "$*" >&2; }

# need PACKAGE:PROGRAM ...: installs the Debian packages of programs that are missing, or names them and fails.
need() {
    local missing=() pair
    for pair in "$@"; do
        command -v "${pair#*:}" >/dev/null 2>&1 || missing+=("${pair%%:*}")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing ${missing[*]}"
        apt-get update -qq >/dev/null
        # Programs are wanted, not the services that some of them bring.
        SYSTEMD_OFFLINE=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
        return 0
    fi
    say "missing: ${missing[*]}; install with: sudo apt-get install ${missing[*]}"
    return 1
}

# target_for MACHINE: what to build for to have it run on MACHINE, as `uname -m` says there: a static binary if the target for musl
# is installed, else, on this machine alone, one for its glibc. For another machine it fails, and says what to install.
target_for() {
    local musl=$1-unknown-linux-musl
    if [ -d "$(rustc --print sysroot)/lib/rustlib/$musl/lib" ]; then
        echo "$musl"
    elif [ "$1" = "$(uname -m)" ]; then
        echo "$1-unknown-linux-gnu"
    else
        say "no packages for $1; for these: rustup target add $musl"
        return 1
    fi
}

# A Rust that is new enough; else says which command helps. That of Debian's package cargo is too old for Cargo.toml, and stops
# at its first line that it does not know.
need_rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    [ -f "${CARGO_HOME:-$HOME/.cargo}/env" ] && . "${CARGO_HOME:-$HOME/.cargo}/env"
    found=$(cargo --version 2>/dev/null | cut -d' ' -f2) || true
    if [ -z "$found" ] || [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -1)" != "$wanted" ]; then
        say "Rust $wanted or newer is needed; there is ${found:-none}. Install it with one of:"
        say "  sudo apt-get install rustup && rustup default stable     (Debian 13 and later, Ubuntu 24.04 and later)"
        say "  curl --proto '=https' -sSf https://sh.rustup.rs | sh     (everywhere; then open a new shell)"
        say "or update it with: rustup update stable"
        return 1
    fi
    need build-essential:cc
}
