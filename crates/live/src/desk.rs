//! What may be ordered while a day runs: everything that people edit read again (registry, tokens, certificate, alerts), a Fast Market
//! declared.
//!
//! What is bad is refused, and all of the old stays. A good registry is handed to the feed, which has the day measured
//! again under it beside the running measurement; whoever has ordered it is answered once that has taken over.

use crate::alerting::Alerting;
use crate::feed::{Remeasurement, Stop};
use crate::recipient::is_party;
use crate::tls::Tls;
use crate::tokens::{TokenRow, Tokens};
use crate::under::Load;
use anyhow::{Context, Result, anyhow};
use crossbeam_channel::Sender;
use jiff::civil::Date;
use quoteclock_rules::Registry;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock, mpsc};

/// What everything is judged by now.
pub(crate) struct Current {
    pub(crate) registry: Registry,
    pub(crate) tokens: Tokens,
    /// What HTTP is answered with, if over TLS.
    pub(crate) tls: Option<Tls>,
}

/// Where orders are given.
pub(crate) struct Desk {
    pub(crate) load: Load,
    /// The registry's folder.
    pub(crate) folder: PathBuf,
    /// The file of tokens.
    pub(crate) tokens: Option<PathBuf>,
    /// The files of certificates and of their key.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// Who is told what.
    pub(crate) alerting: Option<Arc<Alerting>>,
    pub(crate) current: RwLock<Current>,
    pub(crate) orders: Sender<Remeasurement>,
    pub(crate) stop: Stop,
    /// How many registries have been taken since the start.
    pub(crate) registries: AtomicU64,
}

/// Why an order is not carried out.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Something that is read again cannot be taken.
    Unfit(String),
    /// The file of Fast Market days cannot be written: this row would have to be entered.
    NotWritable {
        /// The row.
        row: String,
    },
}

/// One order at a time.
static ORDERING: Mutex<()> = Mutex::new(());

/// The file of Fast Market days.
const FAST_MARKET: &str = "fast_market.csv";

/// Reads the file of tokens, if there is one.
pub(crate) fn read_tokens(file: Option<&Path>, registry: &Registry) -> Result<Tokens> {
    let Some(file) = file else { return Ok(Tokens::default()) };
    Tokens::read(file, jiff::Timestamp::now(), |role, party| is_party(registry, role, party))
}

/// Reads certificates and their key, if there are any.
pub(crate) fn read_tls(files: Option<&(PathBuf, PathBuf)>) -> Result<Option<Tls>> {
    files.map(|(certificates, key)| Tls::read(certificates, key)).transpose()
}

impl Desk {
    /// The registry as it is now.
    pub(crate) fn registry(&self) -> Registry {
        match self.current.read() {
            Ok(current) => current.registry.clone(),
            Err(poisoned) => poisoned.into_inner().registry.clone(),
        }
    }

    /// Changes whenever another registry is taken.
    pub(crate) fn registries(&self) -> u64 {
        self.registries.load(Ordering::Acquire)
    }

    /// Whether a token that was valid still is.
    pub(crate) fn is_valid(&self, sha256: [u8; 32]) -> bool {
        let now = jiff::Timestamp::now();
        self.current.read().is_ok_and(|current| current.tokens.is_valid(sha256, now))
    }

    /// Whose token it is.
    pub(crate) fn holder(&self, token: &[u8]) -> Option<TokenRow> {
        let current = self.current.read().ok()?;
        current.tokens.holder(token, jiff::Timestamp::now()).cloned()
    }

    /// What HTTP is answered with by now, if over TLS.
    pub(crate) fn tls(&self) -> Option<Tls> {
        self.current.read().ok()?.tls.clone()
    }

    /// Reads all that people edit again, and waits until the running day is measured under the registry.
    pub(crate) fn reload(&self) -> Result<String, Refused> {
        let _one = ORDERING.lock().map_err(|_| Refused::Unfit("a thread panicked".to_owned()))?;
        self.reload_now().map_err(|error| {
            tracing::error!(error = %format!("{error:#}"), "the registry is not taken, the old one stays");
            Refused::Unfit(format!("{error:#}"))
        })?;
        tracing::info!("the registry has been read again");
        Ok("{\"reloaded\":true}".to_owned())
    }

