//! The bank-churn demo: a bank's customers and who closed the account, in the manner of a well-known table.
//! `Complain` is all but a copy of the outcome, as it is there: whoever trains on it learns nothing else.

use crate::data::table::{Kind, Table};
use crate::demo::draw::{Draw, round_to, sigmoid};
use crate::demo::sheet::{DemoError, counts, draw_rows, numbers, texts, words};

pub const ROWS_DEFAULT: usize = 8_000;
const FIRST_ID: usize = 15_565_701;
/// Coprime to the span of ids, so that ids jump about and never repeat.
const ID_STEP: usize = 104_729;
const ID_SPAN: usize = 250_000;
/// Complaints that led to nothing, and exits without one.
const COMPLAINTS_ASTRAY: f64 = 0.0014;

const GERMANY: &str = "Germany";
const CARDS: [&str; 4] = ["SILVER", "GOLD", "PLATINUM", "DIAMOND"];

/// Syllables of invented surnames: none is anybody's.
const HEADS: [&str; 24] = [
    "Ash", "Bel", "Cor", "Dun", "Elm", "Far", "Gar", "Hol", "Ing", "Jar", "Kel", "Lor", "Mar", "Nor", "Orm",
    "Pem", "Quil", "Ros", "Sel", "Thor", "Ul", "Ver", "Wil", "Yar",
];
const TAILS: [&str; 20] = [
    "bright", "combe", "dale", "field", "gard", "ham", "ington", "kett", "ley", "mere", "nall", "over",
    "pool", "rick", "shaw", "stow", "ton", "vane", "wick", "worth",
];

pub(super) struct Row {
    number: usize,
    id: usize,
    surname: String,
    credit_score: f64,
    country: &'static str,
    female: bool,
    age: f64,
    tenure: f64,
    balance: f64,
    products: f64,
    has_card: bool,
    active: bool,
    salary: Option<f64>,
    satisfaction: Option<f64>,
    card: &'static str,
    points: f64,
    complained: bool,
    pub log_odds: f64,
    pub exited: bool,
}

/// The table of the demo.
pub fn bank_churn(rows: usize, seed: u64) -> Result<Table, DemoError> {
    let drawn = drawn(rows, seed)?;
    let bit = |flag: bool| f64::from(u8::from(flag));
    Ok(Table::new(vec![
        counts("RowNumber", &drawn, |r| r.number as f64),
        counts("CustomerId", &drawn, |r| r.id as f64),
        texts("Surname", &drawn, |r| Some(r.surname.clone())),
        counts("CreditScore", &drawn, |r| r.credit_score),
        words("Geography", &drawn, |r| r.country),
        words("Gender", &drawn, |r| if r.female { "Female" } else { "Male" }),
        counts("Age", &drawn, |r| r.age),
        counts("Tenure", &drawn, |r| r.tenure),
        texts("Balance", &drawn, |r| Some(format!("{:?}", r.balance))),
        counts("NumOfProducts", &drawn, |r| r.products),
        counts("HasCrCard", &drawn, |r| bit(r.has_card)),
        counts("IsActiveMember", &drawn, |r| bit(r.active)),
        numbers("EstimatedSalary", Kind::Number, &drawn, |r| r.salary.unwrap_or(f64::NAN)),
        counts("Exited", &drawn, |r| bit(r.exited)),
        counts("Complain", &drawn, |r| bit(r.complained)),
        counts("Satisfaction Score", &drawn, |r| r.satisfaction.unwrap_or(f64::NAN)),
        words("Card Type", &drawn, |r| r.card),
        counts("Point Earned", &drawn, |r| r.points),
    ])?)
}

pub(super) fn drawn(rows: usize, seed: u64) -> Result<Vec<Row>, DemoError> {
    draw_rows(rows, seed, "demo.bank_churn", draw_row)
}

fn draw_row(draw: &mut Draw, place: usize) -> Row {
    let country = draw.weighted(&[("France", 50.0), (GERMANY, 25.0), ("Spain", 25.0)], |c| c.1).0;
    let age = (draw.normal(3.61, 0.26).exp()).round().clamp(18.0, 92.0);
    let empty = draw.chance(if country == GERMANY { 0.02 } else { 0.47 });
    let products = draw.weighted(&[(1.0, 50.5), (2.0, 46.0), (3.0, 2.6), (4.0, 1.6)], |p| p.1).0;
    let card = draw.weighted(&CARDS.map(|card| (card, 1.0)), |card| card.1).0;
    let mut row = Row {
        number: place + 1,
        id: FIRST_ID + (place * ID_STEP) % ID_SPAN + ID_SPAN * (place / ID_SPAN),
        surname: format!("{}{}", draw.one_of(&HEADS), draw.one_of(&TAILS)),
        credit_score: draw.normal(650.0, 96.0).round().clamp(350.0, 850.0),
        country,
        female: draw.chance(0.455),
        age,
        tenure: draw.between(0.0, 11.0).floor(),
        balance: if empty { 0.0 } else { round_to(draw.normal(120_000.0, 30_000.0).max(3_800.0), 100.0) },
        products,
        has_card: draw.chance(0.705),
        active: draw.chance(0.515),
        salary: (!draw.chance(0.015)).then(|| round_to(draw.between(11.6, 199_990.0), 100.0)),
        satisfaction: (!draw.chance(0.02)).then(|| draw.between(1.0, 6.0).floor()),
        card,
        points: draw.between(119.0, 1_000.0).round(),
        complained: false,
        log_odds: 0.0,
        exited: false,
    };
    row.log_odds = log_odds(&row);
    row.exited = draw.chance(sigmoid(row.log_odds));
    row.complained = row.exited != draw.chance(COMPLAINTS_ASTRAY);
    row
}

/// The true log-odds of leaving: people in their fifties go, the old stay; one product is too few and three too many.
fn log_odds(row: &Row) -> f64 {
    let age = 0.1 * (row.age.min(58.0) - 38.0) - 0.07 * (row.age - 62.0).max(0.0);
    let products = match row.products as u8 {
        1 => 0.4,
        2 => -1.2,
        3 => 2.5,
        _ => 3.6,
    };
    let flag = |flag: bool, effect: f64| if flag { effect } else { 0.0 };
    -2.4 + age
        + products
        + flag(row.country == GERMANY, 0.85)
        + flag(row.female, 0.35)
        + flag(!row.active, 0.9)
        + flag(row.balance > 0.0, 0.12)
        + flag(row.credit_score < 420.0, 0.9)
        - 0.0008 * (row.credit_score - 650.0)
        - 0.02 * (row.tenure - 5.0)
        + flag(!row.active && row.age > 48.0, 0.6)
}
