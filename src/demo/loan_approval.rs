//! The loan-approval demo: home-loan applications of one branch and how they were decided.
//! Gender and marriage are in the file and in nothing that decides: the truth does not look at them.

use crate::data::table::Table;
use crate::demo::draw::{Draw, sigmoid};
use crate::demo::sheet::{DemoError, counts, draw_rows, texts, words, yes_no};

pub const ROWS_DEFAULT: usize = 6_000;
const FIRST_ID: usize = 1_001;

const URBAN: &str = "Urban";
const SEMIURBAN: &str = "Semiurban";
const RURAL: &str = "Rural";

pub(super) struct Row {
    id: usize,
    gender: Option<&'static str>,
    married: Option<bool>,
    /// 3 stands for three and more.
    dependents: Option<u8>,
    graduate: bool,
    self_employed: Option<bool>,
    income: f64,
    coincome: f64,
    /// Thousands.
    amount: Option<f64>,
    months: Option<f64>,
    credit_history: Option<bool>,
    area: &'static str,
    pub log_odds: f64,
    pub approved: bool,
}

/// The table of the demo, in order of application.
pub fn loan_approval(rows: usize, seed: u64) -> Result<Table, DemoError> {
    let drawn = drawn(rows, seed)?;
    let decimal = |value: Option<f64>| value.map(|x| format!("{x:.1}"));
    let word = |flag: Option<bool>| flag.map(|flag| yes_no(flag).to_string());
    Ok(Table::new(vec![
        texts("Loan_ID", &drawn, |r| Some(format!("LP{:06}", r.id))),
        texts("Gender", &drawn, |r| r.gender.map(str::to_string)),
        texts("Married", &drawn, |r| word(r.married)),
        texts("Dependents", &drawn, |r| r.dependents.map(dependents_text)),
        words("Education", &drawn, |r| if r.graduate { "Graduate" } else { "Not Graduate" }),
        texts("Self_Employed", &drawn, |r| word(r.self_employed)),
        counts("ApplicantIncome", &drawn, |r| r.income),
        texts("CoapplicantIncome", &drawn, |r| decimal(Some(r.coincome))),
        texts("LoanAmount", &drawn, |r| decimal(r.amount)),
        texts("Loan_Amount_Term", &drawn, |r| decimal(r.months)),
        texts("Credit_History", &drawn, |r| decimal(r.credit_history.map(|good| f64::from(u8::from(good))))),
        words("Property_Area", &drawn, |r| r.area),
        words("Loan_Status", &drawn, |r| if r.approved { "Y" } else { "N" }),
    ])?)
}

pub(super) fn drawn(rows: usize, seed: u64) -> Result<Vec<Row>, DemoError> {
    draw_rows(rows, seed, "demo.loan_approval", draw_row)
}

fn dependents_text(count: u8) -> String {
    if count >= 3 { "3+".to_string() } else { count.to_string() }
}

/// What is not told: some cells stay empty.
fn told<T>(draw: &mut Draw, gap: f64, value: T) -> Option<T> {
    if draw.chance(gap) { None } else { Some(value) }
}

fn draw_row(draw: &mut Draw, place: usize) -> Row {
    let male = draw.chance(0.66);
    let married = draw.chance(0.65);
    let graduate = draw.chance(0.76);
    let self_employed = draw.chance(0.14);
    let pay = if graduate { 0.18 } else { -0.12 } + if self_employed { 0.15 } else { 0.0 };
    let income = draw.normal(8.3 + pay, 0.5).exp().clamp(800.0, 81_000.0).round();
    let coincome = draw_coincome(draw, married);
    let dependents = draw_dependents(draw, married);
    let total = income + coincome;
    let amount =
        (0.062 * total.sqrt() * total.powf(0.37) * draw.normal(0.0, 0.34).exp()).clamp(9.0, 700.0).round();
    let months = *draw.weighted(&TERMS, |term| term.1);
    let area = draw.weighted(&[(URBAN, 33.0), (SEMIURBAN, 38.0), (RURAL, 29.0)], |area| area.1).0;
    let good_credit = draw.chance(sigmoid(1.75 + 0.4 * (total.ln() - 8.7)));
    let credit_history = told(draw, 0.08, good_credit);
    let burden = amount * 1_000.0 / months.0 / total;
    let log_odds = 0.95
        + credit_effect(credit_history)
        + (-24.0 * (burden - 0.062)).clamp(-2.2, 1.2)
        + if burden > 0.08 && coincome == 0.0 { -0.9 } else { 0.0 }
        + match area {
            SEMIURBAN => 0.65,
            RURAL => -0.35,
            _ => 0.0,
        }
        + if graduate { 0.2 } else { -0.35 }
        + if self_employed { -0.35 } else { 0.0 }
        - 0.12 * f64::from(dependents)
        + 0.45 * (total.ln() - 8.7).clamp(-1.0, 1.0);
    let mut row = Row {
        id: FIRST_ID + place,
        gender: told(draw, 0.02, if male { "Male" } else { "Female" }),
        married: told(draw, 0.01, married),
        dependents: told(draw, 0.025, dependents),
        graduate,
        self_employed: told(draw, 0.05, self_employed),
        income,
        coincome,
        amount: told(draw, 0.035, amount),
        months: told(draw, 0.02, months.0),
        credit_history,
        area,
        log_odds,
        approved: false,
    };
    row.approved = draw.chance(sigmoid(row.log_odds));
    row
}

/// Months and how common they are.
const TERMS: [(f64, f64); 7] =
    [(360.0, 80.0), (180.0, 9.0), (480.0, 3.0), (300.0, 3.0), (240.0, 2.5), (120.0, 1.5), (84.0, 1.0)];

fn draw_coincome(draw: &mut Draw, married: bool) -> f64 {
    if !draw.chance(if married { 0.58 } else { 0.28 }) {
        return 0.0;
    }
    draw.normal(7.6, 0.5).exp().clamp(150.0, 42_000.0).round()
}

fn draw_dependents(draw: &mut Draw, married: bool) -> u8 {
    let weights = if married { [44.0, 22.0, 24.0, 10.0] } else { [80.0, 12.0, 5.0, 3.0] };
    let counts: Vec<(u8, f64)> = (0..4).zip(weights).collect();
    draw.weighted(&counts, |count| count.1).0
}

/// A file that is known to be bad is worse than one that is not known.
fn credit_effect(history: Option<bool>) -> f64 {
    match history {
        Some(true) => 0.55,
        Some(false) => -2.6,
        None => -0.1,
    }
}
