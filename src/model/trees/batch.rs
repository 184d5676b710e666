//! Trees over many rows at once, column by column: the same sums as `Trees::margin_of`, bit for bit, only faster.
//! A tree of up to 64 leaves is run by crossing off, for each branch a row fails, the leaves on its left; what is then
//! the first leaf left is where the row ends. Where its branches ask few questions among them, as those of a level do
//! that ask the same, the answers to these are crossed off instead and say together where the row ends. Larger trees
//! are walked.

use std::ops::Range;

use crate::model::trees::{Branch, Child, Split, Tree, Trees};

/// Rows that are run together; their codes of all columns stay in the nearest cache.
const BLOCK: usize = 256;

/// All trees, made ready once.
#[derive(Clone, Debug)]
pub struct TreesRun {
    base: f64,
    trees: Vec<TreeRun>,
}

/// One tree, made ready.
#[derive(Clone, Debug)]
pub struct TreeRun {
    kind: Kind,
    values: Vec<f64>,
}

#[derive(Clone, Debug)]
enum Kind {
    /// One bit a question, the first the lowest; `values` by what is left of the bits.
    Answers(Vec<Test<u8>>),
    Masks16(Vec<Test<u16>>),
    Masks32(Vec<Test<u32>>),
    Masks64(Vec<Test<u64>>),
    Walked(Tree),
}

/// A branch: rows that do not pass it lose the leaves that are zero in `mask`.
#[derive(Clone, Debug)]
struct Test<M> {
    column: usize,
    asked: Asked<M>,
    mask: M,
}

#[derive(Clone, Debug)]
enum Asked<M> {
    /// `code - first` is at most `span`, in a circle: code 0 passes where `first` is 0.
    Within { first: u8, span: u8 },
    /// What is left of each code's leaves.
    Kept(Box<[M; 256]>),
}

impl TreesRun {
    pub fn of(trees: &Trees) -> Self {
        Self { base: trees.base, trees: trees.trees.iter().map(TreeRun::of).collect() }
    }

    /// `columns` in the order of `Trees::columns`, each with a code for every row of `margins`.
    pub fn margins<C: AsRef<[u8]>>(&self, columns: &[C], margins: &mut [f64]) {
        margins.fill(self.base);
        for (block, margins) in margins.chunks_mut(BLOCK).enumerate() {
            for tree in &self.trees {
                tree.add_block(columns, block * BLOCK, margins);
            }
        }
    }

    /// One row, with a code for each of `Trees::columns`.
    pub fn margin(&self, codes: &[u8]) -> f64 {
        self.trees.iter().fold(self.base, |sum, tree| sum + tree.value(codes))
    }
}

impl TreeRun {
    pub fn of(tree: &Tree) -> Self {
        let walked = || Self { kind: Kind::Walked(tree.clone()), values: values(tree, 0..tree.leaves.len()) };
        if tree.leaves.len() > 64 {
            return walked();
        }
        let Some(laid) = Laid::of(tree) else { return walked() };
        if let Some(questions) = questions(tree) {
            let tests = questions.iter().enumerate().map(|(at, asked)| Test::of(asked, !(1 << at)));
            return Self { kind: Kind::Answers(tests.collect()), values: answered(tree, &questions) };
        }
        let kind = match tree.leaves.len() {
            0..=16 => Kind::Masks16(tests(tree, &laid)),
            17..=32 => Kind::Masks32(tests(tree, &laid)),
            _ => Kind::Masks64(tests(tree, &laid)),
        };
        Self { kind, values: values(tree, laid.leaves.iter().copied()) }
    }

    /// Adds each row's leaf to its margin.
    pub fn add<C: AsRef<[u8]>>(&self, columns: &[C], margins: &mut [f64]) {
        for (block, margins) in margins.chunks_mut(BLOCK).enumerate() {
            self.add_block(columns, block * BLOCK, margins);
        }
    }

    fn value(&self, codes: &[u8]) -> f64 {
        let leaf = match &self.kind {
            Kind::Answers(tests) => usize::from(left(tests, codes)) & (self.values.len() - 1),
            Kind::Masks16(tests) => left(tests, codes).trailing_zeros() as usize,
            Kind::Masks32(tests) => left(tests, codes).trailing_zeros() as usize,
            Kind::Masks64(tests) => left(tests, codes).trailing_zeros() as usize,
            Kind::Walked(tree) => tree.leaf(codes),
        };
        self.values[leaf]
    }

