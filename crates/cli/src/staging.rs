//! Output written aside until the run is whole: parts of each day first, then the files, then their names.

use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use quoteclock_engine::{BadRecord, RejectSink};
use quoteclock_incentive::AccountKey;
use quoteclock_model::IssueCode;
use quoteclock_replay::Rejects;
use quoteclock_report::{Breaches, Daily, Outages, RejectsCsv, RejectsJson};
use quoteclock_rows::{CsvRows, JsonRows, Table, column_names};
use quoteclock_rules::DayPlan;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::publication::Publication;
use crate::scratch::Scratch;

/// What the parts are written as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Forms {
    /// CSV, for a folder.
    pub(crate) csv: bool,
    /// JSON, for standard output.
    pub(crate) json: bool,
    /// Parquet, beside the CSV.
    pub(crate) parquet: bool,
}

/// A folder beside the output that is gone when the run ends, well or not.
pub(crate) struct Staging {
    folder: Scratch,
    forms: Forms,
}

impl Staging {
    /// A staging folder: on the file system of `out`, so that finished files only need their names.
    pub(crate) fn new(out: Option<&Path>, forms: Forms) -> Result<Staging> {
        let folder = match out {
            None => Scratch::anywhere()?,
            Some(out) => folder_beside(out)?,
        };
        Ok(Staging { folder, forms })
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the days for a database are written aside.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("days.db")
    }

    /// The parts of the input at `position`.
    pub(crate) fn parts(&self, position: usize) -> Parts {
        Parts { stem: self.folder.path().join(position.to_string()), forms: self.forms }
    }

    /// Joins the parts of all days, in their order, into whole files on the disk, still aside: their names. `rests_on` is
    /// what the metadata of Parquet files says of where the figures come from.
    pub(crate) fn join(&self, days: &[Parts], lenient: bool, rests_on: &[(String, String)]) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for list in [List::Breaches, List::Outages, List::Rejects, List::Daily] {
            if list == List::Rejects && !lenient {
                continue;
            }
            let name = format!("{}.csv", list.name());
            join(days, list, &self.folder.path().join(&name)).with_context(|| format!("writing {name}"))?;
            names.push(name);
            if self.forms.parquet && list != List::Rejects {
                let name = format!("{}.parquet", list.name());
                join_parquet(days, list, rests_on, &self.folder.path().join(&name))
                    .with_context(|| format!("writing {name}"))?;
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Prepares joined files for their names in `out`, where those of an earlier run go that this one has not made.
    pub(crate) fn prepare(&self, names: &[String], out: &Path) -> Result<Publication> {
        Publication::prepare(self.folder.path(), names, out, &stale(names))
    }
}

/// The names of everything that a run may write, given what it is asked for.
pub(crate) fn names(lenient: bool, parquet: bool) -> Vec<String> {
    let is_written = |name: &&&str| match **name {
        "rejects.csv" => lenient,
        name => parquet || name.ends_with(".csv"),
    };
    NAMES.iter().filter(is_written).map(|name| (*name).to_owned()).collect()
}

/// The names that a run may write and this one does not.
pub(crate) fn stale(names: &[String]) -> Vec<&'static str> {
    NAMES.into_iter().filter(|name| !names.iter().any(|written| written == name)).collect()
}

/// Whatever a run may write.
const NAMES: [&str; 7] =
    ["breaches.csv", "breaches.parquet", "outages.csv", "outages.parquet", "rejects.csv", "daily.csv", "daily.parquet"];

/// The dates of the results in `out` that a run over `dates` will replace.
pub(crate) fn replaced_dates(out: &Path, dates: &[Date]) -> Vec<Date> {
    let path = out.join("daily.csv");
    // To open a pipe would be to wait for whoever writes to it.
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let Some(file) = is_file.then(|| File::open(path).ok()).flatten() else { return Vec::new() };
    let mut lines = BufReader::new(file).lines().map_while(io::Result::ok);
    if lines.next().is_none_or(|header| header.split(',').next() != column_names::<Daily>().next()) {
        return Vec::new();
    }
    let found = lines.filter_map(|line| line.split(',').next()?.parse().ok());
    let found: BTreeSet<Date> = found.filter(|date| !dates.contains(date)).collect();
    found.into_iter().collect()
}

/// A folder on the file system of `out`, gone when it is dropped.
pub(crate) fn folder_beside(out: &Path) -> Result<Scratch> {
    Scratch::within(nearest_folder(out)?)
}

/// `out` itself, or the folder nearest to it of those it will stand in.
fn nearest_folder(out: &Path) -> Result<&Path> {
    for folder in out.ancestors() {
        let folder = if folder == Path::new("") { Path::new(".") } else { folder };
        match folder.metadata() {
            Ok(metadata) if metadata.is_dir() => return Ok(folder),
            Ok(_) => bail!("{}: not a folder, expected one for the output", folder.display()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("looking for the folder {}", folder.display())),
        }
    }
    Ok(Path::new("."))
}

/// The lists that a run writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum List {
    Daily,
    Breaches,
    Outages,
    Rejects,
}

