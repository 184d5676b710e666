//! Products of tables in f32, added to what is there, by the widest registers that the processor at hand has. Each sum
//! is made in the order of its terms, each term rounded once where the processor can multiply and add in one go: its
//! bits depend neither on the width of the registers nor on how many rows there are. Never allocates but to grow a room.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

/// A factor of a product, row by row, read as it stands or with rows and columns exchanged.
#[derive(Clone, Copy)]
pub enum Factor<'a> {
    AsIs(&'a [f32]),
    Turned(&'a [f32]),
}

/// Of the table that is added to, and what is summed over.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub rows: usize,
    pub columns: usize,
    pub depth: usize,
}

/// Where factors are laid out as the loops read them; kept from one product to the next.
#[derive(Default)]
pub struct Room {
    /// Of the right factor, panel by panel, a line for each step of the depth.
    panels: Vec<f32>,
    /// Of the left factor, some rows, a line for each step of the depth.
    strip: Vec<f32>,
}

impl Room {
    /// Makes `sums`, which has `columns` numbers a row, left times right.
    pub fn write(&mut self, sizes: Sizes, left: Factor<'_>, right: Factor<'_>, sums: &mut [f32]) {
        self.run(sizes, (left, right), sums, true);
    }

    /// Adds left times right to `sums`, each row's terms after what is there.
    pub fn add(&mut self, sizes: Sizes, left: Factor<'_>, right: Factor<'_>, sums: &mut [f32]) {
        self.run(sizes, (left, right), sums, false);
    }

    fn run(&mut self, sizes: Sizes, factors: (Factor<'_>, Factor<'_>), sums: &mut [f32], fresh: bool) {
        let Sizes { rows, columns, depth } = sizes;
        if depth == 0 && fresh {
            sums.fill(0.0);
        } else if rows * columns * depth > 0 {
            Arch::new().dispatch(Product { room: self, sizes, factors, sums, fresh });
        }
    }
}

struct Product<'a> {
    room: &'a mut Room,
    sizes: Sizes,
    /// On the left and on the right.
    factors: (Factor<'a>, Factor<'a>),
    sums: &'a mut [f32],
    /// Whether what is there does not count.
    fresh: bool,
}

/// Rows that are summed side by side where there are thirty-two registers, and where there are sixteen.
const ROWS_OF_32: usize = 12;
const ROWS_OF_16: usize = 6;
/// Rows that are left over, by as many at once as there are.
const ROWS_OVER: usize = 4;
/// Steps of the depth that are gone at once, so that what is laid out for them stays near the processor.
const STEPS: usize = 512;
/// Registers of columns that are summed side by side.
const WIDE: usize = 2;

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            // AVX-512 and Neon.
            16 | 4 => self.run::<S, ROWS_OF_32>(simd),
            _ => self.run::<S, ROWS_OF_16>(simd),
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn run<S: Simd, const ROWS: usize>(self, simd: S) {
        let Self { room: Room { panels, strip }, sizes, factors: (left, right), sums, fresh } = self;
        for start in (0..sizes.depth).step_by(STEPS) {
            let steps = start..sizes.depth.min(start + STEPS);
            lay_panels(panels, (sizes, steps.clone()), right, WIDE * S::F32_LANES);
            let fresh = fresh && start == 0;
            Ground { panels, strip, sizes, steps, left, sums, fresh }.add_all::<S, ROWS>(simd);
        }
    }
}

/// Panels of `width` columns one after the other, the last filled up with zeros.
#[inline(always)]
fn lay_panels(panels: &mut Vec<f32>, (sizes, steps): (Sizes, Range<usize>), right: Factor<'_>, width: usize) {
    let Sizes { columns, depth, .. } = sizes;
    panels.resize(columns.div_ceil(width) * width * steps.len(), 0.0);
    for (number, panel) in panels.chunks_exact_mut(width * steps.len()).enumerate() {
        let own = number * width..columns.min((number + 1) * width);
        match right {
            Factor::AsIs(values) => {
                let rows = values[steps.start * columns..steps.end * columns].chunks_exact(columns);
                for (line, row) in panel.chunks_exact_mut(width).zip(rows) {
                    // A length that is known beforehand is copied by registers.
                    if own.len() == width {
                        line.copy_from_slice(&row[own.start..][..width]);
                    } else {
                        line[..own.len()].copy_from_slice(&row[own.clone()]);
                        line[own.len()..].fill(0.0);
                    }
                }
            }
            Factor::Turned(values) => {
                let rows = &values[own.start * depth..own.end * depth];
                lay_turned(panel, width, (rows, depth), steps.clone());
            }
        }
    }
}

