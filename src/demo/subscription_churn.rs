//! The subscription-churn demo: subscribers of a telephone and internet company, and who left within a month.
//! Services, tenure and charges hang together as they do in a price list.

use crate::data::table::Table;
use crate::demo::draw::{Draw, round_to, sigmoid};
use crate::demo::sheet::{DemoError, counts, draw_rows, texts, words, yes_no};

pub const ROWS_DEFAULT: usize = 7_000;

const MONTHLY: &str = "Month-to-month";
const ONE_YEAR: &str = "One year";
const TWO_YEARS: &str = "Two year";
const FIBER: &str = "Fiber optic";
const DSL: &str = "DSL";
const NO_INTERNET: &str = "No internet service";
const E_CHECK: &str = "Electronic check";
const TENURE_MAX: f64 = 72.0;

/// The extra services over the internet, their price, and how they hold a customer.
const EXTRAS: [(&str, f64, f64); 6] = [
    ("OnlineSecurity", 5.0, -0.4),
    ("OnlineBackup", 5.0, -0.15),
    ("DeviceProtection", 5.0, -0.1),
    ("TechSupport", 5.0, -0.4),
    ("StreamingTV", 10.0, 0.1),
    ("StreamingMovies", 10.0, 0.1),
];

pub(super) struct Row {
    id: String,
    female: bool,
    senior: bool,
    partner: bool,
    dependents: bool,
    tenure: f64,
    phone: bool,
    lines: bool,
    internet: &'static str,
    extras: [bool; EXTRAS.len()],
    contract: &'static str,
    paperless: bool,
    payment: Option<&'static str>,
    monthly: f64,
    /// Nothing was charged yet in the first month.
    total: Option<f64>,
    pub log_odds: f64,
    pub left: bool,
}

/// The table of the demo.
pub fn subscription_churn(rows: usize, seed: u64) -> Result<Table, DemoError> {
    let drawn = drawn(rows, seed)?;
    let mut columns = vec![
        texts("customerID", &drawn, |r| Some(r.id.clone())),
        words("gender", &drawn, |r| if r.female { "Female" } else { "Male" }),
        counts("SeniorCitizen", &drawn, |r| f64::from(u8::from(r.senior))),
        words("Partner", &drawn, |r| yes_no(r.partner)),
        words("Dependents", &drawn, |r| yes_no(r.dependents)),
        counts("tenure", &drawn, |r| r.tenure),
        words("PhoneService", &drawn, |r| yes_no(r.phone)),
        words("MultipleLines", &drawn, |r| if r.phone { yes_no(r.lines) } else { "No phone service" }),
        words("InternetService", &drawn, |r| r.internet),
    ];
    columns.extend(EXTRAS.iter().enumerate().map(|(at, (name, ..))| {
        words(name, &drawn, |r| if r.internet == "No" { NO_INTERNET } else { yes_no(r.extras[at]) })
    }));
    columns.extend([
        words("Contract", &drawn, |r| r.contract),
        words("PaperlessBilling", &drawn, |r| yes_no(r.paperless)),
        texts("PaymentMethod", &drawn, |r| r.payment.map(str::to_string)),
        texts("MonthlyCharges", &drawn, |r| Some(r.monthly.to_string())),
        // A blank stands in the file where nothing was charged.
        texts("TotalCharges", &drawn, |r| Some(r.total.map_or(" ".to_string(), |total| total.to_string()))),
        words("Churn", &drawn, |r| yes_no(r.left)),
    ]);
    Ok(Table::new(columns)?)
}

pub(super) fn drawn(rows: usize, seed: u64) -> Result<Vec<Row>, DemoError> {
    draw_rows(rows, seed, "demo.subscription_churn", draw_row)
}

