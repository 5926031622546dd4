//! The levels of a large side, each with the sums of what is quoted below it in a tree: what is quoted in all, from a price
//! on, and where a minimum is reached are each found in a logarithm.
//!
//! A treap: ordered by key, and among parents and children by a priority that is a keyed hash of the key, so that prices
//! cannot be chosen to make it deep. Nodes are shared between copies and copied when they change, so that whoever keeps the
//! quotes of an instant pays for what changes after it and not for all of them.

use foldhash::quality::RandomState;
use quoteclock_model::Amount;
use std::hash::BuildHasher;
use std::sync::Arc;

/// Shares by key; a larger key is a better price. No level is empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct LevelTree {
    root: Tree,
    priorities: RandomState,
}

type Tree = Option<Arc<Node>>;

#[derive(Clone, Debug)]
struct Node {
    key: u64,
    level: Sums,
    /// Of this level and those below it in the tree.
    sums: Sums,
    priority: u64,
    worse: Tree,
    better: Tree,
}

/// What is quoted: value and shares. Exact: no input is long enough for 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) value: Amount,
    pub(crate) shares: u128,
}

impl Sums {
    /// So many shares at a price in ten-thousandths.
    pub(crate) fn of(price: u64, shares: u128) -> Sums {
        Sums { value: Amount(u128::from(price) * shares), shares }
    }

    fn add(&mut self, more: Sums) {
        self.value.0 += more.value.0;
        self.shares += more.shares;
    }

    fn take(&mut self, less: Sums) {
        self.value.0 -= less.value.0;
        self.shares -= less.shares;
    }
}

fn sums(tree: &Tree) -> Sums {
    tree.as_ref().map_or(Sums::default(), |node| node.sums)
}

impl Node {
    fn sum_up(&mut self) {
        self.sums = self.level;
        self.sums.add(sums(&self.worse));
        self.sums.add(sums(&self.better));
    }

    /// Where in the tree a key is that is not this one's.
    fn side_of(&mut self, key: u64) -> &mut Tree {
        if key < self.key { &mut self.worse } else { &mut self.better }
    }
}

impl LevelTree {
    pub(crate) fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Adds to the level of a key.
    pub(crate) fn add(&mut self, key: u64, more: Sums) {
        if self.holds(key) {
            self.change(key, |sums| sums.add(more));
        } else {
            let priority = self.priorities.hash_one(key);
            insert(&mut self.root, Node { key, level: more, sums: more, priority, worse: None, better: None });
        }
    }

    /// Takes from the level of a key; it is gone with its last shares.
    pub(crate) fn take(&mut self, key: u64, less: Sums) {
        assert!(self.holds(key), "a live quote has a level");
        if self.change(key, |sums| sums.take(less)).shares == 0 {
            remove(&mut self.root, key);
        }
    }

    fn holds(&self, key: u64) -> bool {
        let mut tree = &self.root;
        while let Some(node) = tree {
            if node.key == key {
                return true;
            }
            tree = if key < node.key { &node.worse } else { &node.better };
        }
        false
    }

    /// Changes the level of a key that is there, and the sums of all above it; returns the level.
    fn change(&mut self, key: u64, change: impl Fn(&mut Sums)) -> Sums {
        let mut tree = &mut self.root;
        loop {
            let node = Arc::make_mut(tree.as_mut().expect("the key is there"));
            change(&mut node.sums);
            if node.key == key {
                change(&mut node.level);
                return node.level;
            }
            tree = node.side_of(key);
        }
    }

    /// What is quoted in all.
    pub(crate) fn all(&self) -> Sums {
        sums(&self.root)
    }

    /// What is quoted at keys from `least` on.
    pub(crate) fn from(&self, least: u64) -> Sums {
        let (mut tree, mut found) = (&self.root, Sums::default());
        while let Some(node) = tree {
            if node.key < least {
                tree = &node.better;
            } else {
                found.add(sums(&node.better));
                found.add(node.level);
                tree = &node.worse;
            }
        }
        found
    }

    /// The largest key from which on so much is quoted that it `reaches` a minimum; what reaches it does so with more, too.
    pub(crate) fn first_that(&self, reaches: impl Fn(Sums) -> bool) -> Option<u64> {
        let (mut tree, mut better) = (&self.root, Sums::default());
        while let Some(node) = tree {
            let mut with_better = better;
            with_better.add(sums(&node.better));
            if reaches(with_better) {
                tree = &node.better;
                continue;
            }
            with_better.add(node.level);
            if reaches(with_better) {
                return Some(node.key);
            }
            (better, tree) = (with_better, &node.worse);
        }
        None
    }

    /// Tells every level, ascending by key.
    pub(crate) fn each(&self, tell: &mut impl FnMut(u64, u128)) {
        each(&self.root, tell);
    }
}

