//! Parses arguments, calls a command, maps errors to exit codes.

fn main() {}
