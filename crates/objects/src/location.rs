//! Where an object is.

use crate::runtime::wait;
use crate::write;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, parse_url_opts};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use thiserror::Error;
use url::{Host, Url};

/// What is wrong with an object, or with the name of one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The name is none of a store that is known.
    #[error("{url}: {problem}, expected s3://BUCKET/NAME, gs://BUCKET/NAME, az://CONTAINER/NAME or https://HOST/NAME")]
    Name {
        /// The name.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no such object.
    #[error("{url}: no such object")]
    Absent {
        /// The name.
        url: String,
    },
    /// The store has said no, or cannot be reached.
    #[error("{url}: cannot be {doing}")]
    Store {
        /// The name.
        url: String,
        /// What was to be done: written, removed, listed.
        doing: &'static str,
        /// What the store has said.
        source: object_store::Error,
    },
    /// The file on this side cannot be read or written.
    #[error("{url}: the copy on this machine cannot be used")]
    Local {
        /// The name.
        url: String,
        /// Why not.
        source: std::io::Error,
    },
}

/// An object, or the beginning of the names of some.
#[derive(Clone)]
pub struct Location {
    url: Url,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) path: ObjectPath,
}

/// The name, without anything secret: there is nothing secret in one.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.url.as_str())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str())
    }
}

/// The schemes of names that are objects.
const SCHEMES: [&str; 5] = ["s3://", "gs://", "az://", "https://", "http://"];

impl Location {
    /// Whether a name is meant as one of an object, whatever else is right or wrong about it.
    ///
    /// ```
    /// use quoteclock_objects::Location;
    ///
    /// assert!(Location::is_meant("s3://market/2024-03-01.qcev") && !Location::is_meant("market/2024-03-01.qcev"));
    /// ```
    pub fn is_meant(name: &str) -> bool {
        SCHEMES.iter().any(|scheme| name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
    }

    /// The object of that name. Nothing is asked of its store yet.
    ///
    /// # Errors
    /// [`ObjectError::Name`] if it is none, lacks what the environment has to say of its store, or would go over the network in
    /// the clear: `http://` is for this machine.
    pub fn named(name: &str) -> Result<Location, ObjectError> {
        let wrong = |problem: String| ObjectError::Name { url: name.to_owned(), problem };
        let url = Url::parse(name).map_err(|error| wrong(error.to_string()))?;
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it has a user, a query or a fragment, which a name of an object has not".to_owned()));
        }
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if url.scheme() == "http" && !is_here {
            return Err(wrong("http:// goes over the network in the clear".to_owned()));
        }
        provide_tls();
        let mut options: Vec<(String, String)> = vec![("timeout".to_owned(), "1h".to_owned())];
        options.extend(std::env::vars().map(|(name, value)| (name.to_ascii_lowercase(), value)));
        if url.scheme() == "http" {
            options.push(("allow_http".to_owned(), "true".to_owned()));
        }
        let (store, path) = parse_url_opts(&url, options).map_err(|error| wrong(error.to_string()))?;
        Ok(Location { url, store: store.into(), path })
    }

    /// The object whose name has `more` behind a slash.
    #[must_use]
    pub fn join(&self, more: &str) -> Location {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(more.split('/'));
        }
        let path = more.split('/').fold(self.path.clone(), |path, part| path.join(part));
        Location { url, store: Arc::clone(&self.store), path }
    }

    /// Writes a finished file as the object: all of it is there afterwards, or what was there before.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub fn put(&self, file: &Path) -> Result<(), ObjectError> {
        let is_simple = self.url.scheme().starts_with("http");
        let written =
            wait(write::put(&*self.store, &self.path, file, is_simple)).map_err(|source| self.local(source))?;
        written.map_err(|error| match error {
            write::PutError::Store(source) => ObjectError::Store { url: self.to_string(), doing: "written", source },
            write::PutError::File(source) => self.local(source),
        })
    }

    /// The names of the objects directly below this one, as if it were a folder.
    ///
    /// # Errors
    /// [`ObjectError`]; always of a plain web server, which cannot tell.
    pub fn names(&self) -> Result<Vec<String>, ObjectError> {
        let listed = wait(self.store.list_with_delimiter(Some(&self.path))).map_err(|source| self.local(source))?;
        let listed = listed.map_err(|source| ObjectError::Store { url: self.to_string(), doing: "listed", source })?;
        Ok(listed.objects.iter().filter_map(|object| object.location.filename().map(str::to_owned)).collect())
    }

    /// The names of all objects below this one, each as it follows it, in order.
    ///
    /// # Errors
    /// As [`Location::names`].
    pub fn names_below(&self) -> Result<Vec<String>, ObjectError> {
        use futures_util::TryStreamExt;
        let listed = wait(self.store.list(Some(&self.path)).try_collect::<Vec<_>>());
        let listed = listed.map_err(|source| self.local(source))?;
        let listed = listed.map_err(|source| ObjectError::Store { url: self.to_string(), doing: "listed", source })?;
        let below = |object: &object_store::ObjectMeta| {
            let parts = object.location.prefix_match(&self.path)?;
            Some(parts.map(|part| part.as_ref().to_owned()).collect::<Vec<String>>().join("/"))
        };
        let mut names: Vec<String> = listed.iter().filter_map(below).collect();
        names.sort();
        Ok(names)
    }

    /// Removes the object; without effect where there is none.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub fn remove(&self) -> Result<(), ObjectError> {
        use object_store::ObjectStoreExt;
        match wait(self.store.delete(&self.path)).map_err(|source| self.local(source))? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(ObjectError::Store { url: self.to_string(), doing: "removed", source }),
        }
    }

    /// Copies the object to a new file.
    ///
    /// # Errors
    /// [`ObjectError`]; [`ObjectError::Absent`] where there is none.
    pub fn fetch(&self, file: &Path) -> Result<(), ObjectError> {
        let mut from = self.reader();
        let mut copy = || -> std::io::Result<()> {
            // Opened first, so that nothing is made of what is not there.
            let mut first = [0; 1 << 16];
            let mut length = std::io::Read::read(&mut from, &mut first)?;
            let mut to = std::fs::File::create(file)?;
            while 0 < length {
                std::io::Write::write_all(&mut to, &first[..length])?;
                length = std::io::Read::read(&mut from, &mut first)?;
            }
            to.sync_all()
        };
        copy().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => ObjectError::Absent { url: self.to_string() },
            _ => self.local(source),
        })
    }

    fn local(&self, source: std::io::Error) -> ObjectError {
        ObjectError::Local { url: self.to_string(), source }
    }
}

/// Says, once, by what TLS is done.
fn provide_tls() {
    static PROVIDED: OnceLock<()> = OnceLock::new();
    PROVIDED.get_or_init(|| {
        // Somebody else may have said it before: then that stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_none_say_what_was_expected() {
        for name in ["http://example.com/day.csv", "https://user:secret@example.com/x", "s3://bucket/x?versionId=1"] {
            let error = Location::named(name).unwrap_err().to_string();
            assert!(error.contains("expected s3://BUCKET/NAME"), "{error}");
        }
        assert!(Location::named("http://127.0.0.1:9/day.csv").is_ok());
        assert!(Location::named("https://example.com/2024/day.csv").is_ok());
        let at = Location::named("http://127.0.0.1:9/out/").unwrap();
        assert_eq!(
            at.join("daily/date=2024-03-01/x.parquet").to_string(),
            "http://127.0.0.1:9/out/daily/date=2024-03-01/x.parquet"
        );
    }
}
