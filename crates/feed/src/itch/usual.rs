//! Messages as they usually are, read in one go.
//!
//! The idea: almost every message is about one order of an issue, and names, that are known. Such a one is read from a
//! window of fixed size together with its frame; its type tells its length, which the frame has only to confirm, so that
//! the next message can be begun before this one's length has been fetched. Whatever deviates is `None` here and goes
//! the long way round, which alone judges, names faults and takes note of what is new: this module changes nothing.

use super::framing::LENGTH_BYTES;
use super::locates::Locates;
use super::message::{
    MESSAGE_BYTES_MAX, add, at, bytes_at, cancel, executed, executed_at, reduce, replace, trade, u16_at, u32_le_at,
};
use crate::Directory;
use crate::directory::ShortName;
use quoteclock_model::{IssueIndex, OrderAction, ServerIndex};

/// How many bytes from the beginning of a frame are looked at; what remains of the input has to be as long.
pub(super) const WINDOW: usize = LENGTH_BYTES + MESSAGE_BYTES_MAX;

/// A message about orders of an issue.
pub(super) struct Message<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) issue: IssueIndex,
    pub(super) action: OrderAction,
}

/// Reads the message at the beginning of `window`, in the file form, if it is a usual one.
#[inline(always)]
pub(super) fn read<'a>(window: &'a [u8; WINDOW], locates: &Locates, directory: &Directory) -> Option<Message<'a>> {
    let (length, m) = window.split_first_chunk::<LENGTH_BYTES>()?;
    let m: &[u8; MESSAGE_BYTES_MAX] = m.first_chunk()?;
    let (issue, symbol) = locates.known(u16_at(m, at::LOCATE))?;
    let is_named = || (symbol == Some(bytes_at(m, at::STOCK))).then_some(());
    let (expected, action) = match m[0] {
        b'A' => {
            is_named()?;
            (36, add(m.first_chunk::<36>()?, None).ok()?)
        }
        b'F' => {
            is_named()?;
            (40, add(m.first_chunk::<40>()?, Some(server(m, directory)?)).ok()?)
        }
        b'E' => (31, executed(m.first_chunk()?).ok()?),
        b'C' => (36, executed_at(m.first_chunk()?).ok()?),
        b'X' => (23, reduce(m.first_chunk()?).ok()?),
        b'D' => (19, cancel(m.first_chunk()?)),
        b'U' => (35, replace(m.first_chunk()?).ok()?),
        b'P' => {
            is_named()?;
            (44, trade(m.first_chunk()?).ok()?)
        }
        _ => return None,
    };
    let is_whole = u16::from_be_bytes(*length) == expected;
    is_whole.then(|| Message { bytes: &m[..usize::from(expected)], issue, action })
}

#[inline(always)]
fn server(m: &[u8; MESSAGE_BYTES_MAX], directory: &Directory) -> Option<ServerIndex> {
    const SPACES: u32 = u32::from_le_bytes(*b"    ");
    let name = u32_le_at(m, at::ATTRIBUTION);
    let length = 4 - (name ^ SPACES).leading_zeros() / 8;
    directory.known_server(ShortName::of_word(name, length))
}
