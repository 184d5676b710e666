//! How trees are grown, boosted and bagged, as plain numbers with their ranges.
//! Nothing here depends on a data set but its number of rows.

use serde::{Deserialize, Serialize};

use crate::train::trees::error::TreesError;

/// Which leaves of a tree are split next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// All of a level, by the question they gain most by together.
    #[default]
    Symmetric,
    /// The one that gains most by its own best question.
    BestLeaf,
}

/// Levels of a symmetric tree at most: the sums of all nodes of a level are kept at once.
pub const LEVELS_MAX: usize = 8;

/// How one tree is grown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GrowParams {
    pub growth: Growth,
    pub leaves_max: usize,
    pub depth_max: usize,
    /// Added to the hessian of every leaf: shrinks its value.
    pub lambda: f64,
    pub rows_min: usize,
    pub hessian_min: f64,
    pub gain_min: f64,
    pub levels: LevelParams,
}

/// What keeps splits by sets of levels from overfitting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelParams {
    /// Added to the hessian of a level before levels are put in order.
    pub smoothing: f64,
    /// Added to the hessian of both sides when a set of levels is judged.
    pub lambda: f64,
    /// Rows that a set must gain before it is judged again.
    pub rows_min: usize,
    /// Levels on the smaller side.
    pub set_max: usize,
    /// Where levels get their order.
    pub order: LevelOrder,
}

/// Which rows put the levels of a column in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelOrder {
    /// Those of each node: finds what holds in a corner only, and needs what keeps sets from overfitting.
    Node,
    /// All that the tree is grown on: each node splits the one order, as it would that of a number.
    Tree,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoostingParams {
    pub grow: GrowParams,
    pub rounds_max: usize,
    pub learning_rate: f64,
    /// The share of rows, drawn anew each round.
    pub row_share: f64,
    /// The share of columns, drawn anew each round.
    pub column_share: f64,
    /// Columns below which no draw goes: few columns leave none to spare.
    pub columns_min: usize,
    /// Rounds without a better validation loss before it ends.
    pub patience: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForestParams {
    pub grow: GrowParams,
    pub trees: usize,
    /// Columns asked at each split, for each of the root of their number.
    pub root_share: f64,
    /// Rows' worth of its parent that a leaf's log-odds are drawn towards.
    pub smoothing: f64,
}

/// How many boosted models are averaged, and which share of the rows each holds out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AverageParams {
    pub models: usize,
    pub held_share: f64,
}

impl AverageParams {
    /// The fewer the rows, the more models: what they cost shrinks as what they bring grows. Together they are not more
    /// trees than a file of them may hold.
    pub fn usual(rows: usize) -> Self {
        let models = (40_000 / rows.max(1)).clamp(2, if rows < SMALL { 10 } else { 5 });
        Self { models, held_share: 0.12 }
    }

    pub fn check(&self) -> Result<(), TreesError> {
        check("models", self.models as f64, (1.0, 20.0), "1 to 20")?;
        check("held_share", self.held_share, (0.01, 0.5), "0.01 to 0.5")
    }
}

/// Fewer rows than these are few.
const SMALL: usize = 3000;
/// So many are many.
const MANY: usize = 20_000;

impl LevelParams {
    fn usual(rows: usize) -> Self {
        let rows_min = (rows / 100).clamp(20, 100);
        Self { smoothing: 10.0, lambda: 10.0, rows_min, set_max: 32, order: LevelOrder::Node }
    }
}

impl BoostingParams {
    /// Slower and with larger leaves for few rows, where no validation part is left over.
    pub fn usual(rows: usize) -> Self {
        let small = rows < SMALL;
        let grow = GrowParams {
            growth: Growth::Symmetric,
            leaves_max: 64,
            depth_max: 6,
            lambda: 1.0,
            rows_min: if small { 20 } else { 10 },
            hessian_min: 1e-3,
            gain_min: 0.0,
            levels: LevelParams { lambda: 1.0, ..LevelParams::usual(rows) },
        };
        Self {
            grow,
            rounds_max: if small { 200 } else { 2000 },
            learning_rate: if small { 0.03 } else { 0.05 },
            // Of few rows fewer are drawn so that trees differ, of many because it is quicker and costs nothing.
            row_share: if (SMALL..MANY).contains(&rows) { 0.8 } else { 0.6 },
            column_share: 0.5,
            columns_min: 10,
            patience: 40,
        }
    }

