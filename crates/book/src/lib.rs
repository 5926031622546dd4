//! The order book of one issue, and each market maker's own quotes in it.
//!
//! [`Book`] rebuilds the market's book order by order and tells, for every change, what it did to the quotes;
//! [`OwnQuotes`] is the same for the quotes of one market maker, and answers the one question of the rules: at which
//! price do they reach the minimum? Both stand on [`Levels`], the quantities at each price of one side.
//!
//! Invariants: a level holds exactly the sum of the live quotes at its price and is absent at zero; an event that is
//! refused changes nothing. Deliberately absent: time, phases and limits of spread, which belong to
//! `quoteclock-obligation`, and names.

mod book;
mod levels;
mod orders;
mod own;

pub use book::{Book, BookError, Order, QuoteChange};
pub use levels::Levels;
pub use own::OwnQuotes;