    fn add_block<C: AsRef<[u8]>>(&self, columns: &[C], begin: usize, margins: &mut [f64]) {
        let values = &self.values;
        match &self.kind {
            Kind::Answers(tests) => {
                let left = crossed(tests, columns, begin, margins.len());
                let last = values.len() as u32 - 1;
                add(margins, values, left.iter().map(|left| u32::from(*left) & last));
            }
            Kind::Masks16(tests) => {
                let left = crossed(tests, columns, begin, margins.len());
                add(margins, values, left.iter().map(|left| left.trailing_zeros()));
            }
            Kind::Masks32(tests) => {
                let left = crossed(tests, columns, begin, margins.len());
                add(margins, values, left.iter().map(|left| left.trailing_zeros()));
            }
            Kind::Masks64(tests) => {
                let left = crossed(tests, columns, begin, margins.len());
                add(margins, values, left.iter().map(|left| left.trailing_zeros()));
            }
            Kind::Walked(tree) => {
                for (row, margin) in margins.iter_mut().enumerate() {
                    *margin += values[walk(tree, |column| columns[column].as_ref()[begin + row])];
                }
            }
        }
    }
}

fn add(margins: &mut [f64], values: &[f64], leaves: impl Iterator<Item = u32>) {
    for (margin, leaf) in margins.iter_mut().zip(leaves) {
        *margin += values[leaf as usize];
    }
}

/// The leaves that are left of each row.
fn crossed<C: AsRef<[u8]>, M: Mask>(
    tests: &[Test<M>],
    columns: &[C],
    begin: usize,
    rows: usize,
) -> [M; BLOCK] {
    let mut left = [M::ALL; BLOCK];
    for test in tests {
        let codes = &columns[test.column].as_ref()[begin..begin + rows];
        match &test.asked {
            Asked::Within { first, span } => cross(&mut left, codes, (*first, *span), test.mask),
            Asked::Kept(kept) => {
                for (left, code) in left.iter_mut().zip(codes) {
                    *left &= kept[usize::from(*code)];
                }
            }
        }
    }
    left
}

/// The leaves that are left of one row.
fn left<M: Mask>(tests: &[Test<M>], codes: &[u8]) -> M {
    let mut left = M::ALL;
    for test in tests {
        let code = codes[test.column];
        left &= match &test.asked {
            Asked::Within { first, span } if code.wrapping_sub(*first) <= *span => M::ALL,
            Asked::Within { .. } => test.mask,
            Asked::Kept(kept) => kept[usize::from(code)],
        };
    }
    left
}

/// All by value and without a branch: the compiler makes it run on many rows an instruction.
fn cross<M: Mask>(left: &mut [M; BLOCK], codes: &[u8], (first, span): (u8, u8), mask: M) {
    for (left, &code) in left.iter_mut().zip(codes) {
        *left &= if code.wrapping_sub(first) <= span { M::ALL } else { mask };
    }
}

/// A set of leaves.
trait Mask: Copy + std::ops::BitAndAssign {
    const ALL: Self;

    fn of(bits: u64) -> Self;
}

impl Mask for u8 {
    const ALL: Self = Self::MAX;

    fn of(bits: u64) -> Self {
        bits as Self
    }
}

impl Mask for u16 {
    const ALL: Self = Self::MAX;

    fn of(bits: u64) -> Self {
        bits as Self
    }
}

impl Mask for u32 {
    const ALL: Self = Self::MAX;

    fn of(bits: u64) -> Self {
        bits as Self
    }
}

impl Mask for u64 {
    const ALL: Self = Self::MAX;

    fn of(bits: u64) -> Self {
        bits
    }
}

fn walk(tree: &Tree, code: impl Fn(usize) -> u8) -> usize {
    let mut at = if tree.branches.is_empty() { Child::Leaf(0) } else { Child::Branch(0) };
    loop {
        match at {
            Child::Leaf(leaf) => return leaf as usize,
            Child::Branch(branch) => {
                let branch = &tree.branches[branch as usize];
                at = if branch.split.is_left(code(usize::from(branch.column))) {
                    branch.left
                } else {
                    branch.right
                };
            }
        }
    }
}

