//! A list of numbers read as a series of choices, so that a generator can be written as plain code and still shrink: fewer
//! and smaller numbers give a simpler day, and 0 (or the end of the list) is always the plainest alternative.

/// The choices not yet made.
pub(super) struct Choices<'a> {
    numbers: &'a [u16],
}

impl<'a> Choices<'a> {
    pub(super) fn new(numbers: &'a [u16]) -> Self {
        Choices { numbers }
    }

    /// The next `count` choices, set apart for one part of the day: another part's choices do not shift them.
    pub(super) fn part(&mut self, count: usize) -> Choices<'a> {
        let (part, rest) = self.numbers.split_at(count.min(self.numbers.len()));
        self.numbers = rest;
        Choices::new(part)
    }

    /// A number from 0 up to, not including, `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let Some((first, rest)) = self.numbers.split_first() else { return 0 };
        self.numbers = rest;
        usize::from(*first) * count / 65_536
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) >= 100 - chance
    }

    /// One of the values.
    pub(super) fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// A number from 0 up to, not including, `count`, which may be large.
    pub(super) fn wide(&mut self, count: i128) -> i128 {
        let number = (0..3).fold(0, |sum: i128, _| {
            let next: u16 = self.below(65_536).try_into().unwrap_or(0);
            sum * 65_536 + i128::from(next)
        });
        number * count / 65_536_i128.pow(3)
    }

    /// The values in another order, or (most often) as they are.
    pub(super) fn shuffled<T>(&mut self, mut values: Vec<T>) -> Vec<T> {
        if self.percent(40) {
            for last in (1..values.len()).rev() {
                let other = last - self.below(last + 1);
                values.swap(last, other);
            }
        }
        values
    }

    /// Text as another program might have written it: a byte-order mark, CRLF, no last newline.
    pub(super) fn file(&mut self, lines: &[String]) -> String {
        let newline = if self.percent(15) { "\r\n" } else { "\n" };
        let mut text = if self.percent(10) { "\u{feff}" } else { "" }.to_owned() + &lines.join(newline);
        if !self.percent(12) {
            text += newline;
        }
        text
    }
}