    /// The same for trees that grow by their best leaf: these find finer questions in each, and need fewer leaves.
    pub fn by_best_leaf(rows: usize) -> Self {
        let small = rows < SMALL;
        let usual = Self::usual(rows);
        let grow = GrowParams {
            growth: Growth::BestLeaf,
            leaves_max: if small { 7 } else { 15 },
            depth_max: if small { 3 } else { 16 },
            rows_min: 20,
            levels: LevelParams::usual(rows),
            ..usual.grow
        };
        Self { grow, row_share: 0.6, ..usual }
    }

    pub fn check(&self) -> Result<(), TreesError> {
        self.grow.check()?;
        check("rounds_max", self.rounds_max as f64, (1.0, 10_000.0), "1 to 10000")?;
        check("learning_rate", self.learning_rate, (1e-4, 1.0), "0.0001 to 1")?;
        check("row_share", self.row_share, (0.05, 1.0), "0.05 to 1")?;
        check("column_share", self.column_share, (0.01, 1.0), "0.01 to 1")?;
        check("columns_min", self.columns_min as f64, (1.0, 65_535.0), "1 to 65535")?;
        check("patience", self.patience as f64, (1.0, 10_000.0), "1 to 10000")
    }
}

/// So many rows suit leaves of five.
const LEAF_ROWS: f64 = 6_000.0;
/// From so many rows on, 200 trees are enough.
const TREE_ROWS: f64 = 5_000.0;

impl ForestParams {
    /// Few rows bear smaller leaves, as their trees are shallow anyway, and leave time for more trees.
    pub fn usual(rows: usize) -> Self {
        let rows = rows.max(1) as f64;
        let grow = GrowParams {
            growth: Growth::BestLeaf,
            leaves_max: 1 << 16,
            depth_max: 16,
            lambda: 0.0,
            rows_min: (5.0 * (rows / LEAF_ROWS).sqrt()).round().clamp(3.0, 20.0) as usize,
            hessian_min: 1e-3,
            gain_min: 0.0,
            levels: LevelParams {
                smoothing: 50.0,
                lambda: 0.0,
                rows_min: 1,
                set_max: 256,
                order: LevelOrder::Tree,
            },
        };
        let trees = (200.0 * (TREE_ROWS / rows).sqrt()).round().clamp(200.0, 500.0) as usize;
        Self { grow, trees, root_share: 1.0, smoothing: 20.0 }
    }

    pub fn check(&self) -> Result<(), TreesError> {
        self.grow.check()?;
        check("trees", self.trees as f64, (1.0, 2000.0), "1 to 2000")?;
        check("root_share", self.root_share, (0.01, 256.0), "0.01 to 256")?;
        check("smoothing", self.smoothing, (0.0, 1000.0), "0 to 1000")
    }
}

impl GrowParams {
    fn check(&self) -> Result<(), TreesError> {
        check("leaves_max", self.leaves_max as f64, (2.0, 65_536.0), "2 to 65536")?;
        match self.growth {
            Growth::BestLeaf => check("depth_max", self.depth_max as f64, (1.0, 16.0), "1 to 16"),
            Growth::Symmetric => {
                let most = LEVELS_MAX as f64;
                check("depth_max", self.depth_max as f64, (1.0, most), "1 to 8 for symmetric trees")
            }
        }?;
        check("lambda", self.lambda, (0.0, 1e6), "0 to 1e6")?;
        check("rows_min", self.rows_min as f64, (1.0, 1e6), "1 to 1e6")?;
        check("hessian_min", self.hessian_min, (1e-6, 1e6), "1e-6 to 1e6")?;
        check("gain_min", self.gain_min, (0.0, 1e6), "0 to 1e6")?;
        check("levels.smoothing", self.levels.smoothing, (0.0, 1e6), "0 to 1e6")?;
        check("levels.lambda", self.levels.lambda, (0.0, 1e6), "0 to 1e6")?;
        check("levels.rows_min", self.levels.rows_min as f64, (1.0, 1e6), "1 to 1e6")?;
        check("levels.set_max", self.levels.set_max as f64, (1.0, 256.0), "1 to 256")
    }
}

fn check(
    name: &'static str,
    value: f64,
    (low, high): (f64, f64),
    range: &'static str,
) -> Result<(), TreesError> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(TreesError::Param { name, value, range }) }
}
