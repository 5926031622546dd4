//! One holder's own quotes in one issue, and where they reach a minimum.
//!
//! A quote is kept as the order that it is, in a small array of each side, and its order remembers where: a change finds
//! it without a search, and where the quotes reach a minimum is looked for only when somebody asks. (Whole levels, or one
//! order of a level after the other: a minimum is reached at the same price.) A side of very many
//! orders is kept by price instead, so that the worst input costs a logarithm and not a scan.

mod few;

pub use few::Quote;
pub(crate) use few::{Entry, Few};

use crate::Levels;
use crate::level_tree::{LevelTree, Sums};
use few::{key_of, price_of};
use quoteclock_model::{Amount, MinimumSize, Price, Shares, Side, SideFault};

/// The resting quotes of one holder, over all of its virtual servers.
///
/// Clause: `ST1/virtual-server-measuring`.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct OwnQuotes {
    /// Bids, offers.
    sides: [Form; 2],
}

/// How the quotes of a side are kept.
#[derive(Clone, Debug)]
enum Form {
    Few(Few),
    /// By price.
    Many(LevelTree),
}

impl Default for OwnQuotes {
    fn default() -> Self {
        OwnQuotes { sides: Side::BOTH.map(|_| Form::Few(Few::default())) }
    }
}

/// Two are the same if they quote the same, however it is kept.
impl PartialEq for OwnQuotes {
    fn eq(&self, other: &OwnQuotes) -> bool {
        Side::BOTH.iter().all(|&side| self.levels(side) == other.levels(side))
    }
}

impl Eq for OwnQuotes {}

/// These quotes, an order each.
impl FromIterator<(Side, Price, Shares)> for OwnQuotes {
    fn from_iter<I: IntoIterator<Item = (Side, Price, Shares)>>(quotes: I) -> OwnQuotes {
        let mut own = OwnQuotes::default();
        for (side, price, shares) in quotes {
            own.add(side, price, shares);
        }
        own
    }
}

impl OwnQuotes {
    /// The levels of `side`.
    pub fn levels(&self, side: Side) -> Levels {
        match self.form(side) {
            Form::Few(few) => {
                Levels::of(side, few.iter(side).map(|quote| (price_of(quote.price), Shares(quote.shares.into()))))
            }
            Form::Many(many) => {
                let mut levels = Vec::new();
                many.each(&mut |key, shares| levels.push((price_at(side, key), Shares(saturated(shares)))));
                Levels::of(side, levels.into_iter())
            }
        }
    }

    /// The obligation price of `side`: going from the best price outward, whole levels at a time, the price at which
    /// the minimum is reached.
    ///
    /// Clause: `ST1/minimum-value`.
    ///
    /// # Errors
    /// What is wrong with the side, if it is not reached.
    pub fn obligation_price(&self, side: Side, minimum: &MinimumSize) -> Result<Price, SideFault> {
        if minimum.is_plain() {
            return self.form(side).obligation_price(side, minimum);
        }
        let levels = self.levels(side);
        let (mut value, mut quantity) = (Amount::default(), Shares(0));
        let mut outward = levels.iter().map(|(price, shares)| {
            value += price.amount(shares);
            quantity = Shares(quantity.0.saturating_add(shares.0));
            (price, minimum.is_reached(price, value, quantity))
        });
        let reached = outward.find(|&(_, reached)| reached).map(|(price, _)| price);
        reached.ok_or(if levels.is_empty() { SideFault::NoQuote } else { SideFault::Size })
    }

    /// What `side` quotes at `outermost` and better prices: value and shares.
    pub fn inside(&self, side: Side, outermost: Price) -> (Amount, u128) {
        match (self.form(side), u32::try_from(outermost.ten_thousandths())) {
            (Form::Few(few), Ok(outermost)) => few.from(side, key_of(side, outermost)),
            // A price above all.
            (Form::Few(_), Err(_)) if side == Side::Bid => (Amount(0), 0),
            (Form::Few(_), Err(_)) => self.all(side),
            (Form::Many(many), _) => {
                let Sums { value, shares } = many.from(key_at(side, outermost));
                (value, shares)
            }
        }
    }

    /// All that `side` quotes: value and shares.
    pub fn all(&self, side: Side) -> (Amount, u128) {
        match self.form(side) {
            Form::Few(few) => few.from(side, 0),
            Form::Many(many) => {
                let Sums { value, shares } = many.all();
                (value, shares)
            }
        }
    }

    /// Fetches what a change would change.
    #[inline]
    pub(crate) fn prefetch(&self) {
        for side in &self.sides {
            if let Form::Few(few) = side {
                few.prefetch();
            }
        }
    }