    fn reload_now(&self) -> Result<()> {
        let under = (self.load)()?;
        let registry = under.registry.clone();
        let tokens = read_tokens(self.tokens.as_deref(), &registry)?;
        let tls = read_tls(self.tls.as_ref())?;
        let alerts = self.alerting.as_ref().map(|alerting| alerting.read_again(&registry)).transpose()?;
        let (sender, receiver) = mpsc::channel();
        let done = Box::new(move |result| drop(sender.send(result)));
        let order = Remeasurement { under, done };
        self.orders.send(order).map_err(|_| anyhow!("the feed has ended"))?;
        self.stop.wake();
        receiver.recv().context("the feed has ended")?.map_err(|problem| anyhow!(problem))?;
        let mut current = self.current.write().map_err(|_| anyhow!("a thread panicked"))?;
        *current = Current { registry, tokens, tls };
        if let (Some(alerting), Some(alerts)) = (&self.alerting, alerts) {
            alerting.take(alerts);
        }
        self.registries.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Declares a Fast Market for a date, or with 1 takes it back.
    pub(crate) fn fast_market(&self, date: Date, multiplier: u32) -> Result<String, Refused> {
        let _one = ORDERING.lock().map_err(|_| Refused::Unfit("a thread panicked".to_owned()))?;
        let file = self.folder.join(FAST_MARKET);
        let before = std::fs::read(&file).ok();
        if let Err(error) = enter(&file, before.as_deref(), date, multiplier) {
            tracing::error!(error = %format!("{error:#}"), "the Fast Market cannot be entered");
            return Err(Refused::NotWritable { row: format!("{date},{date},{multiplier}") });
        }
        if let Err(error) = self.reload_now() {
            // As it was: the registry with it is not one that can be taken.
            let restored = match &before {
                Some(bytes) => replace(&file, bytes),
                None => std::fs::remove_file(&file).map_err(Into::into),
            };
            if let Err(error) = restored {
                tracing::error!(error = %format!("{error:#}"), "fast_market.csv cannot be restored");
            }
            return Err(Refused::Unfit(format!("{error:#}")));
        }
        tracing::info!(%date, multiplier, "a Fast Market");
        Ok(format!("{{\"date\":\"{date}\",\"multiplier\":{multiplier}}}"))
    }
}

/// Writes the file with the row of `date` as it is to be: none for the multiplier 1.
fn enter(file: &Path, before: Option<&[u8]>, date: Date, multiplier: u32) -> Result<()> {
    replace(file, &entered(before.unwrap_or(b"from,to,multiplier\n"), date, multiplier)?)
}

/// The text of the file with `date` as it is to be; rows of other dates stay, and one that holds it and others is split.
fn entered(before: &[u8], date: Date, multiplier: u32) -> Result<Vec<u8>> {
    let before = before.strip_prefix(b"\xef\xbb\xbf").unwrap_or(before);
    let mut reader = csv::ReaderBuilder::new().from_reader(before);
    let columns: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let place = |name: &str| columns.iter().position(|column| column == name);
    let (Some(from_at), Some(to_at), Some(multiplier_at)) = (place("from"), place("to"), place("multiplier")) else {
        return Err(anyhow!("its columns are {}, expected from, to and multiplier", columns.join(",")));
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&columns)?;
    for row in reader.records() {
        let row = row?;
        let bound = |at: usize| row.get(at).filter(|text| !text.is_empty()).map(str::parse::<Date>).transpose();
        let (from, to) = (bound(from_at)?, bound(to_at)?);
        if from.is_some_and(|from| date < from) || to.is_some_and(|to| to < date) {
            writer.write_record(&row)?;
            continue;
        }
        let mut part = |from: Option<Date>, to: Option<Date>| {
            let text = |date: Option<Date>| date.map_or_else(String::new, |date| date.to_string());
            let mut fields: Vec<String> = row.iter().map(str::to_owned).collect();
            (fields[from_at], fields[to_at]) = (text(from), text(to));
            writer.write_record(fields)
        };
        if from != Some(date) {
            part(from, Some(date.yesterday()?))?;
        }
        if to != Some(date) {
            part(Some(date.tomorrow()?), to)?;
        }
    }
    if multiplier != 1 {
        let mut fields = vec![String::new(); columns.len()];
        (fields[from_at], fields[to_at]) = (date.to_string(), date.to_string());
        fields[multiplier_at] = multiplier.to_string();
        writer.write_record(fields)?;
    }
    writer.into_inner().map_err(|error| anyhow!("{error}"))
}

/// Puts a file in the place of another, whole or not at all.
fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut aside = tempfile::Builder::new().prefix(".fast_market-").tempfile_in(folder)?;
    aside.write_all(bytes)?;
    aside.as_file().sync_all()?;
    if let Ok(metadata) = file.metadata() {
        aside.as_file().set_permissions(metadata.permissions())?;
    } else {
        use std::os::unix::fs::PermissionsExt;
        aside.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    aside.persist(file)?;
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn text(before: &str, multiplier: u32) -> String {
        String::from_utf8(entered(before.as_bytes(), date(2024, 3, 4), multiplier).unwrap()).unwrap()
    }

    #[test]
    fn a_fast_market_is_one_row_and_others_stay() {
        let empty = "from,to,multiplier\n";
        assert_eq!(text(empty, 2), "from,to,multiplier\n2024-03-04,2024-03-04,2\n");
        assert_eq!(text(&text(empty, 2), 4), "from,to,multiplier\n2024-03-04,2024-03-04,4\n");
        assert_eq!(text(&text(empty, 2), 1), empty);
        let range = "multiplier,from,to\n2,2024-03-01,2024-03-07\n4,2024-02-01,2024-02-01\n";
        let split = "multiplier,from,to\n2,2024-03-01,2024-03-03\n2,2024-03-05,2024-03-07\n4,2024-02-01,2024-02-01\n";
        assert_eq!(text(range, 1), split);
        assert_eq!(text(range, 4), format!("{split}4,2024-03-04,2024-03-04\n"));
        assert_eq!(text("from,to,multiplier\n,,2\n", 1), "from,to,multiplier\n,2024-03-03,2\n2024-03-05,,2\n");
        assert!(entered(b"date,multiplier\n", date(2024, 3, 4), 2).is_err());
    }
}