/// Rows and steps that are turned at once.
const BLOCK: usize = 4;

/// A panel of `width` columns, each a row of `depth` numbers. Square by square: a loop that goes down the columns one at
/// a time may be compiled to scattering stores, at a fifth of the speed.
#[inline(always)]
fn lay_turned(panel: &mut [f32], width: usize, (rows, depth): (&[f32], usize), steps: Range<usize>) {
    let count = rows.len() / depth;
    // Where registers hold one number, a panel is narrower than a square.
    let side = BLOCK.min(width);
    for column in (0..width).step_by(BLOCK) {
        let line = |own: usize| {
            let row = (column + own < count).then(|| &rows[(column + own) * depth..][steps.clone()]);
            row.unwrap_or_default().as_chunks::<BLOCK>()
        };
        let blocks: [_; BLOCK] = std::array::from_fn(line);
        let whole = steps.len() / BLOCK;
        let (squares, rest) = panel.split_at_mut(whole * BLOCK * width);
        for (number, square) in squares.chunks_exact_mut(BLOCK * width).enumerate() {
            let read: [[f32; BLOCK]; BLOCK] =
                std::array::from_fn(|own| blocks[own].0.get(number).copied().unwrap_or_default());
            for (step, line) in square.chunks_exact_mut(width).enumerate() {
                line[column..column + side].copy_from_slice(&read.map(|row| row[step])[..side]);
            }
        }
        for (step, line) in rest.chunks_exact_mut(width).enumerate() {
            let read: [f32; BLOCK] =
                std::array::from_fn(|own| blocks[own].1.get(step).copied().unwrap_or_default());
            line[column..column + side].copy_from_slice(&read[..side]);
        }
    }
}

/// Some rows of the left factor: one number of each for a step of the depth.
trait Strip<const ROWS: usize>: Copy {
    fn at(self, row: usize, step: usize) -> f32;
}

impl<const ROWS: usize> Strip<ROWS> for [&[f32]; ROWS] {
    #[inline(always)]
    fn at(self, row: usize, step: usize) -> f32 {
        self[row][step]
    }
}

impl<const ROWS: usize> Strip<ROWS> for &[[f32; ROWS]] {
    #[inline(always)]
    fn at(self, row: usize, step: usize) -> f32 {
        self[step][row]
    }
}

struct Ground<'a> {
    panels: &'a [f32],
    strip: &'a mut Vec<f32>,
    sizes: Sizes,
    steps: Range<usize>,
    left: Factor<'a>,
    sums: &'a mut [f32],
    fresh: bool,
}

impl Ground<'_> {
    #[inline(always)]
    fn add_all<S: Simd, const ROWS: usize>(mut self, simd: S) {
        let mut rows = 0..self.sizes.rows;
        while rows.len() >= ROWS {
            self.add::<S, ROWS>(simd, rows.start);
            rows.start += ROWS;
        }
        while rows.len() >= ROWS_OVER {
            self.add::<S, ROWS_OVER>(simd, rows.start);
            rows.start += ROWS_OVER;
        }
        rows.for_each(|row| self.add::<S, 1>(simd, row));
    }

    /// To `ROWS` rows of the sums.
    #[inline(always)]
    fn add<S: Simd, const ROWS: usize>(&mut self, simd: S, first: usize) {
        let Sizes { rows, columns, depth } = self.sizes;
        let steps = self.steps.clone();
        let sums = &mut self.sums[first * columns..(first + ROWS) * columns];
        match self.left {
            Factor::AsIs(values) => {
                let own = &values[first * depth..(first + ROWS) * depth];
                let apart: [&[f32]; ROWS] =
                    std::array::from_fn(|row| &own[row * depth + steps.start..][..steps.len()]);
                add_panels::<S, ROWS>(simd, (apart, self.panels, steps.len()), sums, (columns, self.fresh));
            }
            Factor::Turned(values) => {
                self.strip.resize(steps.len() * ROWS, 0.0);
                let (lines, _) = self.strip.as_chunks_mut::<ROWS>();
                let own = values[steps.start * rows..steps.end * rows].chunks_exact(rows);
                for (line, row) in lines.iter_mut().zip(own) {
                    line.copy_from_slice(&row[first..first + ROWS]);
                }
                add_panels::<S, ROWS>(
                    simd,
                    (&lines[..steps.len()], self.panels, steps.len()),
                    sums,
                    (columns, self.fresh),
                );
            }
        }
    }
}

