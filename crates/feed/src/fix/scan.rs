//! Bytes to messages and messages to fields, without a dictionary.
//!
//! A message begins at `8=FIX` and ends behind its tag 10. What separates its fields is what stands behind its first: SOH
//! as engines write it, or `|` or `^A` as people do. The value of a data field (one whose length an other field tells) may
//! hold anything, separators too; any other value ends at the separator, and a line's end in it means that the message
//! was cut off.

/// What stands between fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Separator {
    /// One byte: SOH or `|`.
    Byte(u8),
    /// `^A`.
    Caret,
}

impl Separator {
    /// The one at the start of `bytes`.
    fn at(bytes: &[u8]) -> Option<Separator> {
        match bytes {
            [byte @ (1 | b'|'), ..] => Some(Separator::Byte(*byte)),
            [b'^', b'A', ..] => Some(Separator::Caret),
            _ => None,
        }
    }

    /// How many bytes it has at the start of `bytes`, if it is there.
    fn length_at(self, bytes: &[u8]) -> Option<usize> {
        match (self, bytes) {
            (Separator::Byte(byte), [first, ..]) if *first == byte => Some(1),
            (Separator::Caret, [b'^', b'A', ..]) => Some(2),
            _ => None,
        }
    }
}

/// A field: its tag, and where its value stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Field {
    pub(super) tag: u32,
    start: u32,
    end: u32,
}

/// The fields of a message, in its order.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<Field>);

impl Fields {
    /// The value of a tag's first field.
    pub(super) fn get<'m>(&self, message: &'m [u8], tag: u32) -> Option<&'m [u8]> {
        self.0.iter().find(|field| field.tag == tag).map(|field| field.value(message))
    }

    /// All fields with their values.
    pub(super) fn iter<'a>(&'a self, message: &'a [u8]) -> impl Iterator<Item = (u32, &'a [u8])> {
        self.0.iter().map(move |field| (field.tag, field.value(message)))
    }
}

impl Field {
    fn value<'m>(&self, message: &'m [u8]) -> &'m [u8] {
        message.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// What the bytes from the start of a message on hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scanned {
    /// A whole message of so many bytes.
    Whole(usize),
    /// A message that is not one, up to where the next may begin.
    Broken(usize),
    /// It may go on.
    Unfinished,
}

/// What a message begins with.
const START: &[u8] = b"8=FIX";

