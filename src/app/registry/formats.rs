//! Writing a version as text that other programs run: SQL, PMML, a table of points.
//! Only what is verified is written, and only a family that the form can say exactly.

use std::path::Path;

use crate::app::error::check_absent;
use crate::app::home::App;
use crate::app::registry::versions::{find_version, open_champion};
use crate::app::runs::find_unasked;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::limits;
use crate::data::contract::{Cast, ColumnSpec, Role};
use crate::data::table::Kind;
use crate::decide::policy::PositiveIs;
use crate::model::calibrate::{Calibration, Platt};
use crate::model::export::fields::{ExportError, FieldText, fields_of};
use crate::model::export::pmml::scorecard::scorecard_pmml;
use crate::model::export::pmml::trees::trees_pmml;
use crate::model::export::points_csv::{BinFigures, points_csv};
use crate::model::export::sql::{Source, scorecard_sql, trees_sql};
use crate::model::scorecard::Scorecard;
use crate::model::scorecard::points::{BadScaling, PointsTable, RawScaling, Scaling};
use crate::model::scorer::Family;
use crate::pipeline::artifacts::card;
use crate::registry::version::ModelRef;
use crate::serve::champion::Champion;
use crate::store::rows::registry::VersionRow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Sql,
    Csv,
    Pmml,
}

impl Form {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Csv => "csv",
            Self::Pmml => "pmml",
        }
    }
}

