//! Generated days in memory, in each form.

use quoteclock_feed::binary::{BinaryDecoder, BinaryWriter, Header};
use quoteclock_feed::csv::{CsvDecoder, CsvWriter};
use quoteclock_feed::itch::{ItchDecoder, ItchWriter};
use quoteclock_feed::{EventWriter, FeedError, RawRecord, Receiver, Stop, TradingDate, UtcOffset};
use quoteclock_generate::{Options, generate, registry};
use quoteclock_model::{IssueCode, IssueIndex, Record, ServerIndex, Timestamp};
use quoteclock_rules::{DayPlan, Registry, SourceFile};

/// The form of an input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// ITCH 5.0, framed as in the exchange's files.
    Itch,
    /// The binary form, with the events of the ITCH day.
    Binary,
    /// CSV, with the events that ITCH cannot say, and the prices of trades that it leaves to their orders.
    Csv,
}

/// A generated day in memory.
pub struct Input {
    /// Its form.
    pub form: Form,
    /// What it was made of.
    pub options: Options,
    /// Its registry.
    pub registry: Registry,
    /// Its events.
    pub bytes: Vec<u8>,
    midnight: Timestamp,
}

impl Input {
    /// A day in a form.
    ///
    /// # Panics
    /// If the day cannot be generated or its registry is wrong: both are ours.
    pub fn new(form: Form, options: &Options) -> Input {
        let options = Options { itch: form != Form::Csv, ..options.clone() };
        let registry = registry_of(&options);
        let plan = registry.plan(options.date).expect("a date of our time");
        let mut bytes = Vec::new();
        match form {
            Form::Itch => write(&options, ItchWriter::new(&mut bytes, plan.day.start)),
            Form::Binary => write(&options, BinaryWriter::new(&mut bytes, &header(&plan))),
            Form::Csv => write(&options, CsvWriter::new(&mut bytes, true, header(&plan).offset)),
        }
        Input { form, options, registry, bytes, midnight: plan.day.start }
    }

    /// A day whose bytes are at hand.
    ///
    /// # Panics
    /// If the date cannot be measured.
    pub fn from_bytes(form: Form, options: Options, registry: Registry, bytes: Vec<u8>) -> Input {
        let midnight = registry.plan(options.date).expect("a date that can be measured").day.start;
        Input { form, options, registry, bytes, midnight }
    }

    /// A day in the exchange's file form of ITCH.
    ///
    /// # Panics
    /// As [`Input::new`].
    pub fn itch(options: &Options) -> Input {
        Input::new(Form::Itch, options)
    }

    /// The same day in the binary form.
    ///
    /// # Panics
    /// As [`Input::new`].
    pub fn binary(options: &Options) -> Input {
        Input::new(Form::Binary, options)
    }

    /// What is measured on the day.
    ///
    /// # Panics
    /// Never: the date is of our time.
    pub fn plan(&self) -> DayPlan {
        self.registry.plan(self.options.date).expect("a date of our time")
    }

    /// The first instant of the day.
    pub fn midnight(&self) -> Timestamp {
        self.midnight
    }

    /// Pushes all bytes through the form's decoder: the binary form whole, which is read in place, others in chunks.
    ///
    /// # Errors
    /// Those of the decoder.
    pub fn decode(&self, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        const CHUNK_BYTES: usize = 1 << 18;
        macro_rules! push_all {
            ($decoder:expr, $chunk_bytes:expr) => {{
                let mut decoder = $decoder;
                for chunk in self.bytes.chunks($chunk_bytes) {
                    decoder.push(chunk, receiver)?;
                }
                decoder.finish(receiver)
            }};
        }
        match self.form {
            Form::Itch => push_all!(ItchDecoder::new(self.midnight), CHUNK_BYTES),
            Form::Binary => push_all!(BinaryDecoder::default(), self.bytes.len()),
            Form::Csv => push_all!(CsvDecoder::default(), CHUNK_BYTES),
        }
    }

    /// The name of a file that holds it.
    pub fn file_name(&self) -> String {
        match self.form {
            Form::Itch => self.options.date.strftime("%m%d%Y.NASDAQ_ITCH50").to_string(),
            Form::Binary => format!("{}.qcev", self.options.date),
            Form::Csv => format!("{}.csv", self.options.date),
        }
    }
}

fn registry_of(options: &Options) -> Registry {
    let files: Vec<SourceFile> =
        registry(options).into_iter().map(|(name, text)| SourceFile { name, bytes: text.into_bytes() }).collect();
    let loaded = Registry::load(&files);
    loaded.registry.unwrap_or_else(|| panic!("{:?}", loaded.findings))
}

fn header(plan: &DayPlan) -> Header {
    let part = |number: i8| number.unsigned_abs();
    let date = TradingDate::new(plan.date.year().unsigned_abs(), part(plan.date.month()), part(plan.date.day()));
    let midnight = jiff::Timestamp::from_microsecond(plan.day.start.as_micros()).expect("a time of our time");
    let minutes = i16::try_from(plan.zone.to_offset(midnight).seconds() / 60).ok();
    let offset = minutes.and_then(UtcOffset::from_minutes).expect("an offset of less than a day");
    Header { date: date.expect("a date of our time"), offset, has_sequence: true }
}

fn write(options: &Options, mut writer: impl EventWriter) {
    generate(options, &mut writer).expect("a day that the form can say");
    writer.finish().expect("writing to memory");
}

/// Decoded records in memory, with the names that go with them.
#[derive(Default)]
pub struct Records {
    /// Issues as they were announced.
    pub issues: Vec<(IssueIndex, IssueCode)>,
    /// Servers as they were announced, in order of their index.
    pub servers: Vec<String>,
    /// The records.
    pub records: Vec<Record>,
}

impl Records {
    /// Those of `input`.
    ///
    /// # Panics
    /// If the input is bad.
    pub fn of(input: &Input) -> Records {
        let mut records = Records::default();
        input.decode(&mut records).expect("good input");
        records
    }
}

impl Receiver for Records {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.issues.push((index, code.clone()));
    }

    fn server(&mut self, _: ServerIndex, name: &str) {
        self.servers.push(name.to_owned());
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let (Some(ts_event), Ok(event)) = (record.ts_event, &record.event) else { return Err(Stop) };
        self.records.push(Record { ts_event, event: *event });
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Err(Stop)
    }
}
