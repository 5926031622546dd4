//! What keeps parts from being a day.

use crate::{Digest, StoreError, StoredDay};
use jiff::civil::Date;
use quoteclock_model::Shard;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use thiserror::Error;

/// The part of a day in one file.
pub(super) struct DayPart {
    /// The file's position among those that are merged.
    pub(super) file: usize,
    pub(super) name: PathBuf,
    pub(super) shard: Shard,
    pub(super) day: StoredDay,
    pub(super) commit: String,
    pub(super) measured_at: i64,
}

/// Why parts cannot be merged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MergeError {
    /// A file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What a part says of its input cannot be read.
    #[error("a part's coverage or servers cannot be read")]
    Coverage(#[source] serde_json::Error),
    /// They are not the parts of days, each once.
    #[error("{}", list(.0))]
    Disagree(Vec<Disagreement>),
}

fn list(all: &[Disagreement]) -> String {
    all.iter().map(Disagreement::to_string).collect::<Vec<_>>().join("\n")
}

/// One thing that keeps the parts of a date from being a day.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Disagreement {
    /// They are of different numbers of shards.
    Counts {
        /// The date.
        date: Date,
        /// Two files, and whose parts they have.
        of: [(PathBuf, Shard); 2],
    },
    /// One shard is there twice.
    Overlap {
        /// The date.
        date: Date,
        /// The shard.
        shard: Shard,
        /// The files that have it.
        files: [PathBuf; 2],
    },
    /// Some are missing.
    Gap {
        /// The date.
        date: Date,
        /// Which.
        missing: Vec<Shard>,
    },
    /// They were not measured alike.
    Differs {
        /// The date.
        date: Date,
        /// In what.
        what: &'static str,
        /// Two files, and what each has.
        of: [(PathBuf, String); 2],
    },
}

/// So many missing shards are named.
const NAMED_MAX: usize = 20;

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Disagreement::Counts { date, of: [(first, one), (second, other)] } => write!(
                f,
                "{date}: {} is of shard {one}, {} of shard {other}, expected parts of one number of shards",
                first.display(),
                second.display()
            ),
            Disagreement::Overlap { date, shard, files: [first, second] } => write!(
                f,
                "{date}: shard {shard} is in {} and in {}, expected each shard once",
                first.display(),
                second.display()
            ),
            Disagreement::Gap { date, missing } => {
                let named: Vec<String> = missing.iter().take(NAMED_MAX).map(Shard::to_string).collect();
                write!(f, "{date}: no part of shard {}", named.join(", "))?;
                match missing.len().saturating_sub(NAMED_MAX) {
                    0 => {}
                    more => write!(f, " and {more} more")?,
                }
                f.write_str(", expected one of each shard")
            }
            Disagreement::Differs { date, what, of: [(first, one), (second, other)] } => write!(
                f,
                "{date}: {} was measured with another {what} than {}: {other}, not {one}",
                second.display(),
                first.display()
            ),
        }
    }
}

/// What is wrong with the parts of one date, at least one.
pub(super) fn look(of_day: &[DayPart]) -> Vec<Disagreement> {
    let (first, date) = (&of_day[0], of_day[0].day.date);
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<Shard, &DayPart> = BTreeMap::new();
    for part in of_day {
        if part.shard.count() != first.shard.count() {
            let of = [first, part].map(|part| (part.name.clone(), part.shard));
            wrong.push(Disagreement::Counts { date, of });
        } else if let Some(before) = seen.insert(part.shard, part) {
            let files = [before, part].map(|part| part.name.clone());
            wrong.push(Disagreement::Overlap { date, shard: part.shard, files });
        }
        // Of several things that differ the first in this order says most.
        let facts = facts(first).into_iter().zip(facts(part));
        if let Some(((what, one), (_, other))) = facts.into_iter().find(|((_, one), (_, other))| one != other) {
            let of = [(first.name.clone(), one), (part.name.clone(), other)];
            wrong.push(Disagreement::Differs { date, what, of });
        }
    }
    let shards = (0..first.shard.count()).filter_map(|index| Shard::new(index, first.shard.count()));
    let missing: Vec<Shard> = shards.filter(|shard| !seen.contains_key(shard)).collect();
    if !missing.is_empty() {
        wrong.push(Disagreement::Gap { date, missing });
    }
    wrong
}

/// What all parts of a day have in common.
fn facts(part: &DayPart) -> [(&'static str, String); 13] {
    let day = &part.day;
    // Whoever follows a shard of a running feed gets no other shard's records.
    let is_live = day.journal.is_some();
    let interpretations = day.interpretations.iter().map(|(name, value)| format!("{name} = \"{value}\""));
    let digest = |digest: &Digest| format!("sha256 {}", digest.short());
    [
        ("program", format!("{} (commit {})", day.program_version, part.commit)),
        ("input", digest(&day.input_sha256)),
        ("registry", digest(&day.registry_sha256)),
        ("plan", digest(&day.plan_sha256)),
        ("scheme", format!("{} {}", day.scheme, day.scheme_version)),
        ("set of interpretations", interpretations.collect::<Vec<_>>().join(", ")),
        ("Fast Market multiplier", day.multiplier.to_string()),
        ("set of options", format!("\"{}\"", day.options.as_deref().unwrap_or_default())),
        ("--until", day.until.map_or("none".to_owned(), |until| until.as_micros().to_string())),
        ("number of records", day.record_count.to_string()),
        ("number of records set aside", if is_live { String::new() } else { day.reject_count.to_string() }),
        ("journal", day.journal.as_ref().map(|journal| journal.name.clone()).unwrap_or_default()),
        (
            "form",
            [day.plan.is_some(), day.servers_heard.is_some(), day.coverage.is_some()]
                .map(u8::from)
                .map(|has| has.to_string())
                .concat(),
        ),
    ]
}
