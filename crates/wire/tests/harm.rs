//! No bytes from outside do harm, and every cut of them says the same.

#[path = "harm/mod.rs"]
mod checks;

use proptest::prelude::*;

proptest! {
    #[test]
    fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        checks::check(&bytes);
    }

    #[test]
    fn packets_of_any_kind_do_no_harm(
        packets in proptest::collection::vec(
            (proptest::sample::select(b"SUAJHZ+RLO?".to_vec()), proptest::collection::vec(b' '..b'~', 0..40)),
            0..12,
        ),
    ) {
        let mut bytes = b"\x00\x1fAS                            1".to_vec();
        for (letter, contents) in packets {
            bytes.extend_from_slice(&u16::try_from(contents.len() + 1).expect("short").to_be_bytes());
            bytes.push(letter);
            bytes.extend_from_slice(&contents);
        }
        checks::check(&bytes);
    }
}
