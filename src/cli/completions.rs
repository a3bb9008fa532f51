//! The commands `sealwright completions` and `sealwright man`: what the shell and `man` know of the command line.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{CliError, examples, output};

#[derive(clap::Args)]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(clap::Args)]
pub struct ManArguments {
    /// Folder to write the pages of all commands into; without it, the first page is printed
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Runs `sealwright completions`: prints the script for a shell.
pub fn completions(arguments: &Arguments) {
    let shell = match arguments.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut command = examples::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    output::text(&script);
}

/// Runs `sealwright man`: prints the first page, or writes the pages of all commands.
pub fn man(arguments: &ManArguments) -> Result<(), CliError> {
    let Some(folder) = &arguments.output else {
        let mut page = Vec::new();
        clap_mangen::Man::new(examples::command()).render(&mut page)?;
        output::text(&page);
        return Ok(());
    };
    let failed = |error: std::io::Error| CliError::Failed(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(examples::command(), folder).map_err(failed)
}
