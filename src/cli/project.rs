//! `project new|check`: the folder a data scientist owns.
//! Guesses are written down with their reasons; nothing is decided behind anybody's back.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::app::error::{UseCaseError, check_absent};
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::ids;
use crate::cli::Invocation;
use crate::cli::speak::output::Answer;
use crate::config::project::Project;
use crate::config::scaffold::{Wishes, draft};
use crate::data::infer::draft::{Hints, Inferred, infer};
use crate::decide::policy::PositiveIs;
use crate::registry::content::Purpose;

#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  tallystick project new --from loans.csv\n  tallystick project new --from loans.csv --target loan_status --positive 'Charged Off' --dir my-loans\n  tallystick project check my-loans"
)]
pub enum ProjectCommand {
    /// Write a folder that trains as it is, guessed from a file
    New(NewArguments),
    /// Check every file of a project, and that they fit each other
    Check {
        /// The project folder
        project: PathBuf,
    },
}

#[derive(Args)]
pub struct NewArguments {
    /// The data to guess from, CSV or Parquet
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The project's name [default: the folder's, else the file's]
    #[arg(long)]
    name: Option<String>,
    /// The new folder [default: the name]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The column with the outcome [default: guessed]
    #[arg(long)]
    target: Option<String>,
    /// The value of the target that the probability is of [default: guessed]
    #[arg(long)]
    positive: Option<String>,
    /// A column whose values name the part (fold) a row belongs to
    #[arg(long)]
    split: Option<String>,
    /// What the model is for; it sets what a policy must hold and may use
    #[arg(long, value_enum, default_value_t = PurposeWord::Credit)]
    purpose: PurposeWord,
    /// Whether the positive value is the unwanted one
    #[arg(long, value_enum, default_value_t = SideWord::Bad)]
    positive_is: SideWord,
}

#[derive(Clone, Copy, ValueEnum)]
enum PurposeWord {
    Credit,
    Marketing,
    Education,
}

#[derive(Clone, Copy, ValueEnum)]
enum SideWord {
    Bad,
    Good,
}

pub fn run(command: ProjectCommand, _invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        ProjectCommand::New(arguments) => new(&arguments),
        ProjectCommand::Check { project } => {
            let loaded = Project::load(&project, &[])?;
            let name = &loaded.settings.name;
            let features = loaded.recipe.features().len();
            let text = format!(
                "{name} holds together: {features} features, configuration {}.",
                loaded.digest.short()
            );
            Ok(Answer::new(text, json!({"name": name, "features": features, "config": loaded.digest})))
        }
    }
}

fn new(arguments: &NewArguments) -> Result<Answer, Failure> {
    let wishes = wishes(arguments)?;
    let folder = arguments.dir.clone().unwrap_or_else(|| PathBuf::from(&wishes.name));
    check_absent(&folder)?;
    let hints = Hints {
        target: arguments.target.clone(),
        positive: arguments.positive.clone(),
        split: arguments.split.clone(),
        protect: true,
    };
    let inferred = infer(&arguments.from, &hints)?;
    if inferred.target.is_none() {
        return Err(UseCaseError::NoTarget { source_name: wishes.source }.into());
    }
    write(&folder, &inferred, &wishes)?;
    Ok(answer(&folder, &inferred, arguments))
}

/// Writes the folder under another name first: what is there is whole, and holds together.
fn write(folder: &Path, inferred: &Inferred, wishes: &Wishes) -> Result<(), Failure> {
    let partial = files::partial_of(folder);
    files::remove_folder(&partial)?;
    for (file, text) in draft(inferred, wishes) {
        let path = partial.join(file);
        files::create_folder(path.parent().unwrap_or(&partial))?;
        files::write_atomic(&path, text.as_bytes(), 0o644)?;
    }
    if let Err(error) = Project::load(&partial, &[]) {
        files::remove_folder(&partial)?;
        return Err(error.into());
    }
    Ok(files::rename_durably(&partial, folder)?)
}

fn wishes(arguments: &NewArguments) -> Result<Wishes, Failure> {
    let source = arguments.from.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = arguments.dir.as_ref().and_then(|d| d.file_name()).map(|n| n.to_string_lossy().into_owned());
    let name = arguments.name.clone().unwrap_or_else(|| name_from(folder.as_deref().unwrap_or(&source)));
    ids::check_name(&name)?;
    let purpose = match arguments.purpose {
        PurposeWord::Credit => Purpose::Credit,
        PurposeWord::Marketing => Purpose::Marketing,
        PurposeWord::Education => Purpose::Education,
    };
    let positive_is = match arguments.positive_is {
        SideWord::Bad => PositiveIs::Bad,
        SideWord::Good => PositiveIs::Good,
    };
    Ok(Wishes { name, purpose, positive_is, source })
}

/// `My Loans 2024.csv` as `my-loans-2024`.
fn name_from(source: &str) -> String {
    let stem = source.split('.').next().unwrap_or(source).to_lowercase();
    let name: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    name.trim_matches('-').to_string()
}

fn answer(folder: &Path, inferred: &Inferred, arguments: &NewArguments) -> Answer {
    let count = |role| inferred.columns.iter().filter(|c| c.spec.role == role).count();
    let features = count(crate::data::contract::Role::Feature);
    let mut text = format!(
        "{} rows read; {} columns, {features} of them features.\n",
        inferred.rows_read,
        inferred.columns.len()
    );
    if let Some(target) = &inferred.target {
        text += &format!("The target is {:?}, positive {:?}.\n", target.column, target.positive);
    }
    let leaks: Vec<_> = inferred
        .suspicious
        .iter()
        .map(|s| json!({"column": s.column, "level": s.level, "why": s.message(), "reasons": s.reasons}))
        .collect();
    for suspicion in &inferred.suspicious {
        text += &format!("  set aside: {}\n", suspicion.message());
    }
    text += &format!(
        "{} is ready. Read its comments, then:\n  tallystick train {} --data {}",
        folder.display(),
        folder.display(),
        arguments.from.display()
    );
    let columns: Vec<_> = inferred
        .columns
        .iter()
        .map(|c| json!({"name": c.spec.name, "kind": c.spec.kind, "role": c.spec.role, "reason": c.reason}))
        .collect();
    let target = inferred.target.as_ref().map(|t| json!({"column": t.column, "positive": t.positive}));
    let json = json!({
        "folder": folder, "rows": inferred.rows_read, "target": target, "leaks": leaks, "columns": columns,
    });
    Answer::new(text, json)
}
