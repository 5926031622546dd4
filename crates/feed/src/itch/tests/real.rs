//! What the exchange itself published, read where it is at hand.

use super::*;
use flate2::read::MultiGzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A file of real data, decompressed; `None`, and a word about it, where there is none.
fn real(name: &str) -> Option<Vec<u8>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = manifest.ancestors().map(|folder| folder.join("shared/data/nasdaq-itch50").join(name));
    let Some(path) = paths.into_iter().find(|path| path.is_file()) else {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("skipped: shared/data/nasdaq-itch50/{name} is not here\n"),
        );
        return None;
    };
    let mut bytes = Vec::new();
    MultiGzDecoder::new(File::open(path).expect("readable")).read_to_end(&mut bytes).expect("sound");
    Some(bytes)
}

/// Counts what a stream holds.
#[derive(Default, PartialEq, Eq, Debug)]
struct Census {
    records: BTreeMap<char, u64>,
    malformed: Vec<String>,
    issue_count: usize,
    servers: BTreeSet<String>,
}

impl Receiver for Census {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {
        self.issue_count += 1;
    }

    fn server(&mut self, _: ServerIndex, name: &str) {
        self.servers.insert(name.to_owned());
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        *self.records.entry(char::from(record.bytes[0])).or_default() += 1;
        if let Err(malformed) = &record.event {
            self.malformed.push(format!("{}: {malformed}", record.place));
        }
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        panic!("no message is too long to be held")
    }
}

fn census(stream: &[u8], size: usize) -> (Census, u64) {
    let (mut decoder, mut census) = (ItchDecoder::new(MIDNIGHT), Census::default());
    for chunk in stream.chunks(size) {
        decoder.push(chunk, &mut census).expect("the census takes everything");
    }
    let passed_over_count = decoder.passed_over_count();
    decoder.finish(&mut census).expect("the census takes everything");
    (census, passed_over_count)
}

#[test]
fn every_message_before_the_market_opens_is_well_formed() {
    let Some(stream) = real("12302019-premarket.NASDAQ_ITCH50.gz") else { return };
    assert!(looks_like_itch(&stream[..64]));
    let (census, passed_over_count) = census(&stream, 1 << 16);
    assert_eq!(census.malformed, Vec::<String>::new());
    let expected = [('A', 5609), ('D', 2658), ('E', 13), ('F', 36), ('H', 8897), ('P', 3), ('U', 331), ('X', 1453)];
    assert_eq!(census.records, BTreeMap::from(expected));
    assert_eq!(census.records.values().sum::<u64>() + passed_over_count, 251_837);
    assert_eq!(census.issue_count, 8906);
    assert_eq!(census.servers, BTreeSet::from(["LEHM".to_owned()]));
}

#[test]
fn every_message_of_the_opening_is_well_formed_though_taken_up_in_the_middle() {
    let Some(stream) = real("12302019-open-slice.NASDAQ_ITCH50.gz") else { return };
    assert!(looks_like_itch(&stream[..64]));
    let whole = census(&stream, usize::MAX);
    let (counted, passed_over_count) = &whole;
    assert_eq!(counted.malformed, Vec::<String>::new());
    let expected =
        [('A', 367), ('C', 1), ('D', 167), ('E', 28), ('F', 193), ('P', 4), ('Q', 2), ('S', 1), ('U', 225), ('X', 6)];
    assert_eq!(counted.records, BTreeMap::from(expected));
    assert_eq!(*passed_over_count, 6, "four imbalances and two auctions without shares");
    assert_eq!(counted.servers.len(), 34);
    for size in [1, 7, 1000] {
        assert_eq!(census(&stream, size), whole, "{size}");
    }
}
