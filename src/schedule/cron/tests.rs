//! Cron texts and the times they mean, through every change of clocks.

use jiff::Timestamp;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use crate::schedule::cron::{Cron, CronError, Field, Timetable};
use crate::schedule::zone::Zone;

fn table(cron: &str, zone: &str) -> Timetable {
    Timetable::new(Cron::parse(cron).unwrap(), Zone::find(zone).unwrap())
}

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// The starts after `from`, each as the zone's wall clock shows it.
fn starts(cron: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let table = table(cron, zone);
    let far = ms(from) + 100 * 366 * 86_400_000;
    table.list_between(ms(from), far, count).into_iter().map(|at| table.zone().text(at).unwrap()).collect()
}

#[test]
fn a_daily_start_whose_hour_is_skipped_comes_once_at_the_end_of_the_gap() {
    let berlin = starts("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3);
    assert_eq!(berlin, ["2026-03-28 02:30 +01:00", "2026-03-29 03:00 +02:00", "2026-03-30 02:30 +02:00"]);
    let york = starts("15 2 * * *", "America/New_York", "2026-03-08T05:00:00Z", 2);
    assert_eq!(york, ["2026-03-08 03:00 -04:00", "2026-03-09 02:15 -04:00"]);
    let howe = starts("10 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 2);
    assert_eq!(howe, ["2026-10-04 02:30 +11:00", "2026-10-05 02:10 +11:00"]);
}

#[test]
fn several_starts_of_one_gap_are_one() {
    let berlin = starts("0,30 2,3 * * *", "Europe/Berlin", "2026-03-28T23:00:00Z", 3);
    assert_eq!(berlin, ["2026-03-29 03:00 +02:00", "2026-03-29 03:30 +02:00", "2026-03-30 02:00 +02:00"]);
}

#[test]
fn a_daily_start_whose_hour_comes_twice_comes_the_first_time_only() {
    let berlin = starts("30 2 * * *", "Europe/Berlin", "2026-10-24T22:00:00Z", 2);
    assert_eq!(berlin, ["2026-10-25 02:30 +02:00", "2026-10-26 02:30 +01:00"]);
    let york = starts("0,30 1 * * *", "America/New_York", "2026-11-01T04:00:00Z", 3);
    assert_eq!(york, ["2026-11-01 01:00 -04:00", "2026-11-01 01:30 -04:00", "2026-11-02 01:00 -05:00"]);
    let howe = starts("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00Z", 2);
    assert_eq!(howe, ["2026-04-05 01:45 +11:00", "2026-04-06 01:45 +10:30"]);
}

#[test]
fn in_the_second_of_two_equal_hours_the_first_ones_start_is_the_latest() {
    let berlin = table("30 2 * * *", "Europe/Berlin");
    let first = ms("2026-10-25T00:30:00Z");
    for now in ["2026-10-25T00:30:00Z", "2026-10-25T01:10:00Z", "2026-10-25T01:45:00Z"] {
        assert_eq!(berlin.latest_until(ms(now)), Some(first), "{now}");
        assert!(berlin.next_after(ms(now)) > Some(ms("2026-10-26T00:00:00Z")), "{now}");
    }
}

#[test]
fn a_quarter_of_an_hour_is_a_quarter_of_an_hour_through_every_change() {
    for (zone, from) in [
        ("Europe/Berlin", "2026-03-28T22:00:00Z"),
        ("Europe/Berlin", "2026-10-24T22:00:00Z"),
        ("America/New_York", "2026-03-08T04:00:00Z"),
        ("America/New_York", "2026-11-01T03:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T10:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T10:00:00Z"),
    ] {
        let planned = table("*/15 * * * *", zone).list_between(ms(from), ms(from) + 8 * 3_600_000, 100);
        let wanted: Vec<i64> = (1..=32).map(|n| ms(from) + n * 900_000).collect();
        assert_eq!(planned, wanted, "{zone} {from}");
    }
}

#[test]
fn an_hourly_start_comes_in_both_of_two_equal_hours_and_in_no_skipped_one() {
    let back = starts("30 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 4);
    assert_eq!(
        back,
        [
            "2026-10-25 01:30 +02:00",
            "2026-10-25 02:30 +02:00",
            "2026-10-25 02:30 +01:00",
            "2026-10-25 03:30 +01:00"
        ]
    );
    let forward = starts("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2);
    assert_eq!(forward, ["2026-03-29 01:30 +01:00", "2026-03-29 03:30 +02:00"]);
}

#[test]
fn a_midnight_that_is_skipped_comes_at_the_end_of_the_gap() {
    let beirut = starts("@daily", "Asia/Beirut", "2026-03-28T00:00:00Z", 2);
    assert_eq!(beirut, ["2026-03-29 01:00 +03:00", "2026-03-30 00:00 +03:00"]);
}

#[test]
fn rare_days_come_when_the_calendar_has_them() {
    let leap = starts("0 6 29 2 *", "UTC", "2026-01-01T00:00:00Z", 2);
    assert_eq!(leap, ["2028-02-29 06:00 +00:00", "2032-02-29 06:00 +00:00"]);
    let century = starts("0 6 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1);
    assert_eq!(century, ["2104-02-29 06:00 +00:00"]);
    let last = starts("0 0 31 * *", "UTC", "2026-01-31T00:00:00Z", 3);
    assert_eq!(last, ["2026-03-31 00:00 +00:00", "2026-05-31 00:00 +00:00", "2026-07-31 00:00 +00:00"]);
    // A starred day of the week does not make it "either": a 29 February that is a Sunday, across the year 2100.
    let sunday = starts("0 0 29 2 */7", "UTC", "2072-03-01T00:00:00Z", 2);
    assert_eq!(sunday, ["2088-02-29 00:00 +00:00", "2128-02-29 00:00 +00:00"]);
}

#[test]
fn of_a_day_of_the_month_and_a_day_of_the_week_either_will_do() {
    let both = starts("0 0 13 * fri", "UTC", "2026-02-01T00:00:00Z", 5);
    let days: Vec<&str> = both.iter().map(|at| at.get(..10).unwrap()).collect();
    assert_eq!(days, ["2026-02-06", "2026-02-13", "2026-02-20", "2026-02-27", "2026-03-06"]);
    let starred = starts("0 0 */2 * mon", "UTC", "2026-02-01T00:00:00Z", 2);
    assert_eq!(starred, ["2026-02-09 00:00 +00:00", "2026-02-23 00:00 +00:00"]);
}

#[test]
fn names_and_words_mean_what_their_numbers_mean() {
    for (word, numbers) in [
        ("@weekly", "0 0 * * 0"),
        ("@Yearly", "0 0 1 1 *"),
        ("0 0 * JAN-mar sat-SUN", "0 0 * 1-3 6,7"),
        ("0 8-18/5 * * 1-5", "0 8,13,18 * * mon-fri"),
        ("0 0 * * 0", "0 0 * * 7"),
    ] {
        let from = "2026-01-01T00:00:00Z";
        assert_eq!(starts(word, "UTC", from, 40), starts(numbers, "UTC", from, 40), "{word}");
    }
}

#[test]
fn what_is_wrong_is_said_of_its_field() {
    for (text, said) in [
        ("0 24 * * *", "hour: \"24\" is not a number from 0 to 23"),
        ("61 * * * *", "minute: \"61\" is not a number from 0 to 59"),
        ("0 0 0 * *", "day of month: \"0\" is not a number from 1 to 31"),
        ("0 0 * foo *", "month: \"foo\" is not a number from 1 to 12 or jan to dec"),
        ("0 0 * * 8", "day of week: \"8\" is not a number from 0 to 7 or sun to sat"),
        ("0 0 L * *", "day of month: \"L\" is not a number from 1 to 31"),
        ("0 9-5 * * *", "hour: \"9-5\" runs backwards; a range goes from the smaller to the larger"),
        ("5/15 * * * *", "minute: \"5/15\" has a step without a range (write 5-59/15 or */15)"),
        ("*/0 * * * *", "minute: \"*/0\" has the step \"0\"; a step is a number from 1 to 59"),
        ("1,,2 * * * *", "minute: \"\" is not a number from 0 to 59"),
        ("0 0 31 2,4 *", "names a day that no month of it has, so it never comes"),
    ] {
        let wrong = Cron::parse(text).unwrap_err();
        assert_eq!(wrong.to_string().replace("/N", "/15"), said, "{text}");
    }
    assert!(matches!(Cron::parse("0 0 * * * *"), Err(CronError::Fields { found: 6 })));
    assert!(matches!(Cron::parse(""), Err(CronError::Fields { found: 0 })));
    assert!(matches!(Cron::parse(&"*".repeat(201)), Err(CronError::Long { max: 200 })));
    assert!(matches!(Cron::parse("@dayly"), Err(CronError::Name { near: Some("@daily"), .. })));
    assert!(matches!(Cron::parse("0 x * * *"), Err(CronError::Field { field: Field::Hour, .. })));
}

#[test]
fn at_the_ends_of_time_there_is_no_next() {
    let daily = table("@daily", "Europe/Berlin");
    assert_eq!(daily.next_after(i64::MAX), None);
    assert_eq!(daily.next_after(i64::MIN), None);
    assert_eq!(daily.next_after(ms("9999-12-30T22:00:00Z")), None);
    assert_eq!(daily.latest_until(i64::MIN), None);
    assert_eq!(daily.list_between(10, 5, 10), Vec::<i64>::new());
}

fn a_cron() -> impl Strategy<Value = String> {
    let minute = proptest::sample::select(vec!["*", "*/15", "0", "30", "7,52", "*/20", "10-50/10"]);
    let hour = proptest::sample::select(vec!["*", "2", "1-3", "*/2", "0", "0-23", "1,2"]);
    let day = proptest::sample::select(vec!["*", "31", "1", "29", "*/5"]);
    let weekday = proptest::sample::select(vec!["*", "0", "mon-fri"]);
    (minute, hour, day, weekday).prop_map(|(m, h, d, w)| format!("{m} {h} {d} * {w}"))
}

proptest! {
    /// Forwards and backwards agree: nothing lies between a moment's last start and its next.
    #[test]
    fn the_latest_start_is_the_one_whose_next_is_still_to_come(
        cron in a_cron(),
        zone in proptest::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
        at in 1_700_000_000_000_i64..1_900_000_000_000,
        near_change in any::<bool>(),
    ) {
        let table = table(&cron, zone);
        let at = if near_change { near(table.zone(), at) } else { at };
        let latest = table.latest_until(at).unwrap();
        let next = table.next_after(at).unwrap();
        prop_assert!(latest <= at && at < next);
        prop_assert_eq!(table.next_after(latest), Some(next));
        prop_assert_eq!(table.latest_until(next), Some(next));
        prop_assert_eq!(table.latest_until(next - 1), Some(latest));
    }
}

/// A moment within three hours of the next change of the clocks, if there is one.
fn near(zone: &Zone, at: i64) -> i64 {
    let moment = Timestamp::from_millisecond(at).unwrap();
    zone.next_change(moment).map_or(at, |change| change.as_millisecond() + at % 21_600_000 - 10_800_000)
}
