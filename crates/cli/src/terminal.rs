//! Manners towards terminals: widths, colours, progress.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quoteclock_report::Style;
use std::borrow::Cow;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::ops::ControlFlow;

/// How a table on standard output is to look: as wide as the terminal, in colour on one only.
pub(crate) fn table_style() -> Style {
    if !stdout().is_terminal() {
        return Style { width: PIPED_WIDTH, colour: false };
    }
    let width = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
    Style { width, colour: colours_are_welcome() }
}

/// Columns of a table that is not printed on a terminal.
const PIPED_WIDTH: usize = 120;

/// Prints an error to standard error.
pub(crate) fn print_error(message: &str) {
    print_note("error", "\x1b[1;31m", message);
}

/// Prints a warning to standard error.
pub(crate) fn print_warning(message: &str) {
    print_note("warning", "\x1b[1;33m", message);
}

/// A text of which nothing steers the terminal: characters that do, of names in an input or of files, as `\u{1b}`. Lines stay
/// lines.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let steers = |letter: char| {
        letter != '\n' && letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if steers(letter) { shown.extend(letter.escape_unicode()) } else { shown.push(letter) }
    }
    Cow::Owned(shown)
}

/// Whoever closed standard error, or lets it run full, has no wish to read this: the exit code says it all the same.
fn print_note(word: &str, colour: &str, message: &str) {
    let message = printable(message);
    let note = if stderr().is_terminal() && colours_are_welcome() {
        format!("{colour}{word}:\x1b[0m {message}\n")
    } else {
        format!("{word}: {message}\n")
    };
    let _ = stderr().lock().write_all(note.as_bytes());
}

/// An error with its causes, each said once: libraries often repeat in one what they say in the next.
pub(crate) fn error_text(error: &anyhow::Error) -> String {
    quoteclock::error_text(error.as_ref())
}

fn colours_are_welcome() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// Inputs smaller than this are read before a bar could be seen.
const PROGRESS_FROM_BYTES: u64 = 16 << 20;

/// Moves a bar on; nothing is stopped by it.
pub(crate) fn advance(bar: &ProgressBar, bytes: u64) -> ControlFlow<()> {
    bar.inc(bytes);
    ControlFlow::Continue(())
}

/// A bar over the bytes of the inputs, where standard error is a terminal and there is enough to wait for.
pub(crate) fn progress_bar(total_bytes: Option<u64>) -> ProgressBar {
    let is_long = total_bytes.is_none_or(|bytes| PROGRESS_FROM_BYTES <= bytes);
    if !is_long || !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match total_bytes {
        Some(bytes) => (ProgressBar::new(bytes), "{wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {bytes} {binary_bytes_per_sec} {elapsed}"),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
