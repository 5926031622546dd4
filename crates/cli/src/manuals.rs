//! `quoteclock manuals`: shell completions and man pages, for whoever packages the program.

use crate::{Outcome, output};
use anyhow::{Context, Result};
use clap::ValueEnum;
use clap_complete::Shell;
use std::path::PathBuf;

/// Write shell completions and man pages to a folder.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  quoteclock manuals --out share

Writes DIR/completions (bash, elvish, fish, powershell, zsh) and DIR/man1.")]
pub(crate) struct ManualsArgs {
    /// Folder to write to; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the command; `command` is the program as a whole.
pub(crate) fn run(args: &ManualsArgs, mut command: clap::Command) -> Result<Outcome> {
    let folder = |name| {
        let folder = args.out.join(name);
        let made = std::fs::create_dir_all(&folder).with_context(|| format!("making the folder {}", folder.display()));
        made.map(|()| folder)
    };
    let (completions, pages) = (folder("completions")?, folder("man1")?);
    for shell in Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut command, "quoteclock", &completions)
            .with_context(|| format!("writing to {}", completions.display()))?;
    }
    clap_mangen::generate_to(command, &pages).with_context(|| format!("writing to {}", pages.display()))?;
    output::print(&format!("{}, {}\n", completions.display(), pages.display()))?;
    Ok(Outcome::Done)
}
