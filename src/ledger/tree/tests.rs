//! The tree against the published vectors of certificate transparency and against its own definition.

use std::cell::Cell;
use std::convert::Infallible;

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::base::digest::parse_hex;
use crate::ledger::leaf::leaf_hash;
use crate::ledger::memory::MemoryNodes;

/// The inputs of the reference implementation of certificate transparency.
const INPUTS: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

/// Its roots of the first 0, 1, ... 8 inputs.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Its inclusion proofs: index, size, proof.
const PATHS: [(u64, u64, &[&str]); 5] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

/// Its consistency proofs: old size, new size, proof.
const GROWTHS: [(u64, u64, &[&str]); 4] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

fn digests(hex: &[&str]) -> Vec<Digest> {
    hex.iter().map(|text| text.parse().unwrap()).collect()
}

fn published(size: u64) -> TreeHead {
    TreeHead { size, root: ROOTS[size as usize].parse().unwrap() }
}

/// MTH of RFC 6962, section 2.1, word for word.
fn naive_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [only] => *only,
        _ => {
            let k = (1..).map(|n| 1usize << n).take_while(|k| *k < leaves.len()).last().unwrap_or(1);
            node_hash(&naive_root(&leaves[..k]), &naive_root(&leaves[k..]))
        }
    }
}

fn leaves(count: u64) -> Vec<Digest> {
    (0..count).map(|n| leaf_hash(&n.to_le_bytes())).collect()
}

#[test]
fn the_published_roots_are_met() {
    let hashes = INPUTS.map(leaf_hash);
    let nodes = MemoryNodes::grow(&hashes);
    for size in 0..=8 {
        assert_eq!(root(&nodes, size), Ok(published(size).root), "size {size}");
        assert_eq!(naive_root(&hashes[..size as usize]), published(size).root, "size {size}");
    }
}

#[test]
fn the_published_proofs_are_met_and_verified() {
    let hashes = INPUTS.map(leaf_hash);
    let nodes = MemoryNodes::grow(&hashes);
    for (index, size, path) in PATHS {
        let proof = inclusion_proof(&nodes, index, size).unwrap();
        assert_eq!(proof, digests(path), "record {index} of {size}");
        verify_inclusion(&hashes[index as usize], index, &published(size), &proof).unwrap();
    }
    for (old, new, path) in GROWTHS {
        let proof = consistency_proof(&nodes, old, new).unwrap();
        assert_eq!(proof, digests(path), "{old} to {new}");
        verify_consistency(&published(old), &published(new), &proof).unwrap();
    }
}

#[test]
fn roots_and_proofs_of_every_size_agree_with_the_definition() {
    const SIZES: u64 = 70;
    let leaves = leaves(SIZES);
    let nodes = MemoryNodes::grow(&leaves);
    let heads: Vec<TreeHead> =
        (0..=SIZES).map(|size| TreeHead { size, root: naive_root(&leaves[..size as usize]) }).collect();
    for new in 0..=SIZES {
        let head = &heads[new as usize];
        assert_eq!(root(&nodes, new).unwrap(), head.root, "size {new}");
        assert_eq!(Frontier::load(&nodes, new).unwrap().root(), head.root, "size {new}");
        for index in 0..new {
            let proof = inclusion_proof(&nodes, index, new).unwrap();
            verify_inclusion(&leaves[index as usize], index, head, &proof).unwrap();
        }
        for old in 0..=new {
            let proof = consistency_proof(&nodes, old, new).unwrap();
            verify_consistency(&heads[old as usize], head, &proof).unwrap();
        }
    }
}

#[test]
fn a_loaded_frontier_grows_like_the_one_that_was_never_stored() {
    let leaves = leaves(70);
    let whole = MemoryNodes::grow(&leaves);
    for start in 0..70u64 {
        let mut nodes = MemoryNodes::grow(&leaves[..start as usize]);
        let mut frontier = Frontier::load(&nodes, start).unwrap();
        leaves[start as usize..].iter().for_each(|leaf| nodes.put(&frontier.append(*leaf)));
        assert_eq!((frontier.size(), nodes.0 == whole.0), (70, true), "from {start}");
    }
}

/// Counts reads, to hold the promise of O(log n).
struct Counting {
    nodes: MemoryNodes,
    reads: Cell<usize>,
}

impl Nodes for Counting {
    type Error = Infallible;

    fn find_node(&self, level: u8, index: u64) -> Result<Option<Digest>, Infallible> {
        self.reads.set(self.reads.get() + 1);
        self.nodes.find_node(level, index)
    }
}

