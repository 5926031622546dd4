//! `quoteclock generate`: made-up trading days with their registry.

use crate::target::Target;
use crate::{BadUsage, Outcome, output};
use anyhow::{Context, Result};
use clap::ValueEnum;
use jiff::civil::Date;
use quoteclock_feed::binary::{BinaryWriter, Header};
use quoteclock_feed::csv::CsvWriter;
use quoteclock_feed::itch::ItchWriter;
use quoteclock_feed::{EventWriter, TradingDate, UtcOffset};
use quoteclock_generate::{Load, Options, Summary, generate, registry};
use quoteclock_model::Timestamp;
use quoteclock_rules::{Registry, SourceFile};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Make up trading days with their registry: realistic, valid, the same for the same seed on every machine.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock generate --out made-up
  quoteclock generate --load tse-etf --events 50M --form binary --out made-up
  quoteclock generate --month 2024-03 --events 200k --out march
  quoteclock generate --load us-market --form itch --events 10M --out - | wc -c

--out DIR holds the registry in DIR/registry and each day beside it. --out - writes one day's events to standard output.")]
pub(crate) struct GenerateArgs {
    /// Folder to write to; - for the events alone on standard output
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Size and style of the market
    #[arg(long, value_name = "LOAD", default_value = "small", value_parser = ["small", "tse-etf", "us-market"])]
    load: String,

    /// Events a day, such as 100000, 250k, 50M or 1G
    #[arg(long, value_name = "N", value_parser = number)]
    events: Option<u64>,

    /// What all randomness comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Trading date
    #[arg(long, value_name = "DATE", conflicts_with = "month")]
    date: Option<Date>,

    /// All weekdays of a month, such as 2024-03, less --holiday
    #[arg(long, value_name = "MONTH", value_parser = first_of_month)]
    month: Option<Date>,

    /// A weekday without trading; may be given several times
    #[arg(long = "holiday", value_name = "DATE")]
    holidays: Vec<Date>,

    /// Number of issues
    #[arg(long, value_name = "N")]
    issues: Option<u32>,

    /// Number of market makers
    #[arg(long, value_name = "N")]
    market_makers: Option<u32>,

    /// Form of the events; us-market is itch or binary
    #[arg(long, value_name = "FORM")]
    form: Option<GenerateForm>,

    /// Write the files anew if they are there
    #[arg(long)]
    force: bool,
}

/// A form that `generate` writes.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum GenerateForm {
    Csv,
    Binary,
    Itch,
}

