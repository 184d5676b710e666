//! The loan-default demo: a seeded table in the manner of a lending club's public statistics.
//! Every row is invented; the same rows and seed give the same table on every machine.

use crate::base::clock;
use crate::data::table::{Column, Kind, Table};
use crate::demo::borrower::Borrower;
use crate::demo::draw::Draw;
use crate::demo::loan::{Loan, Outcome, log_odds};
use crate::demo::sheet::{DemoError, draw_rows, numbers, texts};
use crate::demo::words;

/// Rows of the demo when nobody says otherwise.
pub const ROWS_DEFAULT: usize = 24_000;
pub const POSITIVE: &str = "Charged Off";
const NEGATIVE: &str = "Fully Paid";

const GRADES: [char; 7] = ['A', 'B', 'C', 'D', 'E', 'F', 'G'];
const FIRST_YEAR: u32 = 2012;
const ISSUE_MONTHS: u32 = 48;
const FIRST_LOAN_ID: usize = 1_000_001;

struct Row {
    id: String,
    issued: Month,
    borrower: Borrower,
    loan: Loan,
    outcome: Outcome,
}

/// The table of the demo, in order of issue.
pub fn loan_default(rows: usize, seed: u64) -> Result<Table, DemoError> {
    let drawn = draw_rows(rows, seed, "demo.loan_default", |draw, place| draw_row(draw, place, rows))?;
    let mut columns = request_columns(&drawn);
    columns.extend(person_columns(&drawn));
    columns.extend(file_columns(&drawn));
    columns.extend(outcome_columns(&drawn));
    Ok(Table::new(columns)?)
}

fn draw_row(draw: &mut Draw, place: usize, rows: usize) -> Row {
    let issued = issue_month(place, rows);
    let years = f64::from(issued.index) / 12.0;
    let borrower = Borrower::draw(draw);
    let loan = Loan::draw(draw, &borrower, years);
    let outcome = Outcome::draw(draw, &loan, log_odds(&borrower, &loan, years));
    Row { id: format!("L{}", FIRST_LOAN_ID + place), issued, borrower, loan, outcome }
}

/// A month counted from the lender's first.
#[derive(Clone, Copy)]
struct Month {
    index: u32,
}

/// Months in order; the lender grows, so later months hold more rows.
fn issue_month(place: usize, rows: usize) -> Month {
    let share = (place as f64 + 0.5) / rows as f64;
    let time = 0.5 * share + 0.5 * share.sqrt();
    Month { index: (time * f64::from(ISSUE_MONTHS)) as u32 }
}

impl Month {
    /// Days since 1970-01-01 of the month's first day.
    fn first_day(self) -> f64 {
        let (year, month) = (FIRST_YEAR + self.index / 12, self.index % 12 + 1);
        clock::parse_iso_date(&format!("{year}-{month:02}-01")).unwrap_or(f64::NAN)
    }

    /// `Dec-2001`: the month so many months before this one.
    fn text_before(self, months: u32) -> String {
        let then = FIRST_YEAR * 12 + self.index - months;
        format!("{}-{}", words::MONTHS[(then % 12) as usize], then / 12)
    }
}

fn request_columns(rows: &[Row]) -> Vec<Column> {
    vec![
        texts("loan_id", rows, |r| Some(r.id.clone())),
        numbers("issue_d", Kind::Date, rows, |r| r.issued.first_day()),
        numbers("loan_amnt", Kind::Integer, rows, |r| r.loan.amount),
        texts("term", rows, |r| Some(format!("{} months", r.loan.months))),
        texts("int_rate", rows, |r| Some(format!("{}%", r.loan.rate))),
        numbers("installment", Kind::Number, rows, |r| r.loan.installment),
        texts("grade", rows, |r| Some(grade(r.loan.sub_grade).to_string())),
        texts("sub_grade", rows, |r| {
            Some(format!("{}{}", grade(r.loan.sub_grade), r.loan.sub_grade % 5 + 1))
        }),
        texts("purpose", rows, |r| Some(r.loan.purpose.name.to_string())),
        texts("verification_status", rows, |r| Some(r.loan.verification.to_string())),
    ]
}

fn grade(sub_grade: u32) -> char {
    GRADES[(sub_grade / 5) as usize]
}

fn person_columns(rows: &[Row]) -> Vec<Column> {
    vec![
        texts("emp_title", rows, |r| r.borrower.job_title.clone()),
        texts("emp_length", rows, |r| Some(years_text(r.borrower.years_employed))),
        texts("home_ownership", rows, |r| Some(r.borrower.home.to_string())),
        numbers("annual_inc", Kind::Number, rows, |r| r.borrower.income),
        texts("addr_state", rows, |r| Some(r.borrower.state.name.to_string())),
        numbers("dti", Kind::Number, rows, |r| r.borrower.dti),
    ]
}

fn years_text(years: Option<u8>) -> String {
    match years {
        None => "n/a".to_string(),
        Some(0) => "< 1 year".to_string(),
        Some(1) => "1 year".to_string(),
        Some(years) if years >= 10 => "10+ years".to_string(),
        Some(years) => format!("{years} years"),
    }
}

fn file_columns(rows: &[Row]) -> Vec<Column> {
    let or_missing = |value: Option<f64>| value.unwrap_or(f64::NAN);
    vec![
        texts("earliest_cr_line", rows, |r| Some(r.issued.text_before(r.borrower.file.age_months))),
        numbers("delinq_2yrs", Kind::Integer, rows, |r| r.borrower.file.delinquencies),
        numbers("inq_last_6mths", Kind::Integer, rows, |r| r.borrower.file.inquiries),
        numbers("mths_since_last_delinq", Kind::Integer, rows, |r| {
            or_missing(r.borrower.file.months_since_delinquency)
        }),
        numbers("open_acc", Kind::Integer, rows, |r| r.borrower.file.open_accounts),
        numbers("pub_rec", Kind::Integer, rows, |r| r.borrower.file.public_records),
        numbers("revol_bal", Kind::Integer, rows, |r| r.borrower.file.revolving_balance),
        numbers("revol_util", Kind::Number, rows, |r| or_missing(r.borrower.file.revolving_use)),
        numbers("total_acc", Kind::Integer, rows, |r| r.borrower.file.total_accounts),
    ]
}

fn outcome_columns(rows: &[Row]) -> Vec<Column> {
    vec![
        texts("loan_status", rows, |r| {
            Some(if r.outcome.charged_off { POSITIVE } else { NEGATIVE }.to_string())
        }),
        numbers("total_pymnt", Kind::Number, rows, |r| r.outcome.total_paid),
        numbers("last_pymnt_amnt", Kind::Number, rows, |r| r.outcome.last_payment),
        numbers("recoveries", Kind::Number, rows, |r| r.outcome.recovered),
        numbers("collection_recovery_fee", Kind::Number, rows, |r| r.outcome.recovery_fee),
        texts("settlement_status", rows, |r| r.outcome.settlement.map(str::to_string)),
    ]
}

#[cfg(test)]
mod tests;