#[test]
fn a_proof_reads_few_nodes() {
    let size = (1 << 12) - 1;
    let counting = Counting { nodes: MemoryNodes::grow(&leaves(size)), reads: Cell::new(0) };
    for index in (0..size).step_by(97) {
        inclusion_proof(&counting, index, size).unwrap();
        assert!(counting.reads.take() <= 24, "inclusion of {index}");
        consistency_proof(&counting, index, size).unwrap();
        assert!(counting.reads.take() <= 24, "consistency from {index}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let mut nodes = MemoryNodes::grow(&leaves(6));
    assert_eq!(inclusion_proof(&nodes, 6, 6), Err(TreeError::NoSuchRecord { index: 6, size: 6 }));
    assert_eq!(consistency_proof(&nodes, 7, 6), Err(TreeError::NotLater { old: 7, new: 6 }));
    nodes.0.remove(&(2, 0));
    assert_eq!(root(&nodes, 6), Err(TreeError::MissingNode { level: 2, index: 0 }));
    assert_eq!(Frontier::load(&nodes, u64::MAX), Err(TreeError::MissingNode { level: 63, index: 0 }));
}

#[test]
fn a_leaf_is_never_taken_for_an_inner_node() {
    let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
    let forged = [&[1u8][..], a.as_bytes(), b.as_bytes()].concat();
    assert_ne!(leaf_hash(&forged), naive_root(&[a, b]));
    assert_ne!(leaf_hash(&forged[1..]), naive_root(&[a, b]));
}

fn flipped(digest: &Digest, bit: usize) -> Digest {
    let mut bytes = *digest.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Digest::from_bytes(bytes)
}

/// Every way to alter a proof a little: a bit in each part, one part more, one less, two exchanged.
fn altered(proof: &[Digest], bit: usize) -> Vec<Vec<Digest>> {
    let mut out = vec![[proof, &[Digest::of(b"more")]].concat()];
    for place in 0..proof.len() {
        let mut one = proof.to_vec();
        one[place] = flipped(&one[place], bit);
        out.push(one);
        out.push([&proof[..place], &proof[place + 1..]].concat());
        let mut exchanged = proof.to_vec();
        exchanged.swap(place, 0);
        if exchanged != proof {
            out.push(exchanged);
        }
    }
    out
}

proptest! {
    #[test]
    fn an_altered_inclusion_proof_is_refused(size in 1u64..200, pick in any::<u64>(), bit in 0usize..256) {
        let (leaves, index) = (leaves(size), pick % size);
        let nodes = MemoryNodes::grow(&leaves);
        let head = TreeHead { size, root: naive_root(&leaves) };
        let (leaf, proof) = (leaves[index as usize], inclusion_proof(&nodes, index, size).unwrap());
        prop_assert_eq!(verify_inclusion(&leaf, index, &head, &proof), Ok(()));
        for other in altered(&proof, bit) {
            prop_assert!(verify_inclusion(&leaf, index, &head, &other).is_err());
        }
        prop_assert!(verify_inclusion(&flipped(&leaf, bit), index, &head, &proof).is_err());
        prop_assert!(verify_inclusion(&leaf, size, &head, &proof).is_err());
        let other_root = TreeHead { root: flipped(&head.root, bit), ..head };
        prop_assert!(verify_inclusion(&leaf, index, &other_root, &proof).is_err());
        for other in (0..size).filter(|other| *other != index) {
            prop_assert!(verify_inclusion(&leaf, other, &head, &proof).is_err());
        }
    }

    #[test]
    fn an_altered_consistency_proof_is_refused(new in 1u64..200, pick in any::<u64>(), bit in 0usize..256) {
        let (leaves, old) = (leaves(new), 1 + pick % new);
        let nodes = MemoryNodes::grow(&leaves);
        let head = |size: u64| TreeHead { size, root: naive_root(&leaves[..size as usize]) };
        let proof = consistency_proof(&nodes, old, new).unwrap();
        prop_assert_eq!(verify_consistency(&head(old), &head(new), &proof), Ok(()));
        for other in altered(&proof, bit) {
            prop_assert!(verify_consistency(&head(old), &head(new), &other).is_err());
        }
        let other_old = TreeHead { root: flipped(&head(old).root, bit), size: old };
        prop_assert!(verify_consistency(&other_old, &head(new), &proof).is_err());
        let other_new = TreeHead { root: flipped(&head(new).root, bit), size: new };
        prop_assert!(verify_consistency(&head(old), &other_new, &proof).is_err());
    }

    #[test]
    fn a_random_proof_proves_nothing(size in any::<u64>(), index in any::<u64>(), parts in 0usize..70) {
        let proof: Vec<Digest> = (0..parts as u64).map(|n| Digest::of(&n.to_le_bytes())).collect();
        let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
        let (old, new) = (TreeHead { size: index, root: one }, TreeHead { size, root: two });
        prop_assert!(verify_inclusion(&one, index, &new, &proof).is_err());
        prop_assert!(verify_consistency(&old, &new, &proof).is_err());
    }
}

#[test]
fn the_published_leaf_and_node_hashes_are_met() {
    let bytes: [u8; 16] = parse_hex("101112131415161718191a1b1c1d1e1f").unwrap();
    let leaf = "3bfb960453ebaebf33727da7a1f4db38acc051d381b6da20d6d4e88f0eabfd7a";
    assert_eq!(leaf_hash(&bytes).to_hex(), leaf);
    let [left, right] = [0u8, 32].map(|from| Digest::from_bytes(std::array::from_fn(|n| from + n as u8)));
    let node = "1a378704c17da31e2d05b6d121c2bb2c7d76f6ee6fa8f983e596c2d034963c57";
    assert_eq!(node_hash(&left, &right).to_hex(), node);
}
