//! Bins against hand calculations and against every cutting there is; what is asked is followed or refused.

use super::*;
use crate::base::rng::Random;
use crate::train::scorecard::params::RawScorecardParams;

const ORDERED: CodeColumn = CodeColumn { column: 3, codes: 21, ordered: true };

fn params(change: impl Fn(&mut RawScorecardParams)) -> ScorecardParams {
    let mut raw = RawScorecardParams { share_min: 0.05, smoothing: 1.0, ..Default::default() };
    change(&mut raw);
    raw.check().unwrap()
}

/// 100 rows a code, with as many events as the function says; none of the missing code.
fn column(codes: usize, events: impl Fn(usize) -> f64) -> Vec<Tally> {
    let tally = |code| Tally { events: events(code), others: 100.0 - events(code) };
    (0..codes).map(|code| if code == 0 { Tally::default() } else { tally(code) }).collect()
}

fn asked(trend: Trend) -> ColumnRequest {
    ColumnRequest { trend: Some(trend), ..Default::default() }
}

fn values(found: &ColumnBins) -> Vec<&Bin> {
    found.bins.iter().filter(|bin| bin.kind == BinKind::Values).collect()
}

#[test]
fn bins_are_where_the_rate_steps_and_their_figures_are_those_of_a_hand_calculation() {
    let tallies = column(21, |code| if code <= 8 { 10.0 } else { 40.0 });
    let found = bin_column(&ORDERED, &tallies, &ColumnRequest::default(), &params(|p| p.smoothing = 1e-9));
    let found = found.unwrap();
    let bins: Vec<_> = values(&found).iter().map(|b| (b.codes.clone(), b.weight, b.events)).collect();
    assert_eq!(bins, [(vec![(1, 8)], 800.0, 80.0), (vec![(9, 20)], 1200.0, 480.0)]);
    // ln((80/560)/(720/1440)) = ln(2/7), ln((480/560)/(720/1440)) = ln(12/7); shares apart by 5/14 either way.
    let (low, high) = ((2.0f64 / 7.0).ln(), (12.0f64 / 7.0).ln());
    assert!((found.bins[1].woe - low).abs() < 1e-9 && (found.bins[2].woe - high).abs() < 1e-9);
    assert!((found.iv - 5.0 / 14.0 * (high - low)).abs() < 1e-6, "{}", found.iv);
    assert_eq!(found.bins[0].woe, 0.0, "a missing cell that training never saw is neutral");
}

#[test]
fn a_trend_that_was_asked_for_is_followed_or_refused_by_name() {
    let rising = column(21, |code| 5.0 + 4.0 * code as f64 + if code % 2 == 0 { 7.0 } else { 0.0 });
    for (trend, sign) in [(Trend::Rising, 1.0), (Trend::Auto, 1.0), (Trend::Falling, -1.0)] {
        let found = bin_column(&ORDERED, &rising, &asked(trend), &params(|_| ())).unwrap();
        let bins = values(&found);
        if sign < 0.0 {
            assert_eq!((found.refusal, bins.len()), (Some(Refusal::Trend(Trend::Falling)), 1));
            continue;
        }
        assert!(bins.len() > 4 && found.refusal.is_none() && found.trend == Trend::Rising);
        assert!(bins.windows(2).all(|two| two[0].woe < two[1].woe && two[0].rate <= two[1].rate));
    }
    let falling = column(21, |code| 90.0 - 4.0 * code as f64);
    let found = bin_column(&ORDERED, &falling, &asked(Trend::Auto), &params(|_| ())).unwrap();
    assert_eq!(found.trend, Trend::Falling);
}

#[test]
fn a_peak_and_a_valley_turn_once() {
    let hill = column(21, |code| 60.0 - 5.0 * (code as f64 - 9.0).abs());
    let found = bin_column(&ORDERED, &hill, &asked(Trend::Peak), &params(|p| p.bins_max = 7)).unwrap();
    let woes: Vec<f64> = values(&found).iter().map(|bin| bin.woe).collect();
    let top = (0..woes.len()).max_by(|&a, &b| woes[a].total_cmp(&woes[b])).unwrap();
    assert!(woes.len() == 7 && top > 0 && top < 6, "{woes:?}");
    assert!(woes[..=top].windows(2).all(|w| w[0] < w[1]) && woes[top..].windows(2).all(|w| w[0] > w[1]));
    let free = bin_column(&ORDERED, &hill, &asked(Trend::None), &params(|p| p.bins_max = 7)).unwrap();
    assert_eq!(found.bins, free.bins, "the hill is the best of all cuttings");
    let hole = column(21, |code| 10.0 + 5.0 * (code as f64 - 9.0).abs());
    let found = bin_column(&ORDERED, &hole, &asked(Trend::Valley), &params(|p| p.bins_max = 7)).unwrap();
    let free = bin_column(&ORDERED, &hole, &asked(Trend::None), &params(|p| p.bins_max = 7)).unwrap();
    assert_eq!(found.bins, free.bins);
}

