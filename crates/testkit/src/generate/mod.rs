//! Generators of days.
