//! `quoteclock merge`: the parts of days that shards have measured, made whole.

use crate::registry::{self, Ready, RegistryArgs};
use crate::remote::{Kind, Outputs};
use crate::staging::{self, Forms, Parts, Staging};
use crate::stored_day;
use crate::target::{folder_of, refuse_inputs};
use crate::{Outcome, month, output, publication, scratch, terminal};
use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use quoteclock_replay::Input;
use quoteclock_store::{DayBatch, Store, StoreError, merge_as};
use std::path::{Path, PathBuf};

/// Make days of the parts that the shards of `replay --shard` have measured.
///
/// A merged day is the one that a single replay of the whole input gives, row for row.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  quoteclock merge --db market.db part-0.db part-1.db part-2.db part-3.db
  quoteclock merge --db market.db --registry registry --out results part-*.db
  quoteclock merge --db market.db s3://market/part-0.db s3://market/part-1.db

Of each date there has to be the part of every shard, once, all measured from one input under one registry by one version \
of the program: otherwise what is missing or differs is named, and nothing is written.
Exits with 3 if records of a day were set aside (replay --lenient).")]
pub(crate) struct MergeArgs {
    /// Database for the days (SQLite); made if it is not there, and a day that was there is replaced
    #[arg(long, value_name = "FILE")]
    db: PathBuf,

    /// Folder for daily.csv, breaches.csv and outages.csv of the days; made if it is not there
    #[arg(long, value_name = "DIR", requires = "registry")]
    out: Option<PathBuf>,

    /// Folder of the registry that the parts were measured under
    #[arg(long, value_name = "DIR")]
    registry: Option<PathBuf>,

    /// A ready scheme in place of the folder's scheme.toml (`quoteclock schemes` lists them)
    #[arg(long, value_name = "NAME", value_parser = registry::ready, requires = "registry")]
    scheme: Option<Ready>,

    /// Files that `replay --shard I/N --db FILE` has written
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &MergeArgs) -> Result<Outcome> {
    let names = staging::names(false, false);
    let (typed, mut remote) = (args.out.clone(), Outputs::default());
    let stale = staging::stale(&names).into_iter().map(str::to_owned).collect();
    let out = args.out.as_ref().map(|out| remote.make(out, Kind::Folder { stale })).transpose()?;
    let args = &MergeArgs { out, ..args.clone() };
    let mut outputs = vec![args.db.clone()];
    outputs.extend(typed.iter().flat_map(|out| names.iter().map(|name| out.join(name))));
    let inputs: Vec<Input> = args.parts.iter().map(|part| Input::File(part.clone())).collect();
    let sources = args.registry.as_deref().map(registry::files).unwrap_or_default();
    refuse_inputs(&outputs, &inputs, &sources)?;
    if let Some(out) = &args.out {
        publication::look(out, &names, &staging::stale(&names))?;
    }
    if args.db.exists() {
        Store::create(&args.db)?;
    }
    let registry = match args.registry.clone().map(|folder| RegistryArgs { folder, scheme: args.scheme }) {
        Some(source) => match registry::open(&source)? {
            None => return Ok(Outcome::BadInput),
            registry => registry,
        },
        None => None,
    };
    let forms = Forms { csv: args.out.is_some(), json: false, parquet: false };
    let staging = Staging::new(Some(args.out.as_deref().unwrap_or(folder_of(&args.db))), forms)?;
    let copies = crate::remote::copies(&args.parts)?;
    let parts = copies.as_ref().map_or(&args.parts, |copies| &copies.paths);
    let named: Vec<(PathBuf, PathBuf)> = parts.iter().cloned().zip(args.parts.iter().cloned()).collect();
    let (batch, dates) = merge_as(&named, &staging.database())?;
    let publication = match (&args.out, &registry) {
        (Some(out), Some(registry)) => {
            // The days are read from where they are written aside: what the files say is what is stored.
            let mut aside = Store::create(&staging.folder().join("whole.db"))?;
            aside.replace_days(batch, || {})?;
            let parts = write_files(&aside, registry, &dates, &staging)?;
            let staged = staging.join(&parts, false, &[])?;
            warn_of_replaced(out, &dates);
            Some(staging.prepare(&staged, out)?)
        }
        _ => {
            drop(batch);
            None
        }
    };
    let batch = DayBatch::reopen(&staging.database())?;
    let mut uninterrupted = None;
    let mut store = Store::create(&args.db)?;
    match store.replace_days(batch, || uninterrupted = Some(scratch::uninterrupted())) {
        Err(stored @ StoreError::StoredAll { .. }) => terminal::print_warning(&terminal::error_text(&stored.into())),
        replaced => drop(replaced?),
    }
    if let Some(publication) = publication {
        publication.carry_out(uninterrupted).with_context(|| {
            let db = args.db.display();
            format!("{db}: the days are stored, but the files of --out could not be given their names (the same command again mends that)")
        })?;
    }
    remote.put()?;
    for days in store.stored_after_closing(dates.iter().copied())? {
        terminal::print_warning(&days.to_string());
    }
    tell(&MergeArgs { out: typed, ..args.clone() }, &store, &dates)
}

fn warn_of_replaced(out: &Path, dates: &[Date]) {
    let replaced = staging::replaced_dates(out, dates);
    if !replaced.is_empty() {
        let replaced = month::list(&replaced);
        terminal::print_warning(&format!("{}: results of {replaced} are replaced", out.display()));
    }
}

/// Writes the rows of the days aside.
fn write_files(days: &Store, registry: &quoteclock::Registry, dates: &[Date], staging: &Staging) -> Result<Vec<Parts>> {
    let mut parts = Vec::new();
    for (position, &date) in dates.iter().enumerate() {
        let stored = days.days(date..=date)?;
        let Some(stored) = stored.first() else { bail!("{date}: is not among the merged days") };
        if stored.registry_sha256 != registry.digest() {
            bail!(
                "{date}: was measured under the registry with sha256 {}, expected the one that is given, {}: the files of --out \
                 need its names and time zone; nothing was written",
                stored.registry_sha256.short(),
                registry.digest().short()
            );
        }
        let (plan, ledger) = stored_day::read(days, registry.tables(), date)?;
        let part = staging.parts(position);
        part.write(&plan, &ledger).with_context(|| format!("{date}: writing its results aside"))?;
        parts.push(part);
    }
    Ok(parts)
}

/// Says what was done.
fn tell(args: &MergeArgs, store: &Store, dates: &[Date]) -> Result<Outcome> {
    let (mut text, mut is_whole) = (String::new(), true);
    for date in dates {
        for day in store.days(*date..=*date)? {
            let records = month::grouped(usize::try_from(day.record_count).unwrap_or(usize::MAX));
            text.push_str(&format!("{date}: {records} records of {}\n", day.input));
            if 0 < day.reject_count {
                is_whole = false;
                terminal::print_warning(&format!(
                    "{date}: {} bad records were set aside, and the time in doubt is unknown",
                    day.reject_count
                ));
            }
        }
    }
    if let Some(out) = &args.out {
        text.push_str(&format!("written to {}: daily.csv, breaches.csv, outages.csv\n", out.display()));
    }
    text.push_str(&format!("stored in {}: {}\n", args.db.display(), month::count(dates.len(), "day")));
    output::print(&text)?;
    Ok(if is_whole { Outcome::Done } else { Outcome::Incomplete })
}
