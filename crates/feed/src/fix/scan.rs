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
    // The length that the last field tells of this one.
    let mut data: Option<usize> = None;
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
            (Some(count), Some(separator)) => data_length(value, count, separator),
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
        let is_length = LENGTH_TAGS.binary_search(&tag).is_ok();
        data = is_length.then(|| super::values::count(&bytes[start..end])).flatten();
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

/// The fields that tell the length of the data field that follows them, in FIX 4.0 to 5.0 SP2.
const LENGTH_TAGS: [u32; 83] = [
    90, 93, 95, 212, 348, 350, 352, 354, 356, 358, 360, 362, 364, 445, 618, 621, 1184, 1277, 1280, 1282, 1397, 1401,
    1403, 1468, 1525, 1578, 1620, 1664, 1678, 1733, 1871, 1874, 2072, 2074, 2111, 2179, 2287, 2351, 2372, 2481, 2494,
    2522, 2637, 2651, 2665, 2715, 2718, 2721, 2797, 2802, 2809, 2815, 40004, 40008, 40978, 40980, 40982, 40984, 40986,
    40988, 41083, 41101, 41107, 41256, 41320, 41324, 41458, 41476, 41482, 41653, 41710, 41806, 41811, 41873, 41969,
    42025, 42171, 42451, 42652, 42947, 43109, 43110, 43111,
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    /// What an engine's tokenizer makes of the same bytes: the fields of each whole message.
    fn by_engine(bytes: &[u8]) -> Vec<Vec<(u32, String)>> {
        let mut stream = refix_message::MessageStream::default();
        stream.feed(bytes);
        let mut messages = Vec::new();
        loop {
            match stream.next_message() {
                refix_message::stream::Outcome::Message(message) => {
                    let text = |(tag, value): (refix_message::Tag, &[u8])| {
                        (tag.0, String::from_utf8_lossy(value).into_owned())
                    };
                    messages.push(message.entries().map(text).collect());
                }
                refix_message::stream::Outcome::Garbled { .. } => {}
                refix_message::stream::Outcome::Incomplete => return messages,
            }
        }
    }

    /// The same by this scanner.
    fn by_scanner(bytes: &[u8]) -> Vec<Vec<(u32, String)>> {
        let (mut messages, mut at) = (Vec::new(), 0);
        while let Some(start) = start_of(bytes, at, false, true) {
            let (scanned, found) = fields(&bytes[start..]);
            at = start
                + match scanned {
                    Scanned::Whole(length) => {
                        messages.push(found);
                        length
                    }
                    Scanned::Broken(length) => length,
                    Scanned::Unfinished => unreachable!("nothing follows"),
                };
        }
        messages
    }

    /// A field: an ordinary one, or one of data behind its length.
    fn any_field() -> impl Strategy<Value = String> {
        let data = prop::sample::select(vec![(95, 96), (354, 355), (1401, 1402), (1403, 1404), (2179, 2180)]);
        prop_oneof![
            3 => (11_u32..80, "[ -~]{1,12}").prop_map(|(tag, value)| format!("{tag}={value}\u{1}")),
            1 => (data, "[a-z=\u{1}\n]{1,9}|8=FIX.4.4\u{1}9=5\u{1}|\u{1}10=000\u{1}").prop_map(|((length, tag), value)| {
                format!("{length}={}\u{1}{tag}={value}\u{1}", value.len())
            }),
        ]
    }

    /// A message with its length and checksum as an engine wants them.
    fn any_message() -> impl Strategy<Value = String> {
        prop::collection::vec(any_field(), 0..12).prop_map(|fields| {
            let body = format!("35=8\u{1}{}", fields.concat());
            let text = format!("8=FIX.4.4\u{1}9={}\u{1}{body}", body.len());
            let sum = text.bytes().fold(0_u8, u8::wrapping_add);
            format!("{text}10={sum:03}\u{1}")
        })
    }

    proptest! {
        #[test]
        fn messages_have_the_fields_that_an_engine_finds(
            messages in prop::collection::vec(("[a-zA-Z :.,-]{0,20}|20240301-00:00:00[.]000 : ", any_message(), "\n|\r\n|"), 0..6)
        ) {
            let log: String = messages.iter().map(|(prefix, message, end)| format!("{prefix}{message}{end}")).collect();
            let found = by_scanner(log.as_bytes());
            prop_assert_eq!(found.len(), messages.len());
            prop_assert_eq!(found, by_engine(log.as_bytes()));
        }
    }
}