    /// Adds an order's quote.
    #[inline(always)]
    pub(crate) fn add(&mut self, side: Side, price: Price, shares: Shares) -> Entry {
        self.form_mut(side).add(side, price, shares)
    }

    /// Takes `shares` off an order's quote.
    #[inline(always)]
    pub(crate) fn take(&mut self, side: Side, entry: Entry, price: Price, shares: Shares) {
        self.form_mut(side).take(side, entry, price, shares);
    }

    /// The orders of a side, if they are kept in the small form.
    #[inline(always)]
    pub(crate) fn few_mut(&mut self, side: Side) -> Option<&mut Few> {
        match self.form_mut(side) {
            Form::Few(few) => Some(few),
            Form::Many(_) => None,
        }
    }

    /// Drops all quotes.
    pub(crate) fn clear(&mut self) {
        for side in &mut self.sides {
            *side = Form::Few(Few::default());
        }
    }

    #[inline(always)]
    fn form(&self, side: Side) -> &Form {
        &self.sides[side as usize]
    }

    #[inline(always)]
    fn form_mut(&mut self, side: Side) -> &mut Form {
        &mut self.sides[side as usize]
    }
}

/// A number of shares that 64 bits hold: beyond them every minimum is reached.
fn saturated(shares: u128) -> u64 {
    u64::try_from(shares).unwrap_or(u64::MAX)
}

/// The key of a price, and the price of a key, where there are many: ascending keys run from the worst price to the best.
fn key_at(side: Side, price: Price) -> u64 {
    match side {
        Side::Bid => price.ten_thousandths(),
        Side::Offer => Price::MAX.ten_thousandths() - price.ten_thousandths(),
    }
}

fn price_at(side: Side, key: u64) -> Price {
    let units = match side {
        Side::Bid => key,
        Side::Offer => Price::MAX.ten_thousandths() - key,
    };
    Price::from_ten_thousandths(units).expect("keys are made of prices")
}

impl Form {
    fn add(&mut self, side: Side, price: Price, shares: Shares) -> Entry {
        if let Form::Few(few) = self {
            let added = Quote::of(Some((price, shares)))
                .and_then(|quote| few.add(side, quote).or_else(|| few.add_entry(side, quote)));
            if let Some(entry) = added {
                return entry;
            }
            let before = std::mem::take(few);
            let mut many = LevelTree::default();
            for Quote { price, shares } in before.iter(side) {
                many.add(key_at(side, price_of(price)), Sums::of(price.into(), shares.into()));
            }
            *self = Form::Many(many);
        }
        let Form::Many(many) = self else { unreachable!("few are full or have become many") };
        many.add(key_at(side, price), Sums::of(price.ten_thousandths(), shares.0.into()));
        Entry(0)
    }

    fn take(&mut self, side: Side, entry: Entry, price: Price, shares: Shares) {
        match self {
            Form::Few(few) => {
                let before = few.shares(entry);
                let left = u64::from(before).checked_sub(shares.0).and_then(|left| u32::try_from(left).ok());
                few.leave(entry, left.expect("no more is taken than an order has"))
                    .expect("a live order has its entry");
            }
            Form::Many(many) => {
                many.take(key_at(side, price), Sums::of(price.ten_thousandths(), shares.0.into()));
                // No order is left that would remember an entry.
                if many.is_empty() {
                    *self = Form::Few(Few::default());
                }
            }
        }
    }

    /// Where the minimum is a plain one.
    fn obligation_price(&self, side: Side, minimum: &MinimumSize) -> Result<Price, SideFault> {
        let reaches = |value, shares| minimum.is_reached_by(value, Shares(saturated(shares)));
        let reached = match self {
            Form::Few(few) if few.is_empty() => return Err(SideFault::NoQuote),
            Form::Few(few) => {
                let (mut value, mut quantity) = (Amount::default(), 0);
                let mut outward = few.outward(side).map(|(price, shares)| {
                    value += Amount(u128::from(price) * u128::from(shares));
                    quantity += u128::from(shares);
                    (price, reaches(value, quantity))
                });
                outward.find(|&(_, reached)| reached).map(|(price, _)| price_of(price))
            }
            Form::Many(many) => {
                // Without a minimum the best quote will do, and not none.
                let reached = many.first_that(|sums| sums.shares != 0 && reaches(sums.value, sums.shares));
                reached.map(|key| price_at(side, key))
            }
        };
        reached.ok_or(SideFault::Size)
    }
}

#[cfg(test)]
mod tests;