#[inline(always)]
fn add_panels<S: Simd, const ROWS: usize>(
    simd: S,
    (strip, panels, steps): (impl Strip<ROWS>, &[f32], usize),
    sums: &mut [f32],
    (columns, fresh): (usize, bool),
) {
    let width = WIDE * S::F32_LANES;
    for (number, panel) in panels.chunks_exact(width * steps).enumerate() {
        let start = number * width;
        let own = columns.min(start + width) - start;
        let (panel, _) = S::as_simd_f32s(panel);
        let (panel, _) = panel.as_chunks::<WIDE>();
        if own > S::F32_LANES {
            add_panel::<S, ROWS, WIDE>(
                simd,
                (strip, &panel[..steps]),
                &mut sums[start..],
                (columns, own, fresh),
            );
        } else {
            add_panel::<S, ROWS, 1>(
                simd,
                (strip, &panel[..steps]),
                &mut sums[start..],
                (columns, own, fresh),
            );
        }
    }
}

/// Its body once for each place below the count, as it stands there. A loop that the compiler does not unroll keeps its
/// sums in memory, at a fifth of the speed, and whether it does hangs on what else is compiled with it.
macro_rules! each {
    ($place:ident in $count:ident of $($number:literal)* $body:block) => {
        $(if $number < $count {
            let $place: usize = $number;
            $body
        })*
    };
}
macro_rules! each_row {
    ($row:ident $body:block) => {
        each!($row in ROWS of 0 1 2 3 4 5 6 7 8 9 10 11 $body)
    };
}
macro_rules! each_register {
    ($number:ident $body:block) => {
        each!($number in WIDTH of 0 1 $body)
    };
}

/// `own` columns of sums that stand `columns` apart.
#[inline(always)]
fn add_panel<S: Simd, const ROWS: usize, const WIDTH: usize>(
    simd: S,
    (strip, panel): (impl Strip<ROWS>, &[[S::f32s; WIDE]]),
    sums: &mut [f32],
    (columns, own, fresh): (usize, usize, bool),
) {
    // As far as the two lists above go.
    const { assert!(ROWS <= 12 && WIDTH <= 2) };
    let lanes = S::F32_LANES;
    let place = |row: usize, number: usize| {
        let at = row * columns + number * lanes;
        at..at + lanes.min(own - number * lanes)
    };
    let mut held = [[simd.splat_f32s(0.0); WIDTH]; ROWS];
    if !fresh {
        each_row!(row {
            each_register!(number { held[row][number] = load(simd, &sums[place(row, number)]); });
        });
    }
    for (step, registers) in panel.iter().enumerate() {
        each_row!(row {
            let factor = simd.splat_f32s(strip.at(row, step));
            each_register!(number {
                held[row][number] = simd.mul_add_e_f32s(factor, registers[number], held[row][number]);
            });
        });
    }
    each_row!(row {
        each_register!(number { store(simd, &mut sums[place(row, number)], held[row][number]); });
    });
}

/// A register of numbers, or as many as there are.
#[inline(always)]
fn load<S: Simd>(simd: S, part: &[f32]) -> S::f32s {
    match S::as_simd_f32s(part) {
        ([whole], []) => *whole,
        _ => simd.partial_load_f32s(part),
    }
}

