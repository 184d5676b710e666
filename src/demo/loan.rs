//! One invented loan: what was asked for, how it was priced, how it truly risks to end, and how it ended.
//! The truth is non-linear on purpose: effects that bend, that are U-shaped, and that meet only in pairs.

use crate::demo::borrower::Borrower;
use crate::demo::draw::{Draw, round_to, sigmoid};
use crate::demo::words;

const SUB_GRADES: f64 = 35.0;

pub struct Loan {
    pub purpose: &'static words::Level,
    pub amount: f64,
    pub months: u32,
    /// 0 for A1 to 34 for G5.
    pub sub_grade: u32,
    /// Percent a year.
    pub rate: f64,
    pub installment: f64,
    pub verification: &'static str,
}

impl Loan {
    /// `years` is the time since the lender's first loan: prices and standards drift a little.
    pub fn draw(draw: &mut Draw, borrower: &Borrower, years: f64) -> Self {
        let purpose = draw.weighted(words::PURPOSES, |purpose| purpose.weight);
        let amount = draw_amount(draw, borrower);
        let long = draw.chance(sigmoid(-1.7 + (amount - 14_000.0) / 8_000.0));
        let months = if long { 60 } else { 36 };
        let sub_grade = draw_sub_grade(draw, borrower, purpose, long);
        let rate = price(sub_grade, years);
        Self {
            purpose,
            amount,
            months,
            sub_grade,
            rate,
            installment: annuity(amount, rate, months),
            verification: draw_verification(draw, amount),
        }
    }

    /// Monthly payment as a share of monthly income, in percent.
    fn burden(&self, borrower: &Borrower) -> f64 {
        100.0 * self.installment * 12.0 / borrower.income
    }
}

fn draw_amount(draw: &mut Draw, borrower: &Borrower) -> f64 {
    let wanted = draw.normal(9.4 + 0.35 * borrower.wealth(), 0.58).exp();
    round_to(wanted.min(0.42 * borrower.income).clamp(1_000.0, 35_000.0), 0.04)
}

/// The lender's own scoring: it sees the bureau's hidden part and a few columns, and errs.
fn draw_sub_grade(draw: &mut Draw, borrower: &Borrower, purpose: &words::Level, long: bool) -> u32 {
    let file = &borrower.file;
    let seen = 0.009 * (file.revolving_use.unwrap_or(50.0) - 53.0)
        + 0.12 * (file.inquiries - 0.75)
        + 0.2 * purpose.risk
        - 0.0012 * (f64::from(file.age_months) - 190.0)
        + if long { 0.4 } else { -0.1 };
    let score = 0.6 * borrower.unseen + seen + draw.normal(0.0, 0.55);
    (9.5 + 6.2 * score + 0.9 * score * score).round().clamp(0.0, SUB_GRADES - 1.0) as u32
}

fn price(sub_grade: u32, years: f64) -> f64 {
    let step = f64::from(sub_grade);
    let season = 0.12 * ((years * 4.0).floor() % 5.0 - 2.0);
    round_to(6.1 + 0.56 * step + 0.0036 * step * step + season, 100.0)
}

fn draw_verification(draw: &mut Draw, amount: f64) -> &'static str {
    let levels = [
        ("Not Verified", 42.0 - amount / 1_400.0),
        ("Source Verified", 32.0),
        ("Verified", 22.0 + amount / 1_100.0),
    ];
    draw.weighted(&levels, |level| level.1).0
}

/// The constant payment that repays `amount` in `months`, to the cent.
fn annuity(amount: f64, rate: f64, months: u32) -> f64 {
    let monthly = rate / 1_200.0;
    let growth = (0..months).fold(1.0, |growth, _| growth * (1.0 + monthly));
    round_to(amount * monthly * growth / (growth - 1.0), 100.0)
}

/// The true log-odds of a charge-off.
pub fn log_odds(borrower: &Borrower, loan: &Loan, years: f64) -> f64 {
    -3.1 + 0.46 * borrower.unseen
        + household_risk(borrower)
        + file_risk(borrower)
        + loan_risk(borrower, loan)
        + pair_risk(borrower, loan)
        + 0.06 * (years - 2.0)
}

fn household_risk(borrower: &Borrower) -> f64 {
    let employment = match borrower.years_employed {
        None => 0.45,
        Some(0) => 0.3,
        Some(10) => -0.2,
        Some(_) => 0.0,
    };
    let home = match borrower.home {
        words::RENT => 0.2,
        words::MORTGAGE => -0.15,
        _ => 0.0,
    };
    employment
        + home
        + if borrower.job_title.is_none() { 0.3 } else { borrower.job_risk }
        + borrower.state.risk
        - 0.2 * borrower.wealth().clamp(-0.9, 1.1)
        + 0.012 * (borrower.dti - 18.0)
}