/// Where the first message from `from` on begins, or may begin if more bytes follow. `after_digit`: whether a digit stood
/// before all bytes, so that an 8 at their start is part of a number.
pub(super) fn start_of(bytes: &[u8], mut from: usize, after_digit: bool, last: bool) -> Option<usize> {
    while let Some(at) = memchr::memchr(b'8', bytes.get(from..)?) {
        let at = from + at;
        let (tail, is_tag) = (&bytes[at..], if at == 0 { !after_digit } else { !bytes[at - 1].is_ascii_digit() });
        let is_start = tail.starts_with(START) || (!last && START.starts_with(tail));
        if is_tag && is_start {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Reads the fields of the message that `bytes` begin with. `last`: no more bytes will follow.
pub(super) fn scan(bytes: &[u8], last: bool, fields: &mut Fields) -> Scanned {
    fields.0.clear();
    let mut at = 0;
    let mut separator = None;
    // The length that the last field tells of a data field, and that field's tag.
    let mut data: Option<(u32, usize)> = None;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((tag, digits)) = tag(rest) else {
            return if rest.len() < TAG_DIGITS_MAX + 1 && !last && rest.iter().all(u8::is_ascii_digit) {
                Scanned::Unfinished
            } else {
                broken(bytes, at, last)
            };
        };
        if tag == 8 && at != 0 {
            return Scanned::Broken(at);
        }
        let start = at + digits + 1;
        let value = bytes.get(start..).unwrap_or_default();
        let length = match (data, separator) {
            (Some((of, count)), Some(separator)) if of == tag => data_length(value, count, separator),
            _ => value_length(value, separator),
        };
        let Some(length) = length else {
            // A checksum may be the last thing of a line, or of all.
            return if last && tag == 10 && separator.is_some() && !value.is_empty() {
                fields.0.push(field(tag, start, bytes.len()));
                Scanned::Whole(bytes.len())
            } else if last {
                broken(bytes, at, last)
            } else {
                Scanned::Unfinished
            };
        };
        let end = start + length;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.';
        if at == 0 && !bytes[start..end].iter().all(is_name) {
            return broken(bytes, at, last);
        }
        fields.0.push(field(tag, start, end));
        let behind = bytes.get(end..).unwrap_or_default();
        if behind == b"^" && !last {
            return Scanned::Unfinished;
        }
        let found = separator.or_else(|| Separator::at(behind)).and_then(|one| Some((one, one.length_at(behind)?)));
        match found {
            Some((_, skipped)) if tag == 10 => return Scanned::Whole(end + skipped),
            Some((one, skipped)) => {
                separator = Some(one);
                at = end + skipped;
            }
            None if tag == 10 => return Scanned::Whole(end),
            None => return broken(bytes, at, last),
        }
        data = data_tag(tag).zip(super::values::count(&bytes[start..end]));
    }
}

fn field(tag: u32, start: usize, end: usize) -> Field {
    let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Field { tag, start: position(start), end: position(end) }
}

/// A message that is none ends where the next begins, or with its line; `from` is where that was seen.
fn broken(bytes: &[u8], from: usize, last: bool) -> Scanned {
    let from = from.max(1);
    let start = start_of(bytes, from, false, last);
    let line_end = memchr::memchr2(b'\n', b'\r', bytes.get(from..).unwrap_or_default()).map(|at| from + at);
    match (start, line_end) {
        (Some(start), Some(end)) if end < start => Scanned::Broken(end),
        (Some(start), _) if bytes[start..].starts_with(START) => Scanned::Broken(start),
        (None, Some(end)) => Scanned::Broken(end),
        _ if last => Scanned::Broken(bytes.len()),
        _ => Scanned::Unfinished,
    }
}

/// Digits of a tag at most.
const TAG_DIGITS_MAX: usize = 9;

/// The tag at the start of `bytes`, and how many digits it has; `=` follows.
fn tag(bytes: &[u8]) -> Option<(u32, usize)> {
    let digits = bytes.iter().take(TAG_DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=TAG_DIGITS_MAX).contains(&digits) || bytes.get(digits) != Some(&b'=') {
        return None;
    }
    let number = bytes[..digits].iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    Some((number, digits))
}

/// The bytes of a value up to its separator, or to a line's end; `None` if neither is there.
fn value_length(value: &[u8], separator: Option<Separator>) -> Option<usize> {
    let is_end = |at: usize| {
        let rest = &value[at..];
        matches!(rest[0], b'\n' | b'\r')
            || match separator {
                Some(separator) => separator.length_at(rest).is_some(),
                None => Separator::at(rest).is_some(),
            }
    };
    (0..value.len()).find(|&at| is_end(at))
}

/// The bytes of a data field of so many characters: written as `^A`, a separator inside is one character.
fn data_length(value: &[u8], count: usize, separator: Separator) -> Option<usize> {
    if separator != Separator::Caret {
        return (count < value.len()).then_some(count);
    }
    let mut at = 0;
    for _ in 0..count {
        at += separator.length_at(value.get(at..)?).unwrap_or(1);
    }
    (at < value.len()).then_some(at)
}

/// The data field whose length a field tells.
fn data_tag(length_tag: u32) -> Option<u32> {
    Some(match length_tag {
        90 => 91,
        93 => 89,
        95 => 96,
        212 => 213,
        348 => 349,
        350 => 351,
        352 => 353,
        354 => 355,
        356 => 357,
        358 => 359,
        360 => 361,
        362 => 363,
        364 => 365,
        445 => 446,
        618 => 619,
        621 => 622,
        1184 => 1185,
        1277 => 1278,
        1280 => 1281,
        1282 => 1283,
        1397 => 1398,
        1401 => 1402,
        1404 => 1403,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> (Scanned, Vec<(u32, String)>) {
        let mut fields = Fields::default();
        let scanned = scan(bytes, true, &mut fields);
        let text = |(tag, value): (u32, &[u8])| (tag, String::from_utf8_lossy(value).into_owned());
        (scanned, fields.iter(bytes).map(text).collect())
    }

    #[test]
    fn fields_are_separated_as_the_first_is() {
        for separator in ["\u{1}", "|", "^A"] {
            let text = ["8=FIX.4.4", "9=5", "35=8", "58=a=b", "10=001"].join(separator);
            for end in [separator, "\n", "\r\n", ""] {
                let message = format!("{text}{end}");
                let (scanned, fields) = fields(message.as_bytes());
                let whole = text.len() + if end == separator { end.len() } else { 0 };
                assert_eq!(scanned, Scanned::Whole(whole), "{message:?}");
                assert_eq!(fields.len(), 5);
                assert_eq!(fields[3], (58, "a=b".to_owned()));
            }
        }
    }

    #[test]
    fn a_data_field_may_hold_separators_line_ends_and_messages() {
        for separator in ["\u{1}", "|", "^A"] {
            let data = format!("x{separator}8=FIX.4.4{separator}\n10=1{separator}");
            let count = 1 + 1 + 9 + 1 + 1 + 4 + 1;
            let text =
                format!("8=FIX.4.4{separator}95={count}{separator}96={data}{separator}37=O{separator}10=1{separator}");
            let (scanned, fields) = fields(text.as_bytes());
            assert_eq!(scanned, Scanned::Whole(text.len()), "{text:?}");
            assert_eq!(fields[3], (37, "O".to_owned()));
            assert_eq!(fields[2], (96, data));
        }
    }

    #[test]
    fn what_is_no_message_ends_where_the_next_begins() {
        for broken in ["8=FIX.4.4|35=8|37=1", "8=FIX.4.4|35=8|x|", "8=FIX.4.4 ", "8=FIX.4.4|35=8|95=9|96=1|"] {
            for line_end in ["", "\n"] {
                let text = format!("{broken}{line_end}8=FIX.4.4|10=1|");
                if line_end.is_empty() && broken.ends_with('1') {
                    continue;
                }
                assert_eq!(fields(text.as_bytes()).0, Scanned::Broken(broken.len()), "{text:?}");
            }
        }
        assert_eq!(start_of(b"2024 : 18=FIX 8=FIX", 0, false, true), Some(14));
        assert_eq!((start_of(b"8=FIX", 0, true, true), start_of(b"8=FIX", 0, false, true)), (None, Some(0)));
        assert_eq!((start_of(b"noise 8=F", 0, false, false), start_of(b"noise 8=F", 0, false, true)), (Some(6), None));
    }

    #[test]
    fn a_message_that_goes_on_is_not_judged_yet() {
        let text = b"8=FIX.4.4^A9=5^A35=8^A95=3^A96=^A^A1^A10=001^A";
        for length in 1..text.len() - 2 {
            let mut fields = Fields::default();
            let scanned = scan(&text[..length], false, &mut fields);
            assert_eq!(scanned, Scanned::Unfinished, "{length}: {:?}", String::from_utf8_lossy(&text[..length]));
        }
    }
}