#[test]
fn no_cutting_by_hand_is_worth_more_than_the_one_found() {
    let mut random = Random::new(3, "cuttings");
    let shape = CodeColumn { column: 0, codes: 10, ordered: true };
    for trial in 0..40 {
        let tallies = column(10, |code| ((trial * 31 + code * 17) % 7) as f64 * 9.0 + 5.0);
        let rules = params(|p| (p.bins_max, p.gain_min, p.share_min) = (4, 1e-9, 0.2));
        let trend = [Trend::None, Trend::Rising, Trend::Falling][random.below(3)];
        let found = bin_column(&shape, &tallies, &asked(trend), &rules).unwrap();
        let mut most: Option<f64> = None;
        for mask in 0u32..256 {
            let breaks: Vec<u8> = (1..9u8).filter(|code| mask >> (code - 1) & 1 == 1).collect();
            let given = ColumnRequest { breaks: Some(breaks), trend: Some(trend), ..Default::default() };
            let hand = bin_column(&shape, &tallies, &given, &rules).unwrap();
            let bins = values(&hand);
            let enough = bins.iter().all(|bin| bin.weight >= 0.2 * 900.0);
            let strict = trend == Trend::None || bins.windows(2).all(|two| two[0].woe != two[1].woe);
            if enough && strict && bins.len() <= 4 && hand.refusal.is_none() {
                most = Some(most.map_or(hand.iv, |m: f64| m.max(hand.iv)));
            }
        }
        assert!((found.iv - most.unwrap()).abs() < 1e-8, "{trend:?} {} {most:?}", found.iv);
    }
}

#[test]
fn missing_special_and_given_bins_stand_where_they_were_asked_for() {
    let mut tallies = column(21, |code| 20.0 + code as f64);
    tallies[0] = Tally { events: 30.0, others: 10.0 };
    let request = ColumnRequest { special: vec![20], breaks: Some(vec![5, 12]), trend: Some(Trend::Rising) };
    let found = bin_column(&ORDERED, &tallies, &request, &params(|_| ())).unwrap();
    let kinds: Vec<_> = found.bins.iter().map(|b| (b.kind, b.codes.clone())).collect();
    let own = |kind, from, to| (kind, vec![(from, to)]);
    let (missing, special) = (own(BinKind::Missing, 0, 0), own(BinKind::Special, 20, 20));
    let rest = [(1, 5), (6, 12), (13, 19)].map(|(from, to)| own(BinKind::Values, from, to));
    assert_eq!(kinds, [vec![missing, special], rest.to_vec()].concat());
    assert!(found.bins[0].woe > 1.0 && found.bin_of[20] == 1 && found.bin_of[12] == 3);
    let against = ColumnRequest { trend: Some(Trend::Falling), ..request };
    let found = bin_column(&ORDERED, &tallies, &against, &params(|_| ())).unwrap();
    assert_eq!(found.refusal, Some(Refusal::Breaks(Trend::Falling)));
}

#[test]
fn levels_are_grouped_by_evidence_and_an_unknown_one_is_with_the_rare() {
    let shape = CodeColumn { column: 1, codes: 8, ordered: false };
    let mut tallies = column(8, |code| if code % 2 == 0 { 10.0 } else { 60.0 });
    tallies[5] = Tally { events: 3.0, others: 4.0 };
    tallies[7] = Tally::default();
    let found = bin_column(&shape, &tallies, &ColumnRequest::default(), &params(|_| ())).unwrap();
    assert_eq!((found.bin_of[2], found.bin_of[4], found.bin_of[6]), (1, 1, 1));
    assert!(found.bin_of[1] == found.bin_of[3] && found.bin_of[1] != 1);
    assert_eq!(found.bin_of[5], found.bin_of[7], "level 5 has seven rows");
    tallies[5] = Tally { events: 30.0, others: 40.0 };
    let found = bin_column(&shape, &tallies, &ColumnRequest::default(), &params(|_| ())).unwrap();
    let last = found.bins.last().unwrap();
    assert_eq!((last.kind, last.codes.clone(), last.woe), (BinKind::Rare, vec![(7, 7)], 0.0));
}

#[test]
fn a_request_that_makes_no_sense_is_refused() {
    let levels = CodeColumn { ordered: false, ..ORDERED };
    let tallies = column(21, |_| 50.0);
    let refused = |column: &CodeColumn, request: ColumnRequest| {
        bin_column(column, &tallies, &request, &params(|_| ())).unwrap_err()
    };
    assert_eq!(refused(&levels, asked(Trend::Rising)), RequestError::NoOrder { column: 3 });
    let special = ColumnRequest { special: vec![4, 4], ..Default::default() };
    assert_eq!(refused(&ORDERED, special), RequestError::Special { column: 3, code: 4, last: 20 });
    for breaks in [vec![0], vec![20], vec![7, 7]] {
        let request = ColumnRequest { breaks: Some(breaks), ..Default::default() };
        assert!(matches!(refused(&ORDERED, request), RequestError::Break { column: 3, .. }));
    }
}

#[test]
fn a_column_of_all_the_codes_there_are_is_binned_to_its_last() {
    // Counting its codes once went on to the one after the last, which no byte holds.
    let tallies = column(256, |code| if code <= 128 { 10.0 } else { 40.0 });
    for ordered in [true, false] {
        let column = CodeColumn { column: 0, codes: 256, ordered };
        let found = bin_column(&column, &tallies, &ColumnRequest::default(), &params(|_| {})).unwrap();
        assert_eq!(found.bin_of.len(), 256);
        let (low, high) = (found.bin_of[1], found.bin_of[255]);
        assert!(
            low != high && found.bins[usize::from(high)].codes.iter().any(|run| run.1 == 255),
            "{found:?}"
        );
    }
}
