//! `demo`: from nothing to a decision in the browser, on the invented data of one of the demo projects.
//! Does what a person would do with the other commands, by the same use cases; a second time it reuses what is there.

mod plug;
pub(in crate::cli) mod show;
pub(in crate::cli) mod stage;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::error::check_absent;
use crate::base::fact::Failure;
use crate::base::files;
use crate::cli::Invocation;
use crate::cli::demo::stage::Demo;
use crate::cli::speak::output::Answer;
use crate::demo::project::{self, DemoProject, PROJECTS};
use crate::demo::sheet::SEED_DEFAULT;

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tallystick demo\n  tallystick demo --once --json\n  tallystick demo --pull-the-plug\n  tallystick demo --project bank-churn --dir /tmp/demo --rows 50000\n  tallystick demo data --project loan-approval --rows 5000 --seed 3 --out applications.csv"
)]
pub struct DemoArguments {
    /// Where the demo's home (unless --home says another), project, data and scores go
    #[arg(long, default_value = "tallystick-demo", value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    which: WhichProject,
    #[command(flatten)]
    drawn: Drawn,
    /// Stop after the decision instead of serving on
    #[arg(long)]
    once: bool,
    /// Kill the server in the middle of a stream of decisions, start it again and count what was lost
    #[arg(long, conflicts_with = "once")]
    pull_the_plug: bool,
    /// The port to serve on, on this machine alone [default: 8443, or the next that is free]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    #[command(subcommand)]
    part: Option<DemoPart>,
}

#[derive(Args)]
struct WhichProject {
    /// loan-default, loan-approval, subscription-churn, bank-churn or course-completion
    #[arg(long = "project", default_value = PROJECTS[0].name, value_name = "NAME")]
    name: String,
}

impl WhichProject {
    fn find(&self) -> Result<&'static DemoProject, Failure> {
        Ok(project::find(&self.name)?)
    }
}

#[derive(Args)]
struct Drawn {
    /// Invented rows to train on [default: some thousands]
    #[arg(long)]
    rows: Option<usize>,
    /// Another seed invents other rows
    #[arg(long, default_value_t = SEED_DEFAULT)]
    seed: u64,
}

impl Drawn {
    fn rows(&self, project: &DemoProject) -> usize {
        self.rows.unwrap_or(project.rows_default)
    }
}

#[derive(Subcommand)]
enum DemoPart {
    /// Only write the invented rows of a project as CSV
    Data {
        #[command(flatten)]
        which: WhichProject,
        #[command(flatten)]
        drawn: Drawn,
        /// A file that does not exist yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Only write a demo project's folder
    Project {
        #[command(flatten)]
        which: WhichProject,
        /// A folder that does not exist yet
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

pub fn run(arguments: DemoArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    match arguments.part {
        Some(DemoPart::Data { which, drawn, out }) => {
            check_absent(&out)?;
            let project = which.find()?;
            let (rows, seed) = (drawn.rows(project), drawn.seed);
            project.write_csv(&out, rows, seed)?;
            let text = format!("{rows} invented {} are in {}.", project.rows_are, out.display());
            Ok(Answer::new(text, json!({"project": project.name, "rows": rows, "seed": seed, "out": out})))
        }
        Some(DemoPart::Project { which, out }) => {
            check_absent(&out)?;
            let project = which.find()?;
            write_project(project, &out)?;
            let text = format!("The project {} is in {}.", project.name, out.display());
            Ok(Answer::new(text, json!({"project": project.name, "out": out})))
        }
        None if arguments.pull_the_plug => {
            let port = arguments.port;
            plug::pull(&Demo::new(arguments, invocation)?, port)
        }
        None => {
            let how = show::How { port: arguments.port, once: arguments.once };
            show::show(&Demo::new(arguments, invocation)?, &how)
        }
    }
}

fn write_project(project: &DemoProject, folder: &Path) -> Result<(), Failure> {
    for (name, text) in project.files {
        let path = folder.join(name);
        files::create_folder(path.parent().unwrap_or(folder))?;
        files::write_atomic(&path, text.as_bytes(), 0o644)?;
    }
    Ok(())
}
