//! Writes the seeds of each target into files, for `cargo fuzz`: `cargo run -p seedance-archiver-fuzz --example seeds DIR`
//! creates `DIR/TARGET/seed-N`.

use std::{env, fs, io, path::PathBuf};

use seedance_archiver_fuzz::TARGETS;

fn main() -> io::Result<()> {
    let directory = PathBuf::from(env::args_os().nth(1).unwrap_or_else(|| "seeds".into()));
    for target in TARGETS {
        let directory = directory.join(target.name);
        fs::create_dir_all(&directory)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(directory.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
