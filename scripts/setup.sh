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

# Rust comes from rustup: Debian's is too old.
need_rust() {
    [ -f "${CARGO_HOME:-$HOME/.cargo}/env" ] && . "${CARGO_HOME:-$HOME/.cargo}/env"
    if ! command -v cargo >/dev/null 2>&1; then
        say "missing: Rust $(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) or newer; install it from https://rustup.rs"
        return 1
    fi
    need build-essential:cc
}