fn each(tree: &Tree, tell: &mut impl FnMut(u64, u128)) {
    if let Some(node) = tree {
        each(&node.worse, tell);
        tell(node.key, node.level.shares);
        each(&node.better, tell);
    }
}

/// Enters a node whose key is not in the tree.
fn insert(tree: &mut Tree, mut new: Node) {
    if let Some(node) = tree
        && new.priority <= node.priority
    {
        let node = Arc::make_mut(node);
        insert(node.side_of(new.key), new);
        node.sum_up();
        return;
    }
    (new.worse, new.better) = split(tree.take(), new.key);
    new.sum_up();
    *tree = Some(Arc::new(new));
}

/// The nodes below a key, and those above it.
fn split(tree: Tree, key: u64) -> (Tree, Tree) {
    let Some(mut shared) = tree else { return (None, None) };
    let node = Arc::make_mut(&mut shared);
    if node.key < key {
        let (worse, better) = split(node.better.take(), key);
        node.better = worse;
        node.sum_up();
        (Some(shared), better)
    } else {
        let (worse, better) = split(node.worse.take(), key);
        node.worse = better;
        node.sum_up();
        (worse, Some(shared))
    }
}

/// Removes a key that is in the tree.
fn remove(tree: &mut Tree, key: u64) {
    let node = Arc::make_mut(tree.as_mut().expect("the key is there"));
    if node.key == key {
        *tree = joined(node.worse.take(), node.better.take());
    } else {
        remove(node.side_of(key), key);
        node.sum_up();
    }
}

/// Two trees as one, of which the one has but smaller keys.
fn joined(worse: Tree, better: Tree) -> Tree {
    let (mut low, mut high) = match (worse, better) {
        (Some(low), Some(high)) => (low, high),
        (one, other) => return one.or(other),
    };
    if high.priority < low.priority {
        let node = Arc::make_mut(&mut low);
        node.better = joined(node.better.take(), Some(high));
        node.sum_up();
        Some(low)
    } else {
        let node = Arc::make_mut(&mut high);
        node.worse = joined(Some(low), node.worse.take());
        node.sum_up();
        Some(high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn depth(tree: &Tree) -> usize {
        tree.as_ref().map_or(0, |node| 1 + depth(&node.worse).max(depth(&node.better)))
    }

    #[test]
    fn levels_in_any_order_make_no_deep_tree() {
        let orders: [fn(u64) -> u64; 3] = [|n| n, |n| 100_000 - n, |n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)];
        for order in orders {
            let mut tree = LevelTree::default();
            (0..10_000).for_each(|n| tree.add(order(n), Sums::of(1, 1)));
            // 14 would be a perfect tree's; by chance one is deeper than this less often than once in a million.
            assert!(depth(&tree.root) < 64, "{}", depth(&tree.root));
        }
    }

    proptest! {
        #[test]
        fn a_tree_is_a_map_with_sums(
            steps in proptest::collection::vec((0..60_u64, 1..9_u128, any::<bool>()), 0..400), minimum in 0..300_u128,
        ) {
            let (mut tree, mut map) = (LevelTree::default(), BTreeMap::<u64, u128>::new());
            let mut kept = Vec::new();
            for (step, (key, shares, adds)) in steps.into_iter().enumerate() {
                match map.get_mut(&key).filter(|_| !adds) {
                    Some(there) => {
                        let shares = shares.min(*there);
                        *there -= shares;
                        tree.take(key, Sums::of(key, shares));
                        map.retain(|_, shares| *shares != 0);
                    }
                    None => {
                        tree.add(key, Sums::of(key, shares));
                        *map.entry(key).or_default() += shares;
                    }
                }
                if step % 50 == 0 {
                    kept.push((tree.clone(), map.clone()));
                }
            }
            kept.push((tree, map));
            // What was kept of earlier states has not changed since.
            for (tree, map) in kept {
                let sum = |from: u64| map.range(from..).fold(Sums::default(), |mut sum, (key, shares)| {
                    sum.add(Sums::of(*key, *shares));
                    sum
                });
                let mut levels = Vec::new();
                tree.each(&mut |key, shares| levels.push((key, shares)));
                prop_assert_eq!(levels, map.iter().map(|(key, shares)| (*key, *shares)).collect::<Vec<_>>());
                prop_assert_eq!((tree.all(), tree.is_empty()), (sum(0), map.is_empty()));
                for key in [0, 1, 17, 30, 59, 60] {
                    prop_assert_eq!(tree.from(key), sum(key));
                }
                let reached = map.keys().rev().find(|key| minimum <= sum(**key).shares).copied();
                // A minimum of nothing is reached by the best level.
                prop_assert_eq!(tree.first_that(|sums| minimum <= sums.shares && sums.shares != 0), reached);
            }
        }
    }
}