impl List {
    /// Its name: of the file without its ending, and in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            List::Daily => Daily::NAME,
            List::Breaches => Breaches::NAME,
            List::Outages => Outages::NAME,
            List::Rejects => "rejects",
        }
    }

    /// The header line of its CSV file.
    fn header(self) -> String {
        fn of<T: Table>() -> String {
            format!("{}\n", column_names::<T>().collect::<Vec<_>>().join(","))
        }
        match self {
            List::Daily => of::<Daily>(),
            List::Breaches => of::<Breaches>(),
            List::Outages => of::<Outages>(),
            List::Rejects => of::<quoteclock_report::Rejects>(),
        }
    }
}

/// The parts of one day.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    stem: PathBuf,
    forms: Forms,
}

impl Parts {
    fn path(&self, list: List, form: &str) -> PathBuf {
        self.stem.with_extension(format!("{}.{form}", list.name()))
    }

    fn create(&self, list: List, form: &str) -> io::Result<BufWriter<File>> {
        File::create(self.path(list, form)).map(BufWriter::new)
    }

    /// Writes the rows of a measured day.
    pub(crate) fn write(&self, plan: &DayPlan, ledger: &quoteclock_ledger::DayLedger) -> Result<()> {
        self.write_list::<Daily, _>(List::Daily, || Daily::rows(plan, ledger))?;
        self.write_list::<Breaches, _>(List::Breaches, || Breaches::rows(plan, ledger))?;
        self.write_list::<Outages, _>(List::Outages, || Outages::rows(plan, ledger))
    }

    fn write_list<'r, T: Table, I: Iterator<Item = T::Row<'r>>>(&self, list: List, rows: impl Fn() -> I) -> Result<()> {
        if self.forms.csv {
            let mut csv = CsvRows::<T, _>::new(self.create(list, "csv")?);
            rows().try_for_each(|row| csv.row(&row))?;
            csv.finish()?.flush()?;
        }
        if self.forms.json && list != List::Outages {
            let mut json = JsonRows::<T, _>::new(self.create(list, "json")?);
            rows().try_for_each(|row| json.row(&row))?;
            json.finish()?;
        }
        #[cfg(feature = "parquet")]
        if self.forms.parquet {
            quoteclock_columnar::write_parquet::<T>(rows(), &[], self.create(list, "parquet")?)?;
        }
        Ok(())
    }

    /// The JSON rows of a list that are of some obligations: daily rows in the order of their places, all others in their
    /// own.
    pub(crate) fn json_of(&self, list: List, places: &BTreeMap<AccountKey, usize>) -> Result<Box<dyn Read>> {
        let mut chosen: Vec<(usize, String)> = Vec::new();
        for line in BufReader::new(File::open(self.path(list, "json"))?).lines() {
            let line = line?;
            // Each row stands on a line of its own, all but the last with the comma that follows it.
            let row = line.strip_suffix(',').unwrap_or(&line);
            let RowKey { market_maker, issue, obligation } = serde_json::from_str(row)?;
            let (issue, obligation) = (IssueCode::new(issue.as_bytes()), obligation.parse());
            if let (Some(issue), Ok(obligation)) = (issue, obligation)
                && let Some(place) = places.get(&AccountKey { market_maker, issue, obligation })
            {
                chosen.push((*place, row.to_owned()));
            }
        }
        if list == List::Daily {
            chosen.sort_by_key(|(place, _)| *place);
        }
        let rows: Vec<String> = chosen.into_iter().map(|(_, row)| row).collect();
        Ok(Box::new(io::Cursor::new(rows.join(",\n").into_bytes())))
    }

    /// The JSON rows of a list.
    pub(crate) fn json(&self, list: List) -> Result<Box<dyn Read>> {
        Ok(Box::new(BufReader::new(File::open(self.path(list, "json"))?)))
    }
}

/// Whose a row of a list is.
#[derive(Deserialize)]
struct RowKey {
    market_maker: String,
    issue: String,
    obligation: String,
}

