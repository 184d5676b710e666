//! Trends of no day, one day, with gaps, with levels, and of years.

use crate::base::limits;
use crate::evaluate::charts::tests::{assert_on_the_paper, assert_well_formed};
use crate::evaluate::charts::trend::{DayPoint, Level, Scale, Trend, draw_trend, weeks};

fn point(day: u64, value: Option<f64>) -> DayPoint {
    DayPoint { day, value, interval: value.map(|v| (v - 0.02, v + 0.03)), marked: false }
}

fn trend<'a>(points: &'a [DayPoint], levels: &'a [Level<'a>]) -> Trend<'a> {
    let about = Some("</text><script>x</script>");
    Trend { id: "trend-1", title: "Stability index (PSI)", about, scale: Scale::Size, points, levels }
}

const LEVELS: [Level<'static>; 2] =
    [Level { value: 0.1, words: "watch 0.10" }, Level { value: 0.25, words: "shifted 0.25" }];

#[test]
fn a_trend_of_any_length_is_well_formed_and_on_the_paper() {
    let years: Vec<DayPoint> =
        (0..5_000).map(|day| point(day, Some((day as f64 / 90.0).sin().abs()))).collect();
    for count in [0, 1, 2, 30, 90, 400, 5_000] {
        for levels in [&LEVELS[..], &[]] {
            let svg = draw_trend(&trend(&years[..count], levels));
            assert_well_formed("trend", &svg);
            assert_on_the_paper("trend", &svg);
            assert!(svg.len() < 96 << 10 && !svg.contains("<script"), "{count}: {}", svg.len());
        }
    }
}

#[test]
fn a_day_without_a_figure_parts_the_line_and_the_band() {
    let whole: Vec<DayPoint> = (20_000..20_010).map(|day| point(day, Some(0.1))).collect();
    let mut parted = whole.clone();
    parted[4] = point(20_004, None);
    let count = |points: &[DayPoint], what: &str| draw_trend(&trend(points, &[])).matches(what).count();
    for what in ["<path class=\"line first\"", "<path class=\"area first\""] {
        assert_eq!((count(&whole, what), count(&parted, what)), (1, 2), "{what}");
    }
    assert_eq!(count(&parted, "<circle class=\"dot first\""), 9);
}

#[test]
fn a_peak_of_one_day_among_years_is_drawn() {
    let mut years: Vec<DayPoint> = (0..4_000).map(|day| point(day, Some(0.05))).collect();
    years[1_234] = DayPoint { marked: true, ..point(1_234, Some(0.9)) };
    let svg = draw_trend(&trend(&years, &LEVELS));
    assert!(svg.contains("dot second") && svg.contains("Drawn week by week"));
    assert!(svg.matches('L').count() < 4 * limits::CURVE_POINTS_MAX);
}

#[test]
fn years_are_drawn_by_weeks_that_reach_as_far_as_their_days_and_end_with_the_last() {
    // Five busy days and two quiet ones a week were a solid block over three years.
    let rows = |day: u64| if day % 7 < 5 { 200.0 } else { 60.0 };
    let plain = |day: u64| DayPoint { interval: None, ..point(day, Some(rows(day))) };
    let years: Vec<DayPoint> = (20_000..21_095).map(plain).collect();
    assert!(weeks::of(&years[..400]).is_none());
    let mut weeks = weeks::of(&years).unwrap();
    assert_eq!((weeks.points.len(), weeks.points.last().unwrap().day), (157, 21_094));
    assert_eq!(weeks.marks, [(21_094, rows(21_094), false)]);
    for week in &weeks.points[1..] {
        assert!((week.value.unwrap() - 160.0).abs() < 1e-9, "{week:?}");
        assert_eq!(week.interval, Some((60.0, 200.0)));
    }
    let mut parted = years.clone();
    parted[100..130].iter_mut().for_each(|p| p.value = None);
    parted[500] = DayPoint { value: Some(900.0), marked: true, ..parted[500] };
    weeks = weeks::of(&parted).unwrap();
    assert_eq!(weeks.points.iter().filter(|week| week.value.is_none()).count(), 4);
    let peak = weeks.points.iter().find(|week| week.marked).unwrap();
    assert_eq!((peak.interval.unwrap().1, weeks.marks[0].1), (900.0, 900.0));
}

#[test]
fn a_number_that_is_none_is_a_gap_and_no_day_at_all_is_said() {
    let broken = [DayPoint { interval: Some((f64::NAN, 1.0)), ..point(3, Some(f64::INFINITY)) }];
    for points in [&broken[..], &[]] {
        let svg = draw_trend(&trend(points, &[Level { value: f64::NAN, words: "none" }]));
        assert!(svg.contains("No day has a figure yet") && !svg.contains("NaN") && !svg.contains("inf"));
    }
}

#[test]
fn the_words_of_the_last_day_and_of_the_levels_are_there() {
    let svg = draw_trend(&trend(&[point(20_526, Some(0.312))], &LEVELS));
    assert!(svg.contains(">0.312</tspan>") && svg.contains(">shifted 0.25</text>"), "{svg}");
    assert!(svg.contains("2026-03-14") && svg.contains("id=\"trend-1-title\""), "{svg}");
    assert!(svg.contains("watch 0.10 at 0.100, shifted 0.25 at 0.250"));
}
