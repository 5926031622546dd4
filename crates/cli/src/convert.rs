//! `quoteclock convert`: events of one form written in another.

use crate::beside::BesideArgs;
use crate::remote::{self, Kind, Outputs};
use crate::target::{Target as Output, refuse_inputs, refuse_own_output};
use crate::{BadUsage, Outcome, coverage, terminal};
use anyhow::Result;
use clap::ValueEnum;
use jiff::civil::Date;
use jiff::tz::TimeZoneDatabase;
use quoteclock::{Compressed, target_of_name};
use quoteclock_model::{IssueCode, Timestamp};
use quoteclock_replay::{Beside, ConvertError, ConvertOptions, Input, Target, convert};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Write events of one form in another, whole or an excerpt.
///
/// The input's form is recognised by its content: CSV, the binary form, NASDAQ ITCH 5.0, FIX or DBN, plain or compressed. The
/// output's is told by its name: .csv or .qcev (the binary form), and .gz or .zst behind it to compress.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  quoteclock convert 2024-03-01.csv.gz 2024-03-01.qcev
  quoteclock convert 01302020.NASDAQ_ITCH50.gz 2020-01-30.csv.zst
  quoteclock convert --issue 1306 --from 2024-03-01T10:00:00+09:00 --to 2024-03-01T10:05:00+09:00 2024-03-01.qcev -
  quoteclock convert --also phases-20240301.csv:phases 20240301.messages.log 2024-03-01.qcev

An excerpt that begins in mid-day begins with the orders that rest then, and numbers its records anew, so that it replays \
by itself; so does what several inputs become. - as output writes CSV to standard output.")]
pub(crate) struct ConvertArgs {
    /// Events to read; - for standard input
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// File to write; - for standard output
    #[arg(value_name = "OUT")]
    output: PathBuf,

    /// Only this issue, and what concerns the whole market
    #[arg(long, value_name = "CODE")]
    issue: Option<String>,

    /// Only from this time on, such as 2024-03-01T10:00:00+09:00
    #[arg(long, value_name = "TIME")]
    from: Option<jiff::Timestamp>,

    /// Only before this time
    #[arg(long, value_name = "TIME")]
    to: Option<jiff::Timestamp>,

    /// Only so many records
    #[arg(long, value_name = "N")]
    limit: Option<u64>,

    /// Trading date, where the input does not tell it
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,

    /// Zone of an ITCH file, whose times count from local midnight
    #[arg(long, value_name = "ZONE", default_value = "America/New_York")]
    timezone: String,

    /// Write this form, whatever the output's name says
    #[arg(long, value_name = "FORM")]
    form: Option<ConvertForm>,

    #[command(flatten)]
    beside: BesideArgs,

    /// With --also: sequence numbers of an input must rise, but not by exactly one; the output's are given anew
    #[arg(long, requires = "also")]
    allow_gaps: bool,
}

/// A form that `convert` writes.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum ConvertForm {
    Csv,
    Binary,
}

/// Runs the command.
pub(crate) fn run(args: &ConvertArgs) -> Result<Outcome> {
    if !remote::is_object(&args.output)? {
        return run_here(args);
    }
    if args.beside.files().chain([args.input.clone()]).any(|input| input == args.output) {
        let problem = format!("{} is to be read and to be written, expected another name", args.output.display());
        return Err(BadUsage(problem).into());
    }
    let mut outputs = Outputs::default();
    let outcome = run_here(&ConvertArgs { output: outputs.make(&args.output, Kind::File)?, ..args.clone() })?;
    outputs.put()?;
    Ok(outcome)
}

fn run_here(args: &ConvertArgs) -> Result<Outcome> {
    let options = options(args)?;
    args.beside.check(std::slice::from_ref(&args.input))?;
    let input = remote::input(&args.input)?;
    let output = output(args, &input, &options)?;
    let Some(opened) = args.beside.open()? else { return Ok(Outcome::BadInput) };
    let options = ConvertOptions { beside: opened, ..options };
    let sizes = args.beside.inputs()?.iter().map(Input::size).fold(input.size(), |all, size| Some(all? + size?));
    let bar = terminal::progress_bar(sizes);
    let progress = |bytes| terminal::advance(&bar, bytes);
    let mut unseen = Vec::new();
    let result = output.write(|to| {
        let mut to = Compressed::new(to, &args.output).map_err(ConvertError::Write)?;
        unseen = convert(&input, &options, &mut to, &progress).map_err(told)?.unseen;
        Ok(to.finish().map_err(ConvertError::Write)?)
    });
    bar.finish_and_clear();
    result?;
    coverage::unseen(&unseen).iter().for_each(|text| terminal::print_warning(text));
    Ok(Outcome::Done)
}

/// Orders of one issue in two inputs are bad usage.
fn told(error: ConvertError) -> anyhow::Error {
    match error {
        ConvertError::OrdersTwice { .. } => BadUsage(error.to_string()).into(),
        error => error.into(),
    }
}

/// Where to write to, if that makes sense.
fn output(args: &ConvertArgs, input: &Input, options: &ConvertOptions) -> Result<Output> {
    let inputs: Vec<Input> = std::iter::once(input.clone()).chain(args.beside.inputs()?).collect();
    let output = if args.output == Path::new("-") {
        Output::Stdout
    } else {
        let sheets: Vec<PathBuf> = args.beside.files().collect();
        refuse_inputs(std::slice::from_ref(&args.output), &inputs, &sheets)?;
        Output::of(&args.output)?
    };
    if output == Output::Stdout {
        refuse_own_output(&inputs)?;
        if options.target == Target::Binary && std::io::stdout().is_terminal() {
            return Err(BadUsage("the binary form is not for a terminal: give a file, or a pipe".to_owned()).into());
        }
    }
    Ok(output)
}

fn options(args: &ConvertArgs) -> Result<ConvertOptions> {
    let zone = TimeZoneDatabase::bundled().get(&args.timezone).map_err(|_| {
        BadUsage(format!("--timezone: found \"{}\", expected a zone such as America/New_York", args.timezone))
    })?;
    let issue = match &args.issue {
        None => None,
        Some(code) => Some(IssueCode::new(code.as_bytes()).ok_or_else(|| {
            BadUsage(format!("--issue: found \"{code}\", expected the code of an issue, such as 1306"))
        })?),
    };
    if let (Some(from), Some(to)) = (args.from, args.to)
        && to <= from
    {
        return Err(BadUsage(format!("--to {to} is not after --from {from}, expected a later time")).into());
    }
    let instant = |time: jiff::Timestamp| Timestamp::from_micros(time.as_microsecond());
    Ok(ConvertOptions {
        target: target(args)?,
        date: args.date,
        zone,
        issue,
        from: args.from.map(instant),
        to: args.to.map(instant),
        limit: args.limit,
        beside: Beside::default(),
        allow_gaps: args.allow_gaps,
    })
}

/// The form to write: as asked for, or as the output's name says.
fn target(args: &ConvertArgs) -> Result<Target> {
    match args.form {
        Some(ConvertForm::Csv) => return Ok(Target::Csv),
        Some(ConvertForm::Binary) => return Ok(Target::Binary),
        None => {}
    }
    match target_of_name(&args.output) {
        Ok(target) => Ok(target),
        Err(_) if args.output == Path::new("-") => Ok(Target::Csv),
        // A device, or standard output by another name, is as good as a dash.
        Err(_) if !matches!(Output::of(&args.output)?, Output::File(_)) => Ok(Target::Csv),
        Err(problem) => Err(BadUsage(format!("{problem} (or --form)")).into()),
    }
}