/// Runs the command.
pub(crate) fn run(args: &GenerateArgs) -> Result<Outcome> {
    let options = options(args)?;
    let days = if args.month.is_some() { options.month() } else { vec![options.clone()] };
    let files = registry(&options);
    let zone = Zone::of(&files)?;
    if args.out == Path::new("-") {
        let [day] = &days[..] else {
            return Err(BadUsage("--out - takes one day, expected --date instead of --month".to_owned()).into());
        };
        write_day(
            day,
            form(args, &options),
            &zone,
            BufWriter::new(output::stdout().context("writing to standard output")?),
        )?;
        return Ok(Outcome::Done);
    }
    let folder = args.out.join("registry");
    refuse_to_overwrite(args, &folder)?;
    fs::create_dir_all(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
    for (name, text) in &files {
        Target::of(&folder.join(name))?.write(|to| Ok(to.write_all(text.as_bytes())?))?;
    }
    let mut text = format!("{}: {} files\n", folder.display(), files.len());
    for day in &days {
        let path = args.out.join(file_name(day.date, form(args, &options)));
        refuse_to_overwrite(args, &path)?;
        let summary = Target::of(&path)?
            .write(|to| write_day(day, form(args, &options), &zone, to))
            .with_context(|| format!("writing {}", path.display()))?;
        text.push_str(&format!(
            "{}: {} events, at most {} live orders\n",
            path.display(),
            summary.events,
            summary.live_orders_max
        ));
    }
    output::print(&text)?;
    Ok(Outcome::Done)
}

fn options(args: &GenerateArgs) -> Result<Options> {
    let load: Load = args.load.parse().map_err(BadUsage)?;
    let defaults = Options::new(load);
    let options = Options {
        events: args.events.unwrap_or(defaults.events),
        seed: args.seed,
        date: args.month.or(args.date).unwrap_or(defaults.date),
        issues: args.issues.unwrap_or(defaults.issues),
        market_makers: args.market_makers.unwrap_or(defaults.market_makers),
        itch: defaults.itch || form(args, &defaults) == GenerateForm::Itch,
        holidays: args.holidays.clone(),
        ..defaults
    };
    if form(args, &options) == GenerateForm::Csv && options.itch {
        let problem =
            "us-market leaves the prices of trades to their orders, which CSV cannot: expected --form itch or binary";
        return Err(BadUsage(problem.to_owned()).into());
    }
    Ok(options)
}

/// The form asked for, or the one that suits the load.
fn form(args: &GenerateArgs, options: &Options) -> GenerateForm {
    let suitable = if options.load == Load::UsMarket { GenerateForm::Itch } else { GenerateForm::Csv };
    args.form.unwrap_or(suitable)
}

fn file_name(date: Date, form: GenerateForm) -> String {
    match form {
        GenerateForm::Csv => format!("{date}.csv"),
        GenerateForm::Binary => format!("{date}.qcev"),
        GenerateForm::Itch => format!("{}.NASDAQ_ITCH50", date.strftime("%m%d%Y")),
    }
}

fn refuse_to_overwrite(args: &GenerateArgs, path: &Path) -> Result<()> {
    if path.exists() && !args.force {
        return Err(BadUsage(format!("{} is there already, expected another --out, or --force", path.display())).into());
    }
    Ok(())
}

fn write_day(options: &Options, form: GenerateForm, zone: &Zone, to: impl Write) -> Result<Summary> {
    let (midnight, offset) = zone.day(options.date)?;
    match form {
        GenerateForm::Csv => write_with(options, CsvWriter::new(to, true, offset)),
        GenerateForm::Itch => write_with(options, ItchWriter::new(to, midnight)),
        GenerateForm::Binary => {
            let part = |number: i8| number.unsigned_abs();
            let date = options.date;
            let date = TradingDate::new(date.year().unsigned_abs(), part(date.month()), part(date.day()));
            let date = date.context("a date of the years 0 to 9999 is expected")?;
            write_with(options, BinaryWriter::new(to, &Header { date, offset, has_sequence: true }))
        }
    }
}

fn write_with(options: &Options, mut writer: impl EventWriter) -> Result<Summary> {
    let summary = generate(options, &mut writer).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => anyhow::Error::from(BadUsage(error.to_string())),
        _ => error.into(),
    })?;
    writer.finish()?;
    Ok(summary)
}

/// The zone of the generated market, by its own registry.
struct Zone(Registry);

impl Zone {
    fn of(files: &[(String, String)]) -> Result<Zone> {
        let sources: Vec<SourceFile> = files
            .iter()
            .map(|(name, text)| SourceFile { name: name.clone(), bytes: text.clone().into_bytes() })
            .collect();
        Registry::load(&sources).registry.map(Zone).context("the generated registry is wrong: please report this")
    }

    /// The first instant of a date, and the offset from UTC then.
    fn day(&self, date: Date) -> Result<(Timestamp, UtcOffset)> {
        let plan = self.0.plan(date)?;
        let midnight = jiff::Timestamp::from_microsecond(plan.day.start.as_micros())?;
        let minutes = plan.zone.to_offset(midnight).seconds() / 60;
        let offset = UtcOffset::from_minutes(i16::try_from(minutes)?).context("an offset of less than a day")?;
        Ok((plan.day.start, offset))
    }
}

/// `250k`, `50M`, `1G` or plain digits.
fn number(text: &str) -> Result<u64, String> {
    let wrong = || format!("found \"{text}\", expected a whole number such as 100000, 250k, 50M or 1G");
    let (digits, scale) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1_000_000),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(scale).ok_or_else(wrong)
}

/// `2024-03`.
fn first_of_month(text: &str) -> Result<Date, String> {
    format!("{text}-01").parse().map_err(|_| format!("found \"{text}\", expected a month such as 2024-03"))
}