/// Bits 0 up to `count`, without it.
fn below(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

fn values(tree: &Tree, leaves: impl Iterator<Item = usize>) -> Vec<f64> {
    leaves.map(|leaf| tree.leaves[leaf].value).collect()
}

/// Questions whose answers are looked up together: what they choose from is as large as the largest small tree.
const QUESTIONS_MAX: usize = 6;

/// What branches ask, each question once, where it is little and asked more than once.
fn questions(tree: &Tree) -> Option<Vec<Branch>> {
    let mut questions: Vec<Branch> = Vec::new();
    for branch in &tree.branches {
        if questions.iter().any(|known| asks_the_same(known, branch)) {
            continue;
        }
        if questions.len() == QUESTIONS_MAX {
            return None;
        }
        questions.push(*branch);
    }
    Some(questions)
}

fn asks_the_same(one: &Branch, other: &Branch) -> bool {
    one.column == other.column && one.split == other.split
}

/// The value for every set of answers; a bit is there where a row goes left. The tree must be one.
fn answered(tree: &Tree, questions: &[Branch]) -> Vec<f64> {
    let leaf = |answers: usize| {
        let mut at = if tree.branches.is_empty() { Child::Leaf(0) } else { Child::Branch(0) };
        loop {
            match at {
                Child::Leaf(leaf) => return leaf as usize,
                Child::Branch(branch) => {
                    let branch = &tree.branches[branch as usize];
                    let place = questions.iter().position(|known| asks_the_same(known, branch));
                    let left = place.is_some_and(|place| answers >> place & 1 == 1);
                    at = if left { branch.left } else { branch.right };
                }
            }
        }
    };
    values(tree, (0..1 << questions.len()).map(leaf))
}

/// A small tree with its leaves from left to right.
struct Laid {
    leaves: Vec<usize>,
    /// Of each branch, the places of the leaves on its left.
    lefts: Vec<Range<usize>>,
}

impl Laid {
    /// None where a branch is met twice: that is no tree, and it is walked as it stands.
    fn of(tree: &Tree) -> Option<Self> {
        let mut laid = Self { leaves: Vec::new(), lefts: vec![0..0; tree.branches.len()] };
        let root = if tree.branches.is_empty() { Child::Leaf(0) } else { Child::Branch(0) };
        let mut budget = tree.branches.len();
        laid.add(tree, root, &mut budget).then_some(laid)
    }

    fn add(&mut self, tree: &Tree, child: Child, budget: &mut usize) -> bool {
        let branch = match child {
            Child::Leaf(leaf) => {
                self.leaves.push(leaf as usize);
                return true;
            }
            Child::Branch(branch) => branch as usize,
        };
        if *budget == 0 {
            return false;
        }
        *budget -= 1;
        let low = self.leaves.len();
        let left = self.add(tree, tree.branches[branch].left, budget);
        self.lefts[branch] = low..self.leaves.len();
        left && self.add(tree, tree.branches[branch].right, budget) && self.leaves.len() <= 64
    }
}

/// Every branch with the mask that lacks the leaves on its left.
fn tests<M: Mask>(tree: &Tree, laid: &Laid) -> Vec<Test<M>> {
    let test = |(branch, left): (&Branch, &Range<usize>)| {
        let mask = M::of(!(below(left.end) ^ below(left.start)));
        Test::of(branch, mask)
    };
    tree.branches.iter().zip(&laid.lefts).map(test).collect()
}

impl<M: Mask> Test<M> {
    fn of(branch: &Branch, mask: M) -> Self {
        Self { column: usize::from(branch.column), asked: Asked::of(&branch.split, mask), mask }
    }
}

impl<M: Mask> Asked<M> {
    fn of(split: &Split, mask: M) -> Self {
        match *split {
            Split::UpTo { code, missing_left: true } => Self::Within { first: 0, span: code },
            // Codes below 1 wrap round to 255, which is past every span that a code leaves.
            Split::UpTo { code, missing_left: false } if code > 0 => {
                Self::Within { first: 1, span: code - 1 }
            }
            _ => Self::range(split).unwrap_or_else(|| {
                let kept = |code| if split.is_left(code as u8) { M::ALL } else { mask };
                Self::Kept(Box::new(std::array::from_fn(kept)))
            }),
        }
    }

    /// Codes that go left where they stand together, as a single level does.
    fn range(split: &Split) -> Option<Self> {
        let first = (0..=u8::MAX).find(|&code| split.is_left(code))?;
        let last = (first..=u8::MAX).rfind(|&code| split.is_left(code))?;
        let whole = (first..=last).all(|code| split.is_left(code));
        whole.then_some(Self::Within { first, span: last - first })
    }
}
