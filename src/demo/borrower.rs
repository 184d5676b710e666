//! One invented applicant: person, household and credit file, as a lender sees them on the day of the request.
//! Knows nothing of the loan and nothing of what becomes of it.

use crate::demo::draw::{Draw, round_to};
use crate::demo::words;

/// The natural logarithm of the middle income.
const LN_INCOME_MIDDLE: f64 = 11.0;

pub struct Borrower {
    pub job_title: Option<String>,
    pub job_risk: f64,
    /// Whole years in the job, 10 for ten and more; nothing where not told.
    pub years_employed: Option<u8>,
    pub income: f64,
    pub home: &'static str,
    pub state: &'static words::Level,
    pub dti: f64,
    pub file: CreditFile,
    /// What a bureau knows beyond the columns: only the price of the loan carries it.
    pub unseen: f64,
}

pub struct CreditFile {
    pub age_months: u32,
    pub delinquencies: f64,
    pub months_since_delinquency: Option<f64>,
    pub inquiries: f64,
    pub open_accounts: f64,
    pub total_accounts: f64,
    pub public_records: f64,
    pub revolving_balance: f64,
    pub revolving_use: Option<f64>,
}

impl Borrower {
    pub fn draw(draw: &mut Draw) -> Self {
        let unseen = draw.normal(0.0, 1.0);
        let job = draw.one_of(words::JOBS);
        let job_title = draw_title(draw, job);
        let years_employed = draw_years(draw, job_title.is_none());
        let income = draw_income(draw, if job_title.is_some() { job.pay } else { -0.35 });
        let wealth = income.ln() - LN_INCOME_MIDDLE;
        Self {
            job_risk: if job_title.is_some() { job.risk } else { 0.0 },
            job_title,
            years_employed,
            income,
            home: draw_home(draw, wealth),
            state: draw.weighted(words::STATES, |state| state.weight),
            dti: round_to((draw.normal(18.0, 8.0) + 1.5 * unseen - 3.0 * wealth).clamp(0.0, 39.99), 100.0),
            file: CreditFile::draw(draw, unseen, wealth),
            unseen,
        }
    }

    /// Distance of the income from the middle, in logarithms.
    pub fn wealth(&self) -> f64 {
        self.income.ln() - LN_INCOME_MIDDLE
    }
}

fn draw_title(draw: &mut Draw, job: &words::Job) -> Option<String> {
    if draw.chance(0.06) {
        return None;
    }
    let mut title = String::new();
    if draw.chance(0.3) {
        title.push_str(draw.one_of::<&str>(words::RANKS));
        title.push(' ');
    }
    title.push_str(job.title);
    if draw.chance(0.35) {
        title.push_str(", ");
        title.push_str(draw.one_of::<&str>(words::EMPLOYERS));
    }
    Some(title)
}

fn draw_years(draw: &mut Draw, without_job: bool) -> Option<u8> {
    if draw.chance(if without_job { 0.7 } else { 0.015 }) {
        return None;
    }
    if draw.chance(0.31) {
        return Some(10);
    }
    // The square bends the uniform draw towards short employment.
    let bent = draw.between(0.0, 1.0);
    Some((10.0 * bent * bent.sqrt()).floor().min(9.0) as u8)
}

fn draw_income(draw: &mut Draw, pay: f64) -> f64 {
    let income = draw.normal(LN_INCOME_MIDDLE + pay, 0.42).exp().clamp(9_000.0, 1_500_000.0);
    let parts = if draw.chance(0.6) { 0.001 } else { 0.01 };
    round_to(income, parts)
}

fn draw_home(draw: &mut Draw, wealth: f64) -> &'static str {
    let homes = [
        (words::RENT, 40.0 - 14.0 * wealth),
        (words::MORTGAGE, 48.0 + 18.0 * wealth),
        ("OWN", 10.0),
        ("OTHER", 0.6),
    ];
    draw.weighted(&homes, |home| home.1.max(2.0)).0
}

impl CreditFile {
    fn draw(draw: &mut Draw, unseen: f64, wealth: f64) -> Self {
        let delinquencies = draw.count(0.22 * (0.4 * unseen).exp()).min(12.0);
        let open_accounts = draw.normal(2.3 + 0.08 * wealth, 0.42).exp().round().clamp(1.0, 55.0);
        let closed = draw.normal(2.45 + 0.1 * wealth, 0.55).exp().round().min(90.0);
        let revolving_use = draw_use(draw, unseen);
        let use_or_middle = revolving_use.unwrap_or(50.0);
        Self {
            age_months: draw.normal(190.0 - 12.0 * unseen, 84.0).clamp(37.0, 640.0) as u32,
            delinquencies,
            months_since_delinquency: draw_since(draw, delinquencies),
            inquiries: draw.count(0.75 * (0.3 * unseen).exp()).min(8.0),
            open_accounts,
            total_accounts: open_accounts + closed,
            public_records: if draw.chance(0.13) { 1.0 + draw.count(0.15) } else { 0.0 },
            revolving_balance: draw
                .normal(8.7 + 0.45 * wealth + 0.011 * use_or_middle, 0.65)
                .exp()
                .round()
                .min(900_000.0),
            revolving_use,
        }
    }
}

fn draw_use(draw: &mut Draw, unseen: f64) -> Option<f64> {
    if draw.chance(0.008) {
        return None;
    }
    if draw.chance(0.025) {
        return Some(0.0);
    }
    Some(round_to(draw.normal(53.0 + 8.0 * unseen, 22.0).clamp(0.0, 119.9), 10.0))
}

/// Most people never were late, and then the cell is missing: absence is good news.
fn draw_since(draw: &mut Draw, delinquencies: f64) -> Option<f64> {
    if delinquencies > 0.0 {
        return Some(draw.between(0.0, 24.0).floor());
    }
    draw.chance(0.28).then(|| draw.between(24.0, 100.0).floor())
}