fn file_risk(borrower: &Borrower) -> f64 {
    let file = &borrower.file;
    let lateness = match file.months_since_delinquency {
        None => -0.2,
        Some(months) if months < 12.0 => 0.6,
        Some(months) if months < 36.0 => 0.25,
        Some(_) => 0.0,
    };
    // U-shaped: a card never used says as little good as one used to the brim.
    let used = match file.revolving_use {
        None => 0.5,
        Some(percent) if percent < 12.0 => 0.6,
        Some(percent) => 0.012 * (percent - 55.0).max(0.0),
    };
    // U-shaped: few open accounts are a thin file, many are a stretched one.
    let accounts = (0.08 * (file.open_accounts - 10.0).abs()).min(1.0);
    let youth = if file.age_months < 84 { 0.4 } else { 0.0 };
    lateness + used + accounts + youth - 0.001 * (f64::from(file.age_months).min(360.0) - 190.0)
        + 0.15 * file.inquiries.min(4.0)
        + if file.public_records > 0.0 { 0.35 } else { 0.0 }
}

fn loan_risk(borrower: &Borrower, loan: &Loan) -> f64 {
    let burden = (0.06 * (loan.burden(borrower) - 7.0)).clamp(-0.1, 0.6);
    let term = if loan.months == 60 { 0.3 } else { 0.0 };
    burden + term + loan.purpose.risk
}

/// What no single column tells.
fn pair_risk(borrower: &Borrower, loan: &Loan) -> f64 {
    let poor_and_indebted =
        if borrower.wealth() < -0.25 { 0.09 * (borrower.dti - 17.0).max(0.0) } else { 0.0 };
    let fresh_business =
        loan.purpose.name == words::SMALL_BUSINESS && borrower.years_employed.is_none_or(|years| years <= 2);
    let renting_on_credit =
        borrower.home == words::RENT && borrower.file.revolving_use.is_some_and(|percent| percent > 72.0);
    let hungry_and_young = borrower.file.inquiries >= 2.0 && borrower.file.age_months < 130;
    poor_and_indebted.min(1.3)
        + if fresh_business { 1.3 } else { 0.0 }
        + if renting_on_credit { 0.65 } else { 0.0 }
        + if hungry_and_young { 0.8 } else { 0.0 }
}

/// How the loan ended: nothing of this is known when the decision is made.
pub struct Outcome {
    pub charged_off: bool,
    pub total_paid: f64,
    pub last_payment: f64,
    pub recovered: f64,
    pub recovery_fee: f64,
    pub settlement: Option<&'static str>,
}

impl Outcome {
    pub fn draw(draw: &mut Draw, loan: &Loan, log_odds: f64) -> Self {
        if draw.chance(sigmoid(log_odds)) {
            Self::draw_loss(draw, loan)
        } else {
            Self::draw_repaid(draw, loan)
        }
    }

    fn draw_repaid(draw: &mut Draw, loan: &Loan) -> Self {
        let months = if draw.chance(0.45) {
            loan.months
        } else {
            (draw.between(0.08, 1.0) * f64::from(loan.months)) as u32
        };
        let last = if months == loan.months { loan.installment } else { balance(loan, months) };
        let paid = loan.installment * f64::from(months) + if months == loan.months { 0.0 } else { last };
        Self {
            charged_off: false,
            total_paid: round_to(paid, 100.0),
            last_payment: round_to(last, 100.0),
            recovered: 0.0,
            recovery_fee: 0.0,
            settlement: None,
        }
    }

    fn draw_loss(draw: &mut Draw, loan: &Loan) -> Self {
        let months = (draw.between(0.03, 0.7) * f64::from(loan.months)) as u32;
        let lost = balance(loan, months);
        let recovered =
            if draw.chance(0.65) { round_to(lost * draw.between(0.01, 0.16), 100.0) } else { 0.0 };
        let settled = draw.chance(0.1);
        Self {
            charged_off: true,
            total_paid: round_to(loan.installment * f64::from(months) + recovered, 100.0),
            last_payment: if months == 0 { 0.0 } else { loan.installment },
            recovered,
            recovery_fee: round_to(0.18 * recovered, 100.0),
            settlement: settled.then(|| *draw.one_of(&["ACTIVE", "BROKEN", "COMPLETE"])),
        }
    }
}

/// What is still owed after so many payments.
fn balance(loan: &Loan, payments: u32) -> f64 {
    let monthly = loan.rate / 1_200.0;
    (0..payments).fold(loan.amount, |owed, _| owed * (1.0 + monthly) - loan.installment).max(0.0)
}
