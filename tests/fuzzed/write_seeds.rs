//! Writes the first inputs of the fuzz targets: `cargo run --example fuzz_seeds -- DIR`, a folder for each target.
#[path = "mod.rs"]
mod fuzzed;
#[path = "../support/mod.rs"]
mod support;

fn main() -> std::io::Result<()> {
    let folder = std::path::PathBuf::from(std::env::args_os().nth(1).expect("a directory"));
    for (target, name, bytes) in fuzzed::seeds::all() {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
