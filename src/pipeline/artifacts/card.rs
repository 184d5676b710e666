//! Files of a scorecard: its table of points, and what became of each field's bins.
//! Other families leave none. Points are on the default scale; an export has them on any other.

use serde::{Deserialize, Serialize};

use crate::base::canonical::{self, CanonicalError};
use crate::base::fact::{Class, Fact, Failure};
use crate::config::project::Project;
use crate::decide::policy::PositiveIs;
use crate::model::calibrate::{Calibration, Platt};
use crate::model::export::conditions::conditions;
use crate::model::export::fields::{ExportError, FieldText, fields_of};
use crate::model::export::points_csv::{BinFigures, points_csv, words};
use crate::model::scorecard::Scorecard;
use crate::model::scorecard::points::{BadScaling, PointsTable, RawScaling};
use crate::model::scorer::Family;
use crate::model::trained::Model;
use crate::pipeline::artifacts::Drawer;
use crate::train::fit::FittedFamily;
use crate::train::scorecard::binning::{Bin, BinKind};
use crate::train::scorecard::fit::{BinnedColumn, Fate};
use crate::train::scorecard::params::Trend;

/// The name of what became of the bins, without its ending.
const BINS: &str = "bins";
pub const BINS_PATH: &str = "bins.json";

/// The figures of each bin of each part of the card, from the bytes of `BINS_PATH`.
pub fn parse_figures(
    bytes: &[u8],
    card: &Scorecard,
    fields: &[FieldText],
) -> Result<Vec<Vec<BinFigures>>, CanonicalError> {
    let told: Vec<FieldBins> = canonical::parse(bytes)?;
    let figures = |bin: &BinLine| BinFigures { rows: bin.rows, events: bin.events, iv: bin.iv };
    let of_part = |name: &str| {
        let found = told.iter().find(|field| field.field == name);
        found.map(|field| field.bins.iter().map(figures).collect()).unwrap_or_default()
    };
    Ok(card.parts.iter().filter_map(|part| Some(of_part(&fields.get(part.place)?.name))).collect())
}

#[derive(Debug, thiserror::Error)]
enum CardError {
    #[error("the table of points: {0}")]
    Table(#[from] ExportError),
    #[error("the table of points: {0}")]
    Scaling(#[from] BadScaling),
}

impl Fact for CardError {
    fn code(&self) -> &'static str {
        "train.points_table"
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}

/// What became of a field.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldBins {
    field: String,
    /// scored, refused, weak or redundant.
    fate: String,
    coefficient: Option<f64>,
    iv: f64,
    trend: Trend,
    refusal: Option<String>,
    bins: Vec<BinLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BinLine {
    kind: BinKind,
    /// The values that fall into it, in words.
    values: String,
    rows: f64,
    events: f64,
    rate: f64,
    woe: f64,
    iv: f64,
}

pub(super) fn draw_card(
    drawer: &mut Drawer,
    project: &Project,
    model: &Model,
    fitted: &FittedFamily,
) -> Result<(), Failure> {
    let Family::Scorecard(card) = &model.family else { return Ok(()) };
    let fields = fields_of(&model.recipe);
    let told: Vec<FieldBins> =
        fields.iter().zip(&fitted.bins).map(|(field, binned)| told(field, binned)).collect();
    drawer.add_json(BINS, &told)?;
    let is_bad = project.policy.positive_is() == PositiveIs::Bad;
    let text = points_text(card, &fields, (&model.calibration, is_bad), &fitted.bins)?;
    drawer.add_text("scorecard.csv", text);
    Ok(())
}

/// A calibration that is no straight line has no points; then those of the margin are told.
fn points_text(
    card: &Scorecard,
    fields: &[FieldText],
    (calibration, positive_is_bad): (&Calibration, bool),
    binned: &[BinnedColumn],
) -> Result<String, CardError> {
    let scaling = RawScaling { positive_is_bad, ..RawScaling::default() }.check()?;
    let line = match calibration {
        Calibration::Platt(platt) => *platt,
        Calibration::Beta(_) => Platt::identity(),
    };
    let counted = |bin: &Bin| BinFigures { rows: bin.weight, events: bin.events, iv: bin.iv };
    let figures: Vec<Vec<BinFigures>> = card
        .parts
        .iter()
        .filter_map(|part| binned.get(part.place))
        .map(|column| column.bins.bins.iter().map(counted).collect())
        .collect();
    Ok(points_csv(card, fields, &PointsTable::of(card, &scaling, &line), Some(&figures))?)
}

fn told(field: &FieldText, binned: &BinnedColumn) -> FieldBins {
    let (fate, coefficient) = match binned.fate {
        Fate::Scored(coefficient) => ("scored", Some(coefficient)),
        Fate::Refused => ("refused", None),
        Fate::Weak => ("weak", None),
        Fate::Redundant => ("redundant", None),
    };
    let line = |bin: &Bin| {
        let has = |code: u8| bin.codes.iter().any(|(from, to)| (*from..=*to).contains(&code));
        let held: Vec<String> = conditions(field, has).iter().map(words).collect();
        let Bin { kind, weight: rows, events, rate, woe, iv, .. } = *bin;
        BinLine { kind, values: held.join(" or "), rows, events, rate, woe, iv }
    };
    FieldBins {
        field: field.name.clone(),
        fate: fate.into(),
        coefficient,
        iv: binned.bins.iv,
        trend: binned.bins.trend,
        refusal: binned.bins.refusal.map(|refusal| refusal.to_string()),
        bins: binned.bins.bins.iter().map(line).collect(),
    }
}
