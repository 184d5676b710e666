//! The five demo projects: the folder of each, as it is committed beside the fixtures and carried in the binary,
//! and the generator of its data. No folder is ever written by a program: a person edits the fixture.

use std::path::Path;

use crate::data::table::Table;
use crate::demo::sheet::{self, DemoError};
use crate::demo::{bank_churn, course_completion, loan_approval, loan_default, subscription_churn};

/// A project of the demo.
pub struct DemoProject {
    /// Also the name of its folder and of its model.
    pub name: &'static str,
    /// What its rows are, as the demo speaks of them.
    pub rows_are: &'static str,
    /// Path below the project folder, and text.
    pub files: [(&'static str, &'static str); 10],
    /// Rows when nobody says otherwise.
    pub rows_default: usize,
    generate: fn(usize, u64) -> Result<Table, DemoError>,
}

/// The files of one committed folder.
macro_rules! folder {
    ($name:literal) => {
        folder!($name: "project.toml", "contract.toml", "expectations.toml", "recipe.toml", "train.toml",
            "gates.toml", "policy.toml", "text/en.toml", "schedule.toml", "monitor.toml")
    };
    ($name:literal: $($file:literal),*) => {
        [$(($file, include_str!(concat!("../../fixtures/projects/", $name, "/", $file)))),*]
    };
}

/// The first is the one that is meant where none is named.
pub static PROJECTS: [DemoProject; 5] = [
    DemoProject {
        name: "loan-default",
        rows_are: "loans",
        files: folder!("loan-default"),
        rows_default: loan_default::ROWS_DEFAULT,
        generate: loan_default::loan_default,
    },
    DemoProject {
        name: "loan-approval",
        rows_are: "applications",
        files: folder!("loan-approval"),
        rows_default: loan_approval::ROWS_DEFAULT,
        generate: loan_approval::loan_approval,
    },
    DemoProject {
        name: "subscription-churn",
        rows_are: "subscribers",
        files: folder!("subscription-churn"),
        rows_default: subscription_churn::ROWS_DEFAULT,
        generate: subscription_churn::subscription_churn,
    },
    DemoProject {
        name: "bank-churn",
        rows_are: "customers",
        files: folder!("bank-churn"),
        rows_default: bank_churn::ROWS_DEFAULT,
        generate: bank_churn::bank_churn,
    },
    DemoProject {
        name: "course-completion",
        rows_are: "learners",
        files: folder!("course-completion"),
        rows_default: course_completion::ROWS_DEFAULT,
        generate: course_completion::course_completion,
    },
];

/// The project of this name.
pub fn find(name: &str) -> Result<&'static DemoProject, DemoError> {
    PROJECTS.iter().find(|project| project.name == name).ok_or_else(|| DemoError::Unknown {
        name: name.to_string(),
        known: PROJECTS.iter().map(|project| project.name).collect::<Vec<_>>().join(", "),
    })
}

impl DemoProject {
    /// The table of the demo: the same for the same rows and seed, on every machine.
    pub fn table(&self, rows: usize, seed: u64) -> Result<Table, DemoError> {
        (self.generate)(rows, seed)
    }

    /// The same as CSV.
    pub fn write_csv(&self, path: &Path, rows: usize, seed: u64) -> Result<(), DemoError> {
        sheet::write_csv(path, &self.table(rows, seed)?)
    }
}

#[cfg(test)]
mod tests;