/// Writes a table as Parquet into a folder, under its name.
#[cfg(feature = "parquet")]
pub(crate) fn write_parquet<'r, T: Table>(
    rows: impl IntoIterator<Item = T::Row<'r>>,
    rests_on: &[(String, String)],
    folder: &Path,
) -> Result<()> {
    let file = File::create(folder.join(format!("{}.parquet", T::NAME)))?;
    quoteclock_columnar::write_parquet::<T>(rows, rests_on, &file)?;
    Ok(file.sync_all()?)
}

#[cfg(not(feature = "parquet"))]
pub(crate) fn write_parquet<'r, T: Table>(
    _: impl IntoIterator<Item = T::Row<'r>>,
    _: &[(String, String)],
    _: &Path,
) -> Result<()> {
    unreachable!("without the feature nobody can ask for it")
}

/// Joins a list's parts behind its header.
fn join(days: &[Parts], list: List, path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(list.header().as_bytes())?;
    for day in days {
        io::copy(&mut File::open(day.path(list, "csv"))?, &mut file)?;
    }
    file.sync_all()
}

/// Joins a list's parts as Parquet.
#[cfg(feature = "parquet")]
fn join_parquet(days: &[Parts], list: List, rests_on: &[(String, String)], path: &Path) -> Result<()> {
    let parts = days.iter().map(|day| File::open(day.path(list, "parquet"))).collect::<io::Result<Vec<_>>>()?;
    let file = File::create(path)?;
    match list {
        List::Daily => quoteclock_columnar::join::<Daily>(&parts, rests_on, &file)?,
        List::Breaches => quoteclock_columnar::join::<Breaches>(&parts, rests_on, &file)?,
        List::Outages => quoteclock_columnar::join::<Outages>(&parts, rests_on, &file)?,
        List::Rejects => {}
    }
    Ok(file.sync_all()?)
}

#[cfg(not(feature = "parquet"))]
fn join_parquet(_: &[Parts], _: List, _: &[(String, String)], _: &Path) -> Result<()> {
    unreachable!("without the feature nobody can ask for it")
}

/// The records set aside of one input, in each form that is wanted.
pub(crate) struct StagedRejects {
    pub(crate) file: String,
    /// Further inputs of its day.
    pub(crate) also: Vec<String>,
    /// How many of one kind of fault are listed.
    pub(crate) of_each_kind: u64,
    pub(crate) parts: Parts,
}

/// The sinks of one pass.
pub(crate) struct RejectFiles {
    csv: Option<RejectsCsv<BufWriter<File>>>,
    json: Option<RejectsJson<BufWriter<File>>>,
}

impl Rejects for StagedRejects {
    type Sink = RejectFiles;

    fn begin(&mut self) -> io::Result<RejectFiles> {
        let Forms { csv, json, parquet: _ } = self.parts.forms;
        let create = |form| self.parts.create(List::Rejects, form);
        let also = || self.also.iter().map(String::as_str);
        let csv = csv.then(|| create("csv")).transpose()?;
        let json = json.then(|| create("json")).transpose()?;
        Ok(RejectFiles {
            csv: csv.map(|to| RejectsCsv::new(&self.file, to, self.of_each_kind).with_also(also())),
            json: json.map(|to| RejectsJson::new(&self.file, to, self.of_each_kind).with_also(also())),
        })
    }
}

impl RejectFiles {
    /// Ends the files.
    pub(crate) fn finish(self) -> io::Result<()> {
        if let Some(csv) = self.csv {
            csv.finish()?.flush()?;
        }
        if let Some(json) = self.json {
            json.finish()?.flush()?;
        }
        Ok(())
    }
}

impl RejectSink for RejectFiles {
    fn reject(&mut self, bad: &BadRecord, bytes: &[u8]) {
        if let Some(csv) = &mut self.csv {
            csv.reject(bad, bytes);
        }
        if let Some(json) = &mut self.json {
            json.reject(bad, bytes);
        }
    }

    fn again(&mut self, count: u64) -> bool {
        // Both list the same records.
        let csv = self.csv.as_mut().is_none_or(|csv| csv.again(count));
        csv && self.json.as_mut().is_none_or(|json| json.again(count))
    }

    fn source(&mut self, index: usize) {
        if let Some(csv) = &mut self.csv {
            csv.source(index);
        }
        if let Some(json) = &mut self.json {
            json.source(index);
        }
    }

    fn rest(&mut self, bytes: &[u8]) {
        if let Some(csv) = &mut self.csv {
            csv.rest(bytes);
        }
        if let Some(json) = &mut self.json {
            json.rest(bytes);
        }
    }
}
