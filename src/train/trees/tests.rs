//! Trees from coded rows: what they learn, keep to and refuse, the same on every run.

use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

use crate::base::cancel::{CancelFlag, Cancelled};
use crate::base::progress::Silent;
use crate::base::rng::Random;
use crate::model::shap::{Background, Explainer, TABLE_BYTES_MAX};
use crate::model::trees::batch::TreesRun;
use crate::model::trees::{Branch, Child, CodeColumn, Split, Tree, Trees};
use crate::train::trees::average::boost_average;
use crate::train::trees::boosting::{Boosted, Parts, Watch, boost};
use crate::train::trees::codes::{CodeTable, CodedPart, CodedShape, Monotone};
use crate::train::trees::error::TreesError;
use crate::train::trees::forest::bag;
use crate::train::trees::params::{AverageParams, BoostingParams, ForestParams, GrowParams, Growth};

/// Two ordered columns of 20 bins and one of 12 levels, each with missing cells.
struct Data {
    table: CodeTable,
    labels: Vec<bool>,
    weights: Vec<f32>,
    columns: Vec<CodeColumn>,
    monotone: Vec<Monotone>,
}

impl Data {
    /// The odds are what `odds` says of a row's codes.
    fn of(rows: usize, seed: u64, odds: impl Fn(&[u8]) -> f64) -> Self {
        let codes = [21, 21, 13];
        let describe = |(column, codes): (usize, usize)| CodeColumn { column, codes, ordered: column < 2 };
        let columns: Vec<CodeColumn> = codes.into_iter().enumerate().map(describe).collect();
        let mut random = Random::new(seed, "test.trees");
        let mut table = CodeTable { rows, columns: vec![Vec::new(); 3] };
        let mut labels = Vec::new();
        for _ in 0..rows {
            let row: Vec<u8> = codes.iter().map(|&codes| random.below(codes) as u8).collect();
            labels.push(random.unit() < 1.0 / (1.0 + (-odds(&row)).exp()));
            table.columns.iter_mut().zip(row).for_each(|(column, code)| column.push(code));
        }
        Self { table, labels, weights: vec![1.0; rows], columns, monotone: vec![Monotone::Free; 3] }
    }

    fn part(&self) -> CodedPart<'_> {
        CodedPart { table: &self.table, labels: &self.labels, weights: &self.weights }
    }

    fn shape(&self) -> CodedShape<'_> {
        CodedShape { columns: &self.columns, monotone: &self.monotone }
    }

    fn row(&self, row: usize) -> Vec<u8> {
        self.table.columns.iter().map(|column| column[row]).collect()
    }

    fn boost(&self, params: &BoostingParams) -> Result<Boosted, TreesError> {
        let watch = Watch { cancel: &CancelFlag::new(), progress: &Silent };
        boost(Parts { train: self.part(), valid: None }, self.shape(), params, 5, watch)
    }
}

fn brief(rounds: usize) -> BoostingParams {
    let mut params =
        BoostingParams { rounds_max: rounds, learning_rate: 0.2, ..BoostingParams::by_best_leaf(10_000) };
    params.grow.rows_min = 10;
    params
}

/// The same by either growth.
fn briefs(rounds: usize) -> [BoostingParams; 2] {
    let best_leaf = brief(rounds);
    let symmetric = BoostingParams { grow: BoostingParams::usual(10_000).grow, ..best_leaf };
    assert_eq!((best_leaf.grow.growth, symmetric.grow.growth), (Growth::BestLeaf, Growth::Symmetric));
    [best_leaf, symmetric]
}

fn bumpy(row: &[u8]) -> f64 {
    f64::from(row[0] % 7) - 3.0 + f64::from(row[1]) / 5.0
        - f64::from(u8::from([2, 5, 9].contains(&row[2]))) * 2.0
}

fn loss(trees: &Trees, data: &Data) -> f64 {
    let of = |row: usize| {
        let margin = trees.margin_of(&data.row(row));
        let wrong = if data.labels[row] { -margin } else { margin };
        (1.0 + wrong.exp()).ln()
    };
    (0..data.labels.len()).map(of).sum::<f64>() / data.labels.len() as f64
}

