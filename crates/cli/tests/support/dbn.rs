//! Files as Databento's own encoder writes them.

use dbn::encode::EncodeRecord;
use dbn::encode::dbn::Encoder;
use dbn::{
    FlagSet, MappingInterval, MboMsg, Metadata, RecordHeader, SType, Schema, StatusAction, StatusMsg, SymbolMapping,
    rtype,
};

/// 2024-03-01T00:00:00 in Tokyo, in nanoseconds.
pub const MIDNIGHT: u64 = 1_709_218_800_000_000_000;

pub fn text_bytes(text: &str) -> Vec<i8> {
    text.bytes().map(|byte| byte.cast_signed()).collect()
}

pub struct Writer {
    pub encoder: Encoder<Vec<u8>>,
    pub now: u64,
}

impl Writer {
    pub fn new(version: u8, issues: &[String]) -> Writer {
        let mut metadata = Metadata::builder()
            .version(version)
            .dataset("XTKS.MADEUP")
            .schema(Some(Schema::Mbo))
            .start(MIDNIGHT)
            .stype_in(Some(SType::RawSymbol))
            .stype_out(SType::InstrumentId)
            .build();
        let start_date = metadata.start().date();
        let end_date = start_date.next_day().and_then(|day| day.next_day()).expect("a date");
        metadata.symbols = issues.to_vec();
        let mapping = |(number, issue): (u32, &String)| {
            let intervals = vec![MappingInterval { start_date, end_date, symbol: number.to_string() }];
            SymbolMapping { raw_symbol: issue.clone(), intervals }
        };
        metadata.mappings = (1..).zip(issues).map(mapping).collect();
        let encoder = Encoder::new(Vec::new(), &metadata).expect("a head");
        Writer { encoder, now: 0 }
    }

    pub fn order(&mut self, instrument: u32, action: u8, side: u8, order: u64, (price, size): (i64, u32), last: bool) {
        let mut flags = FlagSet::empty();
        if last {
            flags = flags.set_last();
        }
        let record = MboMsg {
            hd: RecordHeader::new::<MboMsg>(rtype::MBO, 1, instrument, self.now),
            order_id: order,
            price,
            size,
            flags,
            channel_id: 0,
            action: action.cast_signed(),
            side: side.cast_signed(),
            ts_recv: self.now + 1,
            ts_in_delta: 0,
            sequence: 0,
        };
        self.encoder.encode_record(&record).expect("writing to memory");
    }

    pub fn status(&mut self, instrument: u32, action: StatusAction) {
        let record = StatusMsg {
            hd: RecordHeader::new::<StatusMsg>(rtype::STATUS, 1, instrument, self.now),
            ts_recv: self.now + 1,
            action: action as u16,
            ..StatusMsg::default()
        };
        self.encoder.encode_record(&record).expect("writing to memory");
    }
}
