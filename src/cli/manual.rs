//! `manual` and `completions`: what `man` and a shell read of the commands, made from the same definition that parses
//! them. Never says anything of a command that its help does not.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use crate::base::fact::{Class, Fact, Failure, nearest};
use crate::base::files::{self, FileError};
use crate::cli::speak::output::Answer;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tallystick manual | man -l -\n  tallystick manual model promote | man -l -\n  tallystick manual --dir /usr/local/share/man/man1"
)]
pub struct ManualArguments {
    /// The command whose page is written to stdout [default: that of the program]
    #[arg(value_name = "COMMAND")]
    words: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "words")]
    dir: Option<PathBuf>,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tallystick completions bash > /etc/bash_completion.d/tallystick\n  tallystick completions fish > ~/.config/fish/completions/tallystick.fish"
)]
pub struct CompletionsArguments {
    /// The shell that is to complete
    shell: Shell,
}

#[derive(Debug, thiserror::Error)]
enum ManualError {
    #[error("there is no command {found:?}")]
    NoCommand { found: String, near: Option<String> },
    #[error(transparent)]
    File(#[from] FileError),
}

impl Fact for ManualError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoCommand { .. } => "manual.no_command",
            Self::File(error) => error.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NoCommand { .. } => Class::Usage,
            Self::File(error) => error.class(),
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::NoCommand { near: Some(near), .. } => Some(format!("Did you mean `{near}`?")),
            Self::NoCommand { .. } => Some("See `tallystick --help` for the commands there are.".into()),
            Self::File(error) => error.next_step(),
        }
    }
}

pub fn run(arguments: &ManualArguments, program: Command) -> Result<Answer, Failure> {
    let program = built(program);
    match &arguments.dir {
        Some(dir) => Ok(write_all(&program, dir)?),
        None => {
            let page = page_of(find(&program, &arguments.words)?);
            Ok(Answer::new(page.clone(), json!({ "page": page })))
        }
    }
}

pub fn complete(arguments: &CompletionsArguments, mut program: Command) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "tallystick", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Answer::new(script.clone(), json!({ "shell": arguments.shell.to_string(), "script": script }))
}

/// With the name of each command's page; `help` is no command of its own, it repeats all others.
fn built(program: Command) -> Command {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    program
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|inner| !inner.is_hide_set())
}

fn find<'c>(program: &'c Command, words: &[String]) -> Result<&'c Command, ManualError> {
    words.iter().enumerate().try_fold(program, |command, (at, word)| {
        let found = shown(command).find(|inner| inner.get_name() == word);
        found.ok_or_else(|| {
            let before = &words[..at];
            let named = |last: &str| [before, &[last.to_string()]].concat().join(" ");
            let near = nearest(word, shown(command).map(Command::get_name)).map(named);
            ManualError::NoCommand { found: named(word), near }
        })
    })
}

fn page_of(command: &Command) -> String {
    let mut page = Vec::new();
    // Nothing but memory is written to.
    let _ = Man::new(command.clone()).manual("Tallystick").render(&mut page);
    String::from_utf8_lossy(&page).into_owned()
}

fn name_of(command: &Command) -> String {
    format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name()))
}

fn write_all(program: &Command, dir: &Path) -> Result<Answer, ManualError> {
    files::create_folder(dir)?;
    let mut names = Vec::new();
    let mut waiting = vec![program];
    while let Some(command) = waiting.pop() {
        let path = dir.join(name_of(command));
        std::fs::write(&path, page_of(command)).map_err(files::at(&path))?;
        names.push(name_of(command));
        waiting.extend(shown(command));
    }
    names.sort_unstable();
    let text = format!("{} pages are in {}", names.len(), dir.display());
    Ok(Answer::new(text, json!({ "dir": dir, "pages": names })))
}
