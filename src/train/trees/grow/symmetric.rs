//! One tree a level at a time: all nodes of a level ask the same question, the one they gain most by together. A node
//! that it does not suit (too few rows on a side, against a direction, no gain) stays whole and waits for the next.
//! Knows nothing of margins or rounds.

use crate::train::trees::grow::gradients::Gradients;
use crate::train::trees::grow::histogram::Histogram;
use crate::train::trees::grow::question::{Column, Common, question};
use crate::train::trees::grow::split::{Found, Judge};
use crate::train::trees::grow::{Grower, Grown, Offer};

/// A node that could still be split, and its sums.
struct Standing {
    at: u32,
    histogram: Histogram,
}

impl Grower<'_> {
    /// On the columns that are offered for its root; `order` as in `grow`.
    pub(super) fn grow_symmetric(
        &mut self,
        order: &mut [u32],
        gradients: &Gradients,
        offer: &mut Offer,
    ) -> Grown {
        let mut grown = self.root(order, gradients);
        if !self.can_split(&grown, 0) {
            return grown;
        }
        let filled = self.filled(&grown.nodes[0], order, gradients, offer);
        let offer = &mut Offer::Fixed(filled.columns.clone());
        let mut level = vec![Standing { at: 0, histogram: filled.histogram }];
        for _ in 0..self.ground.params.depth_max {
            let Some(common) = self.common(&grown, &level, gradients, &filled.columns) else { break };
            let before = grown.nodes.len();
            level = self.ask(&mut grown, (level, &common), order, (gradients, offer));
            if grown.nodes.len() == before {
                break;
            }
        }
        self.spare.extend(level.into_iter().map(|standing| standing.histogram));
        grown
    }

    /// The best question of all columns offered; none where none gains anything.
    fn common(
        &self,
        grown: &Grown,
        level: &[Standing],
        gradients: &Gradients,
        columns: &[u16],
    ) -> Option<Common> {
        let judge = |standing: &Standing| {
            Judge::new(self.ground.params, gradients.units, grown.nodes[standing.at as usize].node)
        };
        let judges: Vec<Judge<'_>> = level.iter().map(judge).collect();
        let shape = self.ground.shape;
        let mut best: Option<Common> = None;
        for (place, &number) in columns.iter().enumerate() {
            let bins = level.iter().map(|standing| &standing.histogram.0[place]);
            let nodes: Vec<_> = judges.iter().zip(bins).collect();
            let (described, direction) =
                (shape.columns[usize::from(number)], shape.monotone[usize::from(number)]);
            let found = question(&nodes, Column { number, place, described, direction });
            if found.is_some_and(|found| best.is_none_or(|best| found.gain > best.gain)) {
                best = found;
            }
        }
        best
    }

    /// The nodes of the next level that can be split, those that stayed whole among them.
    fn ask(
        &mut self,
        grown: &mut Grown,
        (level, common): (Vec<Standing>, &Common),
        order: &mut [u32],
        (gradients, offer): (&Gradients, &mut Offer),
    ) -> Vec<Standing> {
        let mut next = Vec::with_capacity(2 * level.len());
        for standing in level {
            let node = grown.nodes[standing.at as usize].node;
            let judge = Judge::new(self.ground.params, gradients.units, node);
            let left = common.left(&standing.histogram);
            // Each split adds two nodes to the root, and one leaf.
            let room = grown.nodes.len() / 2 + 1 < self.ground.params.leaves_max;
            let gain = judge.gain_of(common.column.direction, left, common.lambda(&judge));
            let children = gain.filter(|_| room).and_then(|gain| {
                let found = Found { gain, column: common.column.number, split: common.split, left };
                self.part(grown, (standing.at, &found), order, gradients)
            });
            let Some(children) = children else {
                next.push(standing);
                continue;
            };
            let made = self.histograms(grown, children, Some(standing.histogram), order, (gradients, offer));
            next.extend(made.into_iter().map(|(at, filled)| Standing { at, histogram: filled.histogram }));
        }
        next
    }
}
