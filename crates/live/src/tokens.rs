//! Who may see what: bearer tokens, kept as hashes in a file that an operator edits.

use anyhow::{Context, Result, anyhow, bail};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Bytes of chance in a token.
const TOKEN_BYTES: usize = 32;
/// The longest life of a token.
const DAYS_MAX: i64 = 400;
const COLUMNS: [&str; 5] = ["sha256", "role", "party", "name", "expires"];

/// What a token's holder is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// Sees everything.
    Exchange,
    /// Sees itself.
    MarketMaker,
    /// Sees its ETFs, with every market maker on them.
    AssetManager,
    /// Sees how the program is, and nothing of the market.
    Operator,
}

impl Role {
    /// Whether its holder is a party of the registry.
    pub fn has_party(self) -> bool {
        matches!(self, Role::MarketMaker | Role::AssetManager)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Role::Exchange => "exchange",
            Role::MarketMaker => "market_maker",
            Role::AssetManager => "asset_manager",
            Role::Operator => "operator",
        })
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        [Role::Exchange, Role::MarketMaker, Role::AssetManager, Role::Operator]
            .into_iter()
            .find(|role| role.to_string() == text)
            .ok_or_else(|| format!("{text:?}, expected exchange, market_maker, asset_manager or operator"))
    }
}

/// A row of the file of tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRow {
    /// Of the token's bytes.
    pub sha256: [u8; 32],
    /// What its holder is.
    pub role: Role,
    /// Who its holder is, where the role has a party; empty otherwise.
    pub party: String,
    /// Whom it was given to.
    pub name: String,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
}

/// Makes up a token, and the row for the file.
///
/// # Errors
/// If the row would not be taken: a party where there is none, or none where there is one, or a life that is too long; or
/// if the system has no randomness.
pub fn new_token(role: Role, party: &str, name: &str, expires: Timestamp, now: Timestamp) -> Result<(String, String)> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system has no randomness: {error}"))?;
    let token = format!("qc_{}", hex(&bytes));
    let sha256 = Sha256::digest(token.as_bytes()).into();
    let row = TokenRow { sha256, role, party: party.to_owned(), name: name.to_owned(), expires };
    row.check(now)?;
    if expires <= now {
        bail!("expires {expires}, expected a time to come");
    }
    let fields = [hex(&sha256), role.to_string(), party.to_owned(), name.to_owned(), expires.to_string()];
    let mut writer =
        csv::WriterBuilder::new().has_headers(false).terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(fields)?;
    let line = String::from_utf8(writer.into_inner().map_err(|error| anyhow!("{error}"))?)?;
    Ok((token, line.trim_end().to_owned()))
}

impl TokenRow {
    fn check(&self, now: Timestamp) -> Result<()> {
        match (self.role.has_party(), self.party.is_empty()) {
            (true, true) => bail!("party: found nothing, expected the name of the {}", self.role),
            (false, false) => bail!("party: found {:?}, expected nothing for the role {}", self.party, self.role),
            _ => {}
        }
        if self.name.is_empty() {
            bail!("name: found nothing, expected whom the token is given to");
        }
        let limit = now.checked_add(jiff::SignedDuration::from_hours(24 * DAYS_MAX)).unwrap_or(Timestamp::MAX);
        if limit < self.expires {
            bail!("expires: found {}, expected a time at most {DAYS_MAX} days ahead", self.expires);
        }
        Ok(())
    }
}

/// The tokens that are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens(Vec<TokenRow>);

impl Tokens {
    /// Reads the file of tokens. `is_party` says whether the registry knows a party.
    pub(crate) fn read(file: &Path, now: Timestamp, is_party: impl Fn(Role, &str) -> bool) -> Result<Tokens> {
        let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(bytes);
        let columns: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        if columns != COLUMNS {
            bail!("{}:1: found {}, expected {}", file.display(), columns.join(","), COLUMNS.join(","));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.with_context(|| file.display().to_string())?;
            let line = record.position().map_or(0, csv::Position::line);
            let row = row(&record).and_then(|row| row.check(now).map(|()| row));
            let row = row.with_context(|| format!("{}:{line}", file.display()))?;
            if row.role.has_party() && !is_party(row.role, &row.party) {
                bail!("{}:{line}: party: not a {} of the registry", file.display(), row.role);
            }
            rows.push(row);
        }
        Ok(Tokens(rows))
    }

    /// Whether there is such a token, and it is still worth something.
    pub(crate) fn is_valid(&self, sha256: [u8; 32], now: Timestamp) -> bool {
        self.0.iter().any(|row| row.sha256 == sha256 && now < row.expires)
    }

    /// Whose token it is, if it is one that is still worth something. Every row is looked at in full, so that the time
    /// that it takes tells nothing.
    pub(crate) fn holder(&self, token: &[u8], now: Timestamp) -> Option<&TokenRow> {
        let given: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for row in &self.0 {
            let differences = row.sha256.iter().zip(&given).fold(0, |differences, (a, b)| differences | (a ^ b));
            if differences == 0 && now < row.expires {
                found = Some(row);
            }
        }
        found
    }
}

fn row(record: &csv::StringRecord) -> Result<TokenRow> {
    let field = |at: usize| record.get(at).unwrap_or_default().to_owned();
    let sha256 = unhex(&field(0)).context("sha256: expected 64 hexadecimal digits in lower case")?;
    let role = field(1).parse().map_err(|problem| anyhow!("role: found {problem}"))?;
    let expires = field(4).parse().map_err(|error| anyhow!("expires: {error}"))?;
    Ok(TokenRow { sha256, role, party: field(2), name: field(3), expires })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const NOW: &str = "2026-01-01T00:00:00Z";

    #[test]
    fn a_new_token_is_known_by_its_row_until_it_expires() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.csv");
        let expires = at("2026-02-01T00:00:00Z");
        let (token, row) = new_token(Role::MarketMaker, "MM,1", "Ann \"A\"", expires, at(NOW)).unwrap();
        std::fs::write(&file, format!("{}\n{row}\n", COLUMNS.join(","))).unwrap();
        let tokens = Tokens::read(&file, at(NOW), |_, party| party == "MM,1").unwrap();
        let holder = tokens.holder(token.as_bytes(), at("2026-01-31T23:59:59Z")).unwrap();
        assert_eq!(
            (holder.role, holder.party.as_str(), holder.name.as_str()),
            (Role::MarketMaker, "MM,1", "Ann \"A\"")
        );
        assert!(tokens.holder(token.as_bytes(), expires).is_none());
        assert!(tokens.holder(b"qc_", at(NOW)).is_none());
        assert!(!row.contains(&token));
        assert!(Tokens::read(&file, at(NOW), |_, _| false).unwrap_err().to_string().contains("tokens.csv:2: party"));
    }

    #[test]
    fn rows_that_make_no_sense_are_refused() {
        let soon = at("2026-01-02T00:00:00Z");
        for (role, party, name, expires, expected) in [
            (Role::Exchange, "MM1", "a", soon, "party: found \"MM1\""),
            (Role::MarketMaker, "", "a", soon, "party: found nothing"),
            (Role::Operator, "", "", soon, "name: found nothing"),
            (Role::Operator, "", "a", at(NOW), "expected a time to come"),
            (Role::Operator, "", "a", at("2027-02-05T00:00:01Z"), "at most 400 days ahead"),
        ] {
            let error = new_token(role, party, name, expires, at(NOW)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(new_token(Role::Operator, "", "a", at("2027-02-05T00:00:00Z"), at(NOW)).is_ok());
    }
}
