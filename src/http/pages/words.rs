//! Times, ages, numbers and chances as a person says them.
//! Never rounds what is recorded: only what is shown.

use crate::base::clock::millis_to_text;
use crate::http::pages::text::Texts;

const DAY_MS: i64 = 86_400_000;

/// `27 November 2026, 14:05 UTC`
pub fn moment(texts: &Texts, millis: i64) -> String {
    let text = millis_to_text(millis);
    let clock = text.get(11..16).unwrap_or_default();
    texts.fill("time.moment", &[("date", &date(texts, millis)), ("clock", clock)])
}

/// `27 November 2026`
pub fn date(texts: &Texts, millis: i64) -> String {
    const MONTHS: [&str; 12] = [
        "month.1", "month.2", "month.3", "month.4", "month.5", "month.6", "month.7", "month.8", "month.9",
        "month.10", "month.11", "month.12",
    ];
    let text = millis_to_text(millis);
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let month: usize = part(5..7).parse().unwrap_or(1);
    let month = MONTHS.get(month.saturating_sub(1)).map_or(String::new(), |key| texts.say(key));
    let day = part(8..10).trim_start_matches('0');
    texts.fill("time.date", &[("day", day), ("month", &month), ("year", part(0..4))])
}

fn days_between(now_ms: i64, millis: i64) -> i64 {
    (now_ms.div_euclid(DAY_MS) - millis.div_euclid(DAY_MS)).max(0)
}

/// `today`, `yesterday`, `12 days ago`
pub fn days_ago(texts: &Texts, now_ms: i64, millis: i64) -> String {
    match days_between(now_ms, millis) {
        0 => texts.say("time.today"),
        1 => texts.say("time.yesterday"),
        days => texts.fill("time.days_ago", &[("days", &grouped(&days.to_string()))]),
    }
}

/// `made today`, `1 day old`, `12 days old`
pub fn age(texts: &Texts, now_ms: i64, millis: i64) -> String {
    match days_between(now_ms, millis) {
        0 => texts.say("time.made_today"),
        1 => texts.say("time.one_day_old"),
        days => texts.fill("time.days_old", &[("days", &grouped(&days.to_string()))]),
    }
}

/// A probability as a count of people: about 7 in 100. `told` is how the project says what happened to them; without
/// it the value of the outcome is quoted.
pub fn chance(texts: &Texts, probability: f64, ending: &str, told: Option<&str>) -> String {
    let about = (probability * 100.0).round() as i64;
    let count = about.to_string();
    match (about, told) {
        (..1, Some(told)) => texts.fill("chance.told.fewer", &[("told", told)]),
        (100.., Some(told)) => texts.fill("chance.told.more", &[("told", told)]),
        (_, Some(told)) => texts.fill("chance.told.about", &[("count", &count), ("told", told)]),
        (..1, None) => texts.fill("chance.fewer", &[("ending", ending)]),
        (100.., None) => texts.fill("chance.more", &[("ending", ending)]),
        (_, None) => texts.fill("chance.about", &[("count", &count), ("ending", ending)]),
    }
}

/// A number with its thousands set apart; anything else stays as it is.
pub fn grouped(text: &str) -> String {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(w, f)| (w, Some(f)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) {
        return text.to_string();
    }
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let fraction = fraction.map_or(String::new(), |fraction| format!(".{fraction}"));
    format!("{sign}{out}{fraction}")
}

/// `loan-default` as `Loan default`.
pub fn spoken(name: &str) -> String {
    let text = name.replace(['-', '_'], " ");
    let mut signs = text.chars();
    signs.next().map_or(String::new(), |first| first.to_uppercase().chain(signs).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_times_and_names_are_said_as_people_say_them() {
        assert_eq!(
            ["1234567.5", "-1000", "999", "12.3456", "1e5", "abc"].map(grouped),
            ["1,234,567.5", "-1,000", "999", "12.3456", "1e5", "abc"]
        );
        assert_eq!(spoken("loan-default"), "Loan default");
        let texts = Texts::load().unwrap();
        let day = 20_000 * DAY_MS;
        assert_eq!(date(&texts, day), "4 October 2024");
        assert_eq!(moment(&texts, day + 3_900_000), "4 October 2024, 01:05 UTC");
        assert_eq!(days_ago(&texts, day, day - 1), "yesterday");
        assert_eq!(days_ago(&texts, day, day - 12 * DAY_MS), "12 days ago");
        assert_eq!(age(&texts, day, day), "made today");
    }

    #[test]
    fn a_chance_is_never_nothing_and_never_all() {
        let texts = Texts::load().unwrap();
        let said = |p: f64| chance(&texts, p, "lost", None);
        let told = chance(&texts, 0.071, "lost", Some("similar applicants defaulted"));
        assert_eq!(told, "About 7 in 100 similar applicants defaulted.");
        assert!(said(0.071).starts_with("About 7 in 100"), "{}", said(0.071));
        assert!(said(0.0).starts_with("Fewer than 1 in 100"), "{}", said(0.0));
        assert!(said(0.999).starts_with("More than 99 in 100"), "{}", said(0.999));
    }
}