#[inline(always)]
fn store<S: Simd>(simd: S, part: &mut [f32], values: S::f32s) {
    match S::as_mut_simd_f32s(part) {
        ([whole], []) => *whole = values,
        _ => simd.partial_store_f32s(part, values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;

    fn drawn(count: usize, purpose: &str) -> Vec<f32> {
        let mut random = Random::new(2, purpose);
        (0..count).map(|_| random.normal() as f32).collect()
    }

    /// Of an element, its place in a factor of `rows` and `columns`.
    fn place(turned: bool, (row, column): (usize, usize), (rows, columns): (usize, usize)) -> usize {
        if turned { column * rows + row } else { row * columns + column }
    }

    fn factor(turned: bool, values: &[f32]) -> Factor<'_> {
        if turned { Factor::Turned(values) } else { Factor::AsIs(values) }
    }

    /// Edges of every kind: no whole tile, one and some; more steps than are gone at once; one register and a half.
    const SIZES: [(usize, usize, usize); 8] = [
        (1, 1, 1),
        (3, 7, 5),
        (12, 32, 16),
        (13, 33, 20),
        (29, 48, 9),
        (6, 100, STEPS + 3),
        (40, 17, 2 * STEPS),
        (5, 64, STEPS),
    ];

    #[test]
    fn every_sum_is_what_its_terms_add_up_to_in_order_to_the_bit_where_terms_are_fused() {
        let mut room = Room::default();
        for (rows, columns, depth) in SIZES {
            let (left, right) = (drawn(rows * depth, "left"), drawn(depth * columns, "right"));
            let before = drawn(rows * columns, "sums");
            for (turned_left, turned_right) in [(false, false), (false, true), (true, false), (true, true)] {
                let (mut added, mut written) = (before.clone(), before.clone());
                let sizes = Sizes { rows, columns, depth };
                let factors = (factor(turned_left, &left), factor(turned_right, &right));
                room.add(sizes, factors.0, factors.1, &mut added);
                room.write(sizes, factors.0, factors.1, &mut written);
                for at in 0..rows * columns {
                    let (row, column) = (at / columns, at % columns);
                    let (mut sum, mut fresh) = (before[at], 0.0f32);
                    for step in 0..depth {
                        let l = left[place(turned_left, (row, step), (rows, depth))];
                        let r = right[place(turned_right, (step, column), (depth, columns))];
                        (sum, fresh) = (l.mul_add(r, sum), l.mul_add(r, fresh));
                    }
                    if matches!(Arch::new(), Arch::Scalar) {
                        assert!((added[at] - sum).abs() < 1e-3 && (written[at] - fresh).abs() < 1e-3);
                    } else {
                        assert_eq!((added[at], written[at]), (sum, fresh), "{rows} {columns} {depth}: {at}");
                    }
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn registers_of_another_width_give_the_same_bits_and_one_number_at_a_time_nearly_so() {
        let Some(narrow) = pulp::x86::V3::try_new() else { return };
        for (rows, columns, depth) in SIZES {
            let (left, right) = (drawn(rows * depth, "left"), drawn(depth * columns, "right"));
            let (mut widest, mut narrower) = (vec![0.5; rows * columns], vec![0.5; rows * columns]);
            let (sizes, mut room) = (Sizes { rows, columns, depth }, Room::default());
            let factors = (Factor::AsIs(&left), Factor::Turned(&right));
            room.add(sizes, factors.0, factors.1, &mut widest);
            let own = Product { room: &mut room, sizes, factors, sums: &mut narrower, fresh: false };
            Simd::vectorize(narrow, own);
            assert_eq!(widest, narrower, "{rows} {columns} {depth}");
            let mut single = vec![0.5; rows * columns];
            let own = Product { room: &mut room, sizes, factors, sums: &mut single, fresh: false };
            Simd::vectorize(pulp::Scalar::new(), own);
            for (single, widest) in single.iter().zip(&widest) {
                assert!((single - widest).abs() < 1e-3, "{rows} {columns} {depth}: {single} {widest}");
            }
        }
    }

    #[test]
    fn a_product_of_no_terms_is_zero_and_adds_nothing() {
        let (mut sums, mut room) = (vec![3.0f32; 6], Room::default());
        let sizes = Sizes { rows: 2, columns: 3, depth: 0 };
        room.add(sizes, Factor::AsIs(&[]), Factor::AsIs(&[]), &mut sums);
        assert_eq!(sums, [3.0; 6]);
        room.write(sizes, Factor::AsIs(&[]), Factor::AsIs(&[]), &mut sums);
        assert_eq!(sums, [0.0; 6]);
    }
}