fn draw_row(draw: &mut Draw, place: usize) -> Row {
    let contract = draw.weighted(&[(MONTHLY, 55.0), (ONE_YEAR, 21.0), (TWO_YEARS, 24.0)], |c| c.1).0;
    let tenure = draw_tenure(draw, contract);
    let internet = draw.weighted(&[(DSL, 34.0), (FIBER, 44.0), ("No", 22.0)], |i| i.1).0;
    let phone = internet == "No" || internet == FIBER || draw.chance(0.72);
    let lines = phone && draw.chance(0.25 + 0.4 * tenure / TENURE_MAX);
    let loyal = tenure / TENURE_MAX;
    let extras = EXTRAS.map(|_| internet != "No" && draw.chance(0.26 + 0.36 * loyal));
    let senior = draw.chance(0.16);
    let partner = draw.chance(0.36 + 0.3 * loyal);
    let monthly = price(draw, internet, phone, lines, extras);
    let paperless = draw.chance(if internet == FIBER { 0.75 } else { 0.48 });
    let payment = draw_payment(draw, internet);
    let mut row = Row {
        id: format!("{:04}-{}", 1_000 + draw.between(0.0, 9_000.0) as u32, letters(draw, place)),
        female: draw.chance(0.5),
        senior,
        partner,
        dependents: draw.chance(if partner && !senior { 0.52 } else { 0.09 }),
        tenure,
        phone,
        lines,
        internet,
        extras,
        contract,
        paperless,
        payment: if draw.chance(0.015) { None } else { Some(payment) },
        monthly,
        total: (tenure > 0.0)
            .then(|| round_to((monthly * tenure * draw.normal(1.0, 0.03)).max(monthly), 20.0)),
        log_odds: 0.0,
        left: false,
    };
    row.log_odds = log_odds(&row, payment);
    row.left = draw.chance(sigmoid(row.log_odds));
    row
}

fn draw_tenure(draw: &mut Draw, contract: &str) -> f64 {
    let bent = draw.between(0.0, 1.0);
    let months = match contract {
        MONTHLY => 0.45 + 55.0 * bent * bent,
        ONE_YEAR => 8.0 + 64.0 * bent,
        _ => 72.0 - 58.0 * bent * bent,
    };
    months.round().min(TENURE_MAX)
}

fn price(draw: &mut Draw, internet: &str, phone: bool, lines: bool, extras: [bool; EXTRAS.len()]) -> f64 {
    let base = match internet {
        DSL => 25.0,
        FIBER => 50.0,
        _ => 0.0,
    };
    let calls = if phone { 20.0 } else { 0.0 } + if lines { 5.0 } else { 0.0 };
    let more: f64 = EXTRAS.iter().zip(extras).filter(|(_, has)| *has).map(|(extra, _)| extra.1).sum();
    round_to((base + calls + more + draw.normal(0.0, 0.9)).max(18.0), 20.0)
}

fn draw_payment(draw: &mut Draw, internet: &str) -> &'static str {
    let e_check = if internet == FIBER { 48.0 } else { 22.0 };
    let ways = [
        (E_CHECK, e_check),
        ("Mailed check", 24.0),
        ("Bank transfer (automatic)", 22.0),
        ("Credit card (automatic)", 21.0),
    ];
    draw.weighted(&ways, |way| way.1).0
}

/// Five letters; the place is in them, so that no two subscribers share an id.
fn letters(draw: &mut Draw, place: usize) -> String {
    const ALPHABET: [char; 24] = [
        'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'U', 'V',
        'W', 'X', 'Y', 'Z',
    ];
    let mut text = String::from(*draw.one_of(&ALPHABET));
    let mut rest = place;
    for _ in 0..5 {
        text.push(ALPHABET[rest % ALPHABET.len()]);
        rest /= ALPHABET.len();
    }
    text
}

/// The true log-odds of leaving.
fn log_odds(row: &Row, payment: &str) -> f64 {
    let contract = match row.contract {
        MONTHLY => 0.75,
        ONE_YEAR => -0.75,
        _ => -1.9,
    };
    let internet = match row.internet {
        FIBER => 0.6,
        "No" => -0.75,
        _ => 0.0,
    };
    let youth = 1.5 * (1.0 - (1.0 + row.tenure).ln() / (1.0 + TENURE_MAX).ln());
    let held: f64 = EXTRAS.iter().zip(row.extras).filter(|(_, has)| *has).map(|(extra, _)| extra.2).sum();
    let flag = |flag: bool, effect: f64| if flag { effect } else { 0.0 };
    // A dear contract that may end any day: neither alone is as bad.
    let dear_and_free = row.contract == MONTHLY && row.monthly > 85.0;
    -1.75
        + contract
        + internet
        + youth
        + held
        + flag(payment == E_CHECK, 0.45)
        + flag(row.paperless, 0.2)
        + flag(row.senior, 0.2)
        + flag(row.dependents, -0.2)
        + flag(dear_and_free, 0.45)
}