/// An export as it is asked for.
pub struct Wanted {
    pub form: Form,
    /// Whether the positive class is the bad one, the policy says.
    pub scaling: RawScaling,
    /// The table that SQL reads, and the columns that it passes through; without any, the contract's ids.
    pub table: String,
    pub keys: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    #[error("a model of the family {family:?} cannot be written as {form}")]
    Family { family: &'static str, form: &'static str },
    #[error("{form} has a calibration of two numbers, and this model's is of the kind {kind:?}")]
    Calibration { kind: &'static str, form: &'static str },
    #[error("the model cannot be written as {form}: {source}")]
    Content { form: &'static str, source: ExportError },
    #[error(transparent)]
    Scaling(#[from] BadScaling),
}

impl Fact for FormatError {
    fn code(&self) -> &'static str {
        match self {
            Self::Family { .. } => "export.family",
            Self::Calibration { .. } => "export.calibration",
            Self::Content { .. } => "export.content",
            Self::Scaling(_) => "export.scaling",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Family { form: "csv", .. } => {
                "Only a scorecard has points; --format sql and pmml also take boosting and forest."
            }
            Self::Family { .. } => {
                "Train a scorecard, boosting or forest; or export the signed release, which any Tallystick scores: --format release."
            }
            Self::Calibration { .. } => "Train with `calibration.method = \"platt\"`, or export the release.",
            Self::Content { .. } => "Rename the column, level or key that is named; or export the release.",
            Self::Scaling(_) => "Give --pdo, --base-score and --base-odds within their bounds.",
        };
        Some(step.into())
    }
}

/// Writes one new file.
pub fn export_as(app: &App, model: &ModelRef, wanted: &Wanted, path: &Path) -> Result<VersionRow, Failure> {
    let (version, policy) = find_version(app, model, false)?;
    check_absent(path)?;
    let champion = open_champion(app, &version, &policy)?;
    let figures = if wanted.form == Form::Csv { find_figures(app, &version, &champion)? } else { None };
    let text = write(&champion, wanted, figures.as_deref())?;
    files::write_atomic(path, text.as_bytes(), 0o644)?;
    Ok(version)
}

/// What training counted in the bins, where its run is still here.
fn find_figures(
    app: &App,
    version: &VersionRow,
    champion: &Champion,
) -> Result<Option<Vec<Vec<BinFigures>>>, Failure> {
    let Family::Scorecard(scorecard) = &champion.model().family else { return Ok(None) };
    let run = find_unasked(app, &version.run_id).ok();
    let kept = run.iter().flat_map(|run| &run.artifacts).find(|artifact| artifact.path == card::BINS_PATH);
    let Some(kept) = kept else { return Ok(None) };
    let bytes = app.store.blobs().read(&kept.digest, limits::BLOB_BYTES_MAX)?;
    Ok(Some(card::parse_figures(&bytes, scorecard, &fields_of(&champion.model().recipe))?))
}

fn write(
    champion: &Champion,
    wanted: &Wanted,
    figures: Option<&[Vec<BinFigures>]>,
) -> Result<String, FormatError> {
    let (model, form) = (champion.model(), wanted.form.as_str());
    let fields = fields_of(&model.recipe);
    let family = model.family.kind();
    let source = source_of(champion, wanted);
    let refuse = |source| FormatError::Content { form, source };
    let text = match (&model.family, wanted.form) {
        (Family::Scorecard(card), _) => {
            let bad = champion.policy().is_none_or(|p| p.policy().object().positive_is == PositiveIs::Bad);
            let scaling = RawScaling { positive_is_bad: bad, ..wanted.scaling }.check()?;
            let calibration = line(&model.calibration, form)?;
            write_card((card, &fields), (wanted.form, &source), (&calibration, &scaling), figures)
                .map_err(refuse)?
        }
        (Family::Boosting(trees) | Family::Forest(trees), Form::Sql) => {
            trees_sql(trees, &fields, &line(&model.calibration, form)?, &source).map_err(refuse)?
        }
        (Family::Boosting(trees) | Family::Forest(trees), Form::Pmml) => {
            trees_pmml(trees, &fields, &line(&model.calibration, form)?).map_err(refuse)?
        }
        _ => return Err(FormatError::Family { family, form }),
    };
    Ok(with_head(champion, wanted.form, &fields, text))
}

fn write_card(
    (card, fields): (&Scorecard, &[FieldText]),
    (form, source): (Form, &Source),
    scale: (&Platt, &Scaling),
    figures: Option<&[Vec<BinFigures>]>,
) -> Result<String, ExportError> {
    match form {
        Form::Sql => scorecard_sql(card, fields, scale, source),
        Form::Pmml => scorecard_pmml(card, fields, scale),
        Form::Csv => points_csv(card, fields, &PointsTable::of(card, scale.1, scale.0), figures),
    }
}

fn line(calibration: &Calibration, form: &'static str) -> Result<Platt, FormatError> {
    match calibration {
        Calibration::Platt(platt) => Ok(*platt),
        Calibration::Beta(_) => Err(FormatError::Calibration { kind: "beta", form }),
    }
}

fn source_of(champion: &Champion, wanted: &Wanted) -> Source {
    let ids = champion.loaded().content.contract.with_role(Role::Id).map(|spec| spec.name.clone());
    let keys = if wanted.keys.is_empty() { ids.collect() } else { wanted.keys.clone() };
    Source { table: wanted.table.clone(), keys }
}

/// What somebody must know who runs the file, in its own kind of comment; a table of points needs none.
fn with_head(champion: &Champion, form: Form, fields: &[FieldText], text: String) -> String {
    let lines = head_lines(champion, fields);
    match form {
        Form::Csv => text,
        Form::Sql => lines.iter().map(|line| format!("-- {line}\n")).collect::<String>() + &text,
        Form::Pmml => {
            let (first, rest) = text.split_once('\n').unwrap_or(("", &text));
            // Two hyphens would end a comment of XML.
            let lines: String =
                lines.iter().map(|line| format!("  {}\n", line.replace("--", "\u{2010}\u{2010}"))).collect();
            format!("{first}\n<!--\n{lines}-->\n{rest}")
        }
    }
}

fn head_lines(champion: &Champion, fields: &[FieldText]) -> Vec<String> {
    let release = champion.release().release();
    let family = champion.model().family.kind();
    let mut lines = vec![
        format!("{}@{}, {family}, model {}", release.name, release.version, release.model),
        "Scores values as the model's contract has them once they are read: neither casts nor defaults are applied here,".into(),
        "no rule of the policy either, and a value that the contract would refuse is scored all the same.".into(),
        "Missing is NULL. Texts are compared letter by letter, with upper and lower case apart.".into(),
    ];
    let contract = &champion.loaded().content.contract;
    for field in fields {
        let spec = contract.columns().iter().find(|spec| spec.name == field.name);
        if let Some(note) = spec.and_then(note_of) {
            lines.push(format!("{}: {note}", field.name));
        }
    }
    lines
}

/// How a value that is not read as it stands has to be given.
fn note_of(spec: &ColumnSpec) -> Option<String> {
    let kind = match spec.kind {
        Kind::Date => Some("days since 1970-01-01, as a number".to_string()),
        Kind::Boolean => Some("1 or 0".to_string()),
        Kind::Integer | Kind::Number | Kind::Text => None,
    };
    let cast = spec.cast.map(|cast| match cast {
        Cast::Percent => "a share, 0.135 for 13.5%".to_string(),
        Cast::FirstNumber => "the first number of the text".to_string(),
        Cast::MonthYear => "the first of the month".to_string(),
        Cast::Lowercase => "in lower case".to_string(),
        Cast::Uppercase => "in upper case".to_string(),
    });
    let default = spec.default.as_ref().map(|_| "missing takes the contract's default first".to_string());
    let notes: Vec<String> = kind.into_iter().chain(cast).chain(default).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}
