//! The name a run gets when nobody named it: adjective-noun-number, from a seed.
//! Names are for people; two runs may share one.

use crate::base::rng::Random;

const ADJECTIVES: [&str; 40] = [
    "amber", "able", "brisk", "bright", "calm", "careful", "clever", "crisp", "eager", "early", "even",
    "exact", "fair", "firm", "fresh", "gentle", "grand", "handy", "keen", "kind", "light", "lively", "lucid",
    "merry", "mild", "neat", "nimble", "plain", "polite", "prompt", "quick", "quiet", "ready", "round",
    "silver", "sound", "steady", "sunny", "tidy", "warm",
];
const NOUNS: [&str; 40] = [
    "acorn", "anchor", "badger", "barley", "beacon", "birch", "brook", "cedar", "clover", "crane", "dune",
    "falcon", "fern", "finch", "garden", "harbor", "hazel", "heron", "island", "ivy", "lantern", "larch",
    "lark", "maple", "meadow", "mill", "oak", "orchard", "otter", "pebble", "quill", "reed", "ridge",
    "robin", "sail", "sparrow", "spruce", "swan", "valley", "willow",
];

/// The same seed gives the same name; a caller without one takes it from the run's id.
pub fn draw_run_name(seed: u64) -> String {
    let mut random = Random::new(seed, "run name");
    let adjective = ADJECTIVES[random.below(ADJECTIVES.len())];
    let noun = NOUNS[random.below(NOUNS.len())];
    format!("{adjective}-{noun}-{:03}", random.below(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_repeat_with_their_seed_and_differ_across_seeds() {
        assert_eq!(draw_run_name(7), draw_run_name(7));
        let names: std::collections::BTreeSet<String> = (0..200).map(draw_run_name).collect();
        assert!(names.len() > 190, "{}", names.len());
        for name in names {
            let parts: Vec<&str> = name.split('-').collect();
            assert!(parts.len() == 3 && parts[2].len() == 3 && parts[2].parse::<u16>().is_ok(), "{name}");
        }
    }
}
