//! `manual` and `completions`: what `man` and a shell read of the commands, made from the same definition that parses
//! them. Never says anything of a command that its help does not.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use crate::base::fact::{Class, Fact, Failure, nearest};
use crate::base::files;
use crate::cli::speak::output::Answer;

/// Everybody may read the manual.
const PAGE_MODE: u32 = 0o644;

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
#[error("there is no command {found:?}")]
struct NoCommand {
    found: String,
    near: Option<String>,
}

impl Fact for NoCommand {
    fn code(&self) -> &'static str {
        "manual.no_command"
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        Some(match &self.near {
            Some(near) => format!("Did you mean `{near}`?"),
            None => "See `tallystick --help` for the commands there are.".into(),
        })
    }
}

pub fn run(arguments: &ManualArguments, program: Command) -> Result<Answer, Failure> {
    let program = built(program);
    match &arguments.dir {
        Some(dir) => write_all(&program, dir),
        None => {
            let page = page_of(find(&program, &arguments.words)?);
            Ok(Answer::new(page.clone(), json!({ "page": page })))
        }
    }
}

pub fn complete(arguments: &CompletionsArguments, program: Command) -> Answer {
    let (mut program, mut script) = (for_people(&program), Vec::new());
    clap_complete::generate(arguments.shell, &mut program, "tallystick", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Answer::new(script.clone(), json!({ "shell": arguments.shell.to_string(), "script": script }))
}

/// Without the commands that are hidden, which shells would offer.
fn for_people(program: &Command) -> Command {
    Command::new("tallystick")
        .version(env!("CARGO_PKG_VERSION"))
        .args(program.get_arguments().cloned())
        .groups(program.get_groups().cloned())
        .subcommands(shown(program).cloned())
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

fn find<'c>(program: &'c Command, words: &[String]) -> Result<&'c Command, NoCommand> {
    words.iter().enumerate().try_fold(program, |command, (at, word)| {
        let found = shown(command).find(|inner| inner.get_name() == word);
        found.ok_or_else(|| {
            let before = &words[..at];
            let named = |last: &str| [before, &[last.to_string()]].concat().join(" ");
            let near = nearest(word, shown(command).map(Command::get_name)).map(named);
            NoCommand { found: named(word), near }
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

fn write_all(program: &Command, dir: &Path) -> Result<Answer, Failure> {
    files::create_folder(dir)?;
    let mut names = Vec::new();
    let mut waiting = vec![program];
    while let Some(command) = waiting.pop() {
        files::write_atomic(&dir.join(name_of(command)), page_of(command).as_bytes(), PAGE_MODE)?;
        names.push(name_of(command));
        waiting.extend(shown(command));
    }
    names.sort_unstable();
    let text = format!("{} pages are in {}", names.len(), dir.display());
    Ok(Answer::new(text, json!({ "dir": dir, "pages": names })))
}
