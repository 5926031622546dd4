//! The order book of one issue, and in it each market maker's own quotes.
//!
//! [`Book`] rebuilds the market's book order by order and tells, for every change, what it did to the quotes;
//! [`OwnQuotes`] is one market maker's part of it, and answers the one question of the rules: at which price do the quotes
//! reach the minimum? What an event needs is found without a search: an order by its number, a level by its price, and
//! from the order where it counts among its market maker's own quotes. What only people ask for, prices in order, is put
//! in order when they ask ([`Levels`]).
//!
//! Invariants: a level holds exactly the sum of the live quotes at its price; an event that is refused changes nothing.
//! Deliberately absent: time, phases and limits of spread, which belong to `quoteclock-obligation`, and names.

mod book;
mod bucket;
mod level_tree;
mod levels;
mod orders;
mod own;
mod prefetch;

pub use book::{Book, BookError, CompactChange, CompactOrder, Holder, Order, QuoteChange};
pub use levels::Levels;
pub use own::{OwnQuotes, Quote};
pub use prefetch::{prefetch, prefetch_all};
