//! Trends of no day, one day, with gaps, with levels, and of years.

use crate::base::limits;
use crate::evaluate::charts::tests::{assert_on_the_paper, assert_well_formed};
use crate::evaluate::charts::trend::{DayPoint, Level, Scale, Trend, draw_trend};

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
    assert!(svg.contains("dot second"));
    assert!(svg.matches('L').count() < 4 * limits::CURVE_POINTS_MAX);
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
