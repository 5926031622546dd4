//! From a byte position in a text to its line and character. Positions only: nothing here knows TOML.

/// Where the lines of a text start, to turn a byte position into a place for people.
pub(super) struct Places<'a> {
    pub(super) text: &'a str,
    starts: Vec<usize>,
}

impl Places<'_> {
    /// Finds the lines of `text`.
    pub(super) fn of(text: &str) -> Places<'_> {
        let after_newlines = text.match_indices('\n').map(|(position, _)| position + 1);
        Places { text, starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// The line and the character in it, both from 1, of the byte `at`.
    pub(super) fn place(&self, at: usize) -> (u64, u64) {
        let line = self.starts.partition_point(|&start| start <= at).max(1);
        let before = self.text.get(self.starts[line - 1]..at).unwrap_or_default();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        (count(line), count(before.chars().count()) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_characters_count_from_one() {
        let places = Places::of("a\n日b\n");
        assert_eq!([0, 1, 2, 5, 6, 7].map(|at| places.place(at)), [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1)]);
    }
}
