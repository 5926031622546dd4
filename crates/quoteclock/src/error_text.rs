//! Errors for people.

use std::error::Error;

/// What an error says, and what its causes say, in one line; none says what the one before it has said.
///
/// ```
/// use quoteclock::{Registry, error_text, replay};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let error = replay("no/such/day.csv", &registry).unwrap_err();
/// assert!(error_text(&error).starts_with("no/such/day.csv: cannot be read: No such file"));
/// # Ok::<(), quoteclock::RegistryError>(())
/// ```
pub fn error_text(error: &dyn Error) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        let is_said = said.last().is_some_and(|last| last.ends_with(&text) || text.ends_with(last));
        if !is_said {
            said.push(text);
        }
        next = error.source();
    }
    said.join(": ")
}