/// The first pair of codes of column 0 that a direction is broken by.
fn broken(trees: &Trees, sign: f64, seed: u64) -> Option<(Vec<u8>, f64, f64)> {
    let mut random = Random::new(seed, "test.sweep");
    for _ in 0..60 {
        let mut row: Vec<u8> = trees.columns.iter().map(|column| random.below(column.codes) as u8).collect();
        let mut last = f64::NEG_INFINITY;
        for code in 1..trees.columns[0].codes {
            row[0] = code as u8;
            let margin = sign * trees.margin_of(&row);
            if margin < last - 1e-12 {
                return Some((row, last, margin));
            }
            last = margin;
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_whole_ensemble_keeps_to_a_direction_that_the_data_break(seed in any::<u64>(), rising in any::<bool>()) {
        let mut data = Data::of(600, seed, bumpy);
        data.monotone[0] = if rising { Monotone::Rising } else { Monotone::Falling };
        data.monotone[1] = Monotone::Falling;
        let sign = if rising { 1.0 } else { -1.0 };
        let [boosted, symmetric] = briefs(25).map(|params| data.boost(&params).unwrap().trees);
        let watch = Watch { cancel: &CancelFlag::new(), progress: &Silent };
        let params = ForestParams { trees: 10, root_share: 1.2, ..ForestParams::usual(600) };
        let bagged = bag(data.part(), data.shape(), &params, seed, watch).unwrap().trees;
        for trees in [&boosted, &symmetric, &bagged] {
            prop_assert!(broken(trees, sign, seed).is_none(), "{:?}", broken(trees, sign, seed));
            let used = trees.trees.iter().flat_map(|tree| &tree.branches).any(|branch| branch.column == 0);
            prop_assert!(used || !rising || trees.trees.is_empty());
        }
    }
}

#[test]
fn the_sweep_finds_a_broken_direction_where_none_was_asked() {
    for params in briefs(30) {
        let trees = Data::of(2000, 1, bumpy).boost(&params).unwrap().trees;
        assert!(broken(&trees, 1.0, 1).is_some() && broken(&trees, -1.0, 1).is_some());
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_other_trees() {
    let data = Data::of(800, 2, bumpy);
    let watch = Watch { cancel: &CancelFlag::new(), progress: &Silent };
    let with = |seed| {
        let boosted = briefs(10).map(|params| {
            boost(Parts { train: data.part(), valid: None }, data.shape(), &params, seed, watch).unwrap()
        });
        let params = ForestParams { trees: 5, ..ForestParams::usual(800) };
        (boosted, bag(data.part(), data.shape(), &params, seed, watch).unwrap())
    };
    assert_eq!(with(1), with(1));
    assert!(with(1).0.iter().zip(with(2).0).all(|(one, other)| *one != other));
    assert_ne!(with(1).1, with(2).1);
}

#[test]
fn every_leaf_counts_the_rows_that_end_in_it_and_has_enough_of_them() {
    let data = Data::of(1500, 3, bumpy);
    let [best_leaf, symmetric] = briefs(15);
    let short = BoostingParams { grow: GrowParams { leaves_max: 11, ..symmetric.grow }, ..symmetric };
    for params in [best_leaf, symmetric, short] {
        let params = BoostingParams { row_share: 1.0, ..params };
        let trees = data.boost(&params).unwrap().trees;
        assert_eq!(trees.trees.len(), 15);
        for tree in &trees.trees {
            let mut ended = vec![0; tree.leaves.len()];
            (0..1500).for_each(|row| ended[tree.leaf(&data.row(row))] += 1);
            assert_eq!(ended, tree.leaves.iter().map(|leaf| leaf.rows).collect::<Vec<_>>());
            assert!(ended.iter().all(|&rows| rows as usize >= params.grow.rows_min));
            assert!(tree.leaves.len() <= params.grow.leaves_max);
            assert_eq!(tree.leaves.len(), tree.branches.len() + 1);
        }
        let most = trees.trees.iter().map(|tree| tree.leaves.len()).max();
        assert!(params.grow.leaves_max == 64 || most == Some(params.grow.leaves_max), "{most:?}");
    }
}

#[test]
fn a_step_is_the_newton_step_of_the_rows_in_the_leaf() {
    let data = Data::of(900, 4, bumpy);
    for params in briefs(1) {
        let params = BoostingParams { row_share: 1.0, ..params };
        let trees = data.boost(&params).unwrap().trees;
        let rate = 1.0 / (1.0 + (-trees.base).exp());
        let tree = &trees.trees[0];
        for (at, leaf) in tree.leaves.iter().enumerate() {
            let rows = (0..900).filter(|&row| tree.leaf(&data.row(row)) == at);
            let (gradient, hessian) = rows.fold((0.0, 0.0), |(gradient, hessian), row| {
                (gradient + rate - f64::from(u8::from(data.labels[row])), hessian + rate * (1.0 - rate))
            });
            let step = -0.2 * gradient / (hessian + params.grow.lambda);
            assert!((leaf.value - step).abs() < 1e-5, "{} {step}", leaf.value);
        }
    }
}

#[test]
fn boosting_learns_the_missing_cell_the_order_and_the_levels() {
    let odds = |row: &[u8]| match (row[0], row[2]) {
        (0, _) => 2.0,
        (_, 1 | 4 | 6 | 11) => -2.0,
        (code, _) => f64::from(code) / 10.0 - 1.0,
    };
    let (data, fresh) = (Data::of(6000, 5, odds), Data::of(6000, 6, odds));
    let both = briefs(60).map(|params| data.boost(&params).unwrap().trees);
    for trees in &both {
        let margin = |codes: [u8; 3]| trees.margin_of(&codes);
        assert!(margin([0, 10, 2]) > margin([20, 10, 2]) && margin([20, 10, 2]) > margin([2, 10, 2]) + 0.7);
        assert!([1, 4, 6, 11].iter().all(|&level| margin([10, 10, level]) < margin([10, 10, 2]) - 1.0));
    }
    let truth = (0..6000)
        .map(|row| {
            let odds = odds(&fresh.row(row));
            (1.0 + (if fresh.labels[row] { -odds } else { odds }).exp()).ln()
        })
        .sum::<f64>()
        / 6000.0;
    for trees in &both {
        assert!(loss(trees, &fresh) < truth + 0.03, "{} {truth}", loss(trees, &fresh));
    }
}

#[test]
fn levels_that_say_nothing_are_hardly_believed() {
    let (data, fresh) = (Data::of(3000, 7, |_| 0.3), Data::of(3000, 8, |_| 0.3));
    let watch = Watch { cancel: &CancelFlag::new(), progress: &Silent };
    let parts = Parts { train: data.part(), valid: Some(fresh.part()) };
    for params in [BoostingParams::by_best_leaf(3000), BoostingParams::usual(3000)] {
        let boosted = boost(parts, data.shape(), &params, 1, watch).unwrap();
        let base = Trees { trees: Vec::new(), ..boosted.trees.clone() };
        assert!(loss(&boosted.trees, &fresh) <= loss(&base, &fresh) && boosted.best_round < 20);
    }
}

#[test]
fn early_stopping_keeps_the_best_round_and_tells_every_loss() {
    let (data, fresh) = (Data::of(1500, 9, bumpy), Data::of(1500, 10, bumpy));
    let watch = Watch { cancel: &CancelFlag::new(), progress: &Silent };
    let params = BoostingParams { patience: 15, ..brief(2000) };
    let parts = Parts { train: data.part(), valid: Some(fresh.part()) };
    let boosted = boost(parts, data.shape(), &params, 1, watch).unwrap();
    assert_eq!(boosted.trees.trees.len(), boosted.best_round);
    assert_eq!(boosted.valid_losses.len(), boosted.best_round + 15);
    let least = boosted.valid_losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(boosted.valid_losses[boosted.best_round - 1], least);
    assert!((loss(&boosted.trees, &fresh) - least).abs() < 1e-9);
}

#[test]
fn an_average_is_the_mean_of_margins_and_holds_each_share_out_once() {
    let data = Data::of(1200, 11, bumpy);
    let watch = Watch { cancel: &CancelFlag::new(), progress: &Silent };
    let average = AverageParams { models: 4, held_share: 0.25 };
    let averaged = boost_average(data.part(), data.shape(), (&brief(200), &average), 3, watch).unwrap();
    assert_eq!(averaged.trees.trees.len(), 4 * averaged.best_round);
    let held = averaged.held_out.iter().flatten().count();
    assert!(held >= 1196, "{held}");
    let own = |row: usize| {
        averaged.held_out[row].map_or(0.0, |margin| (margin - averaged.trees.margin_of(&data.row(row))).abs())
    };
    assert!((0..1200).any(|row| own(row) > 1e-3));
    let losses = (0..1200).filter_map(|row| averaged.held_out[row].map(|margin| (row, margin)));
    let mean = losses
        .map(|(row, margin)| (1.0 + (if data.labels[row] { -margin } else { margin }).exp()).ln())
        .sum::<f64>();
    let told = averaged.valid_losses[averaged.best_round - 1];
    assert!((mean / held as f64 - told).abs() < 1e-9, "{} {told}", mean / held as f64);
}

#[test]
fn a_forest_says_the_mean_log_odds_and_judges_rows_by_trees_that_have_not_seen_them() {
    let data = Data::of(1500, 12, bumpy);
    let watch = Watch { cancel: &CancelFlag::new(), progress: &Silent };
    let params = ForestParams { trees: 40, ..ForestParams::usual(1500) };
    let bagged = bag(data.part(), data.shape(), &params, 1, watch).unwrap();
    assert!(
        bagged.trees.trees.iter().all(|tree| tree.leaves.iter().map(|leaf| leaf.rows).sum::<u32>() == 1500)
    );
    assert!(bagged.out_of_bag.iter().all(Option::is_some));
    let wrong =
        |margin: f64, row: usize| (1.0 + (if data.labels[row] { -margin } else { margin }).exp()).ln();
    let unseen: f64 =
        bagged.out_of_bag.iter().enumerate().map(|(row, margin)| wrong(margin.unwrap(), row)).sum();
    let fresh = Data::of(1500, 13, bumpy);
    let (seen, unseen, fresh) = (loss(&bagged.trees, &data), unseen / 1500.0, loss(&bagged.trees, &fresh));
    assert!(unseen > seen + 0.02 && (unseen - fresh).abs() < 0.05, "{seen} {unseen} {fresh}");
}

/// With its leaves numbered from the other end.
fn turned(branch: &Branch, leaves: u32) -> Branch {
    let turn = |child| match child {
        Child::Leaf(leaf) => Child::Leaf(leaves - 1 - leaf),
        branch => branch,
    };
    Branch { left: turn(branch.left), right: turn(branch.right), ..*branch }
}

#[test]
fn the_block_scorer_gives_the_bits_of_the_row_scorer_for_small_and_large_trees() {
    let data = Data::of(2500, 14, bumpy);
    let watch = Watch { cancel: &CancelFlag::new(), progress: &Silent };
    let forest = ForestParams { trees: 4, ..ForestParams::usual(2500) };
    let mut all = vec![bag(data.part(), data.shape(), &forest, 1, watch).unwrap().trees];
    assert!(all[0].trees.iter().any(|tree| tree.leaves.len() > 64));
    for leaves in [2, 16, 17, 32, 33, 64, 65, 90] {
        let mut params = brief(6);
        params.grow = GrowParams { leaves_max: leaves, ..params.grow };
        all.push(data.boost(&params).unwrap().trees);
    }
    for depth in [1, 3, 6, 7] {
        let [_, mut params] = briefs(6);
        params.grow = GrowParams { depth_max: depth, leaves_max: 1 << depth, ..params.grow };
        all.push(data.boost(&params).unwrap().trees);
    }
    all.push(Trees { trees: Vec::new(), ..all[1].clone() });
    let turned = |tree: &Tree| Tree {
        branches: tree.branches.iter().map(|branch| turned(branch, tree.leaves.len() as u32)).collect(),
        leaves: tree.leaves.iter().rev().copied().collect(),
    };
    for at in [2, all.len() - 3] {
        all.push(Trees { trees: all[at].trees.iter().map(turned).collect(), ..all[at].clone() });
    }
    for trees in &all {
        let run = TreesRun::of(trees);
        let mut margins = vec![0.0; 2500];
        run.margins(&data.table.columns, &mut margins);
        for (row, margin) in margins.iter().enumerate() {
            assert_eq!(margin.to_bits(), trees.margin_of(&data.row(row)).to_bits());
            assert_eq!(margin.to_bits(), run.margin(&data.row(row)).to_bits());
        }
    }
}

#[test]
fn the_branches_of_a_level_ask_the_same_and_those_that_stayed_whole_ask_a_later_question() {
    let data = Data::of(3000, 23, bumpy);
    let [_, params] = briefs(20);
    let trees = data.boost(&params).unwrap().trees;
    for tree in &trees.trees {
        let mut asked: Vec<(u16, Split)> = Vec::new();
        for branch in &tree.branches {
            if !asked.contains(&(branch.column, branch.split)) {
                asked.push((branch.column, branch.split));
            }
        }
        assert!(asked.len() <= params.grow.depth_max && tree.leaves.len() > asked.len(), "{}", asked.len());
        // Going down the left side first meets every question of a node that was split by all of them.
        let place = |branch: &Branch| asked.iter().position(|known| *known == (branch.column, branch.split));
        for branch in &tree.branches {
            for child in [branch.left, branch.right] {
                let Child::Branch(child) = child else { continue };
                assert_ne!(place(branch), place(&tree.branches[child as usize]));
            }
        }
    }
    // A chain of as many questions would have one leaf more than that.
    assert!(trees.trees.iter().any(|tree| tree.leaves.len() > 2 * params.grow.depth_max));
}

#[test]
fn what_symmetric_trees_say_is_shared_out_to_the_columns_without_a_rest() {
    let data = Data::of(2000, 24, bumpy);
    let [_, params] = briefs(20);
    let trees = data.boost(&params).unwrap().trees;
    let shares: Vec<Vec<f64>> =
        trees.columns.iter().map(|column| vec![1.0 / column.codes as f64; column.codes]).collect();
    for room in [0, TABLE_BYTES_MAX] {
        let explainer = Explainer::within(&trees, Background::Marginals(&shares), room).unwrap();
        for row in 0..200 {
            let mut values = vec![0.0; 3];
            explainer.explain(&data.row(row), &mut values);
            let rest = explainer.base() + values.iter().sum::<f64>() - trees.margin_of(&data.row(row));
            assert!(rest.abs() < 1e-11, "{rest}");
        }
    }
}

#[test]
fn symmetric_trees_of_too_many_levels_are_refused() {
    let [_, mut params] = briefs(3);
    params.grow.depth_max = 9;
    let refused = Data::of(100, 25, bumpy).boost(&params).unwrap_err();
    assert!(matches!(refused, TreesError::Param { name: "depth_max", .. }), "{refused}");
}

#[test]
fn the_usual_models_are_no_more_trees_than_a_file_may_hold() {
    for rows in [0, 1, 2999, 3000, 8000, 20_000, 1_000_000] {
        let trees = AverageParams::usual(rows).models * BoostingParams::usual(rows).rounds_max;
        assert!(trees <= crate::base::limits::TREES_MAX, "{rows}: {trees}");
    }
}

#[test]
fn five_rows_and_columns_without_a_difference_give_the_base_alone() {
    let data = Data::of(5, 16, |row| f64::from(row[0]) - 10.0);
    let mut data = Data { labels: vec![true, false, false, true, false], ..data };
    let margin = |data: &Data| data.boost(&BoostingParams::usual(5)).unwrap().trees.margin_of(&data.row(0));
    assert!((margin(&data) - (2.0_f64 / 3.0).ln()).abs() < 1e-12);
    let watch = Watch { cancel: &CancelFlag::new(), progress: &Silent };
    let bagged = bag(data.part(), data.shape(), &ForestParams::usual(5), 1, watch).unwrap();
    assert!(bagged.trees.trees.iter().all(|tree| tree.branches.is_empty()));
    data = Data::of(500, 17, bumpy);
    data.table.columns.iter_mut().for_each(|codes| codes.fill(0));
    for params in briefs(10) {
        assert!(data.boost(&params).unwrap().trees.trees.is_empty());
    }
    data.table.columns.iter_mut().for_each(|codes| codes.fill(3));
    for params in briefs(10) {
        assert!(data.boost(&params).unwrap().trees.trees.is_empty());
    }
}

#[test]
fn an_average_of_few_rows_has_fewer_models_and_one_of_a_single_positive_is_refused() {
    let mut data = Data::of(9, 22, bumpy);
    data.labels = (0..9).map(|row| row < 4).collect();
    let watch = Watch { cancel: &CancelFlag::new(), progress: &Silent };
    let learn = |data: &Data| {
        let params = (&BoostingParams::usual(9), &AverageParams::usual(9));
        boost_average(data.part(), data.shape(), params, 1, watch)
    };
    let averaged = learn(&data).unwrap();
    assert!(averaged.trees.trees.is_empty() && averaged.trees.base.is_finite());
    assert!(averaged.held_out.iter().flatten().count() >= 4);
    data.labels = (0..9).map(|row| row == 2).collect();
    assert_eq!(learn(&data).unwrap_err(), TreesError::OneClass { part: "the training part" });
}

#[test]
fn a_missing_cell_that_was_never_seen_goes_where_most_rows_go() {
    let mut data = Data::of(4000, 18, |row| if row[0] > 15 { 2.0 } else { -1.0 });
    data.table.columns[0].iter_mut().for_each(|code| *code = (*code).max(1));
    for params in briefs(1) {
        let trees = data.boost(&params).unwrap().trees;
        let first = trees.trees[0].branches[0];
        assert_eq!((first.column, first.split), (0, Split::UpTo { code: 15, missing_left: true }));
    }
}

#[test]
fn what_cannot_teach_is_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Data)| {
        let mut data = Data::of(200, 19, bumpy);
        change(&mut data);
        data.boost(&brief(3)).unwrap_err()
    };
    assert_eq!(refused(&|data| data.labels.fill(true)), TreesError::OneClass { part: "the training part" });
    assert!(matches!(refused(&|data| data.weights[7] = f32::NAN), TreesError::Weight { row: 7, .. }));
    assert!(matches!(
        refused(&|data| data.table.columns[2][3] = 13),
        TreesError::Code { column: 2, code: 13, .. }
    ));
    assert!(matches!(
        refused(&|data| data.monotone[2] = Monotone::Rising),
        TreesError::Direction { column: 2 }
    ));
    assert!(matches!(
        refused(&|data| data.columns[1].codes = 257),
        TreesError::Codes { column: 1, codes: 257 }
    ));
    assert!(matches!(refused(&|data| data.table.columns[1].truncate(9)), TreesError::Shape { found: 9, .. }));
    assert!(matches!(
        refused(&|data| {
            data.labels.pop();
        }),
        TreesError::Shape { what: "labels", .. }
    ));
    let none = Data::of(0, 1, bumpy).boost(&brief(3));
    assert_eq!(none.unwrap_err(), TreesError::NoRows { part: "the training part" });
    let bad = Data::of(50, 1, bumpy).boost(&BoostingParams { learning_rate: f64::NAN, ..brief(3) });
    assert!(matches!(bad.unwrap_err(), TreesError::Param { name: "learning_rate", .. }));
}

#[test]
fn a_cancelled_training_ends() {
    let data = Data::of(200, 20, bumpy);
    let cancel = CancelFlag::new();
    cancel.cancel();
    let watch = Watch { cancel: &cancel, progress: &Silent };
    let parts = Parts { train: data.part(), valid: None };
    assert_eq!(
        boost(parts, data.shape(), &brief(9), 1, watch).unwrap_err(),
        TreesError::Cancelled(Cancelled)
    );
    let bagged = bag(data.part(), data.shape(), &ForestParams::usual(200), 1, watch);
    assert_eq!(bagged.unwrap_err(), TreesError::Cancelled(Cancelled));
}

#[test]
fn a_row_that_weighs_twice_is_a_row_that_stands_twice() {
    let mut data = Data::of(700, 21, bumpy);
    let params = BoostingParams { row_share: 1.0, ..brief(1) };
    data.weights = data.labels.iter().map(|&label| if label { 2.0 } else { 1.0 }).collect();
    let weighted = data.boost(&params).unwrap().trees;
    let twice: Vec<usize> =
        (0..700).flat_map(|row| std::iter::repeat_n(row, 1 + usize::from(data.labels[row]))).collect();
    data.table.columns.iter_mut().for_each(|codes| *codes = twice.iter().map(|&row| codes[row]).collect());
    data.labels = twice.iter().map(|&row| data.labels[row]).collect();
    data.table.rows = twice.len();
    data.weights = vec![1.0; twice.len()];
    let doubled = data.boost(&params).unwrap().trees;
    assert!((weighted.base - doubled.base).abs() < 1e-9);
    let root = |trees: &Trees| (trees.trees[0].branches[0].column, trees.trees[0].branches[0].split);
    assert_eq!(root(&weighted), root(&doubled));
}
