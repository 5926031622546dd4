//! The folders of papers below `--out`: papers of an earlier run give way, and whatever else is there stays.
//!
//! `papers.sha256` beside them lists every paper with its hash, as `sha256sum --check` reads it. By it a later run knows
//! what is an earlier one's: a file that is not listed, or is no longer what it was, is somebody's own.

use crate::scratch::uninterrupted;
use anyhow::{Context, Result, bail};
use quoteclock_store::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path};

/// The folders that papers stand in.
const FOLDERS: [&str; 5] = ["ta-1", "tm-1", "tm-2", "tm-2-participant", "tm-3"];

/// The list of papers.
const LIST: &str = "papers.sha256";

/// Hashes of papers, as hexadecimal digits, by path below the output folder.
pub(crate) type Hashes = BTreeMap<String, String>;

/// Refuses what stands in the way of the papers' folders in `out`.
pub(crate) fn look(out: &Path) -> Result<()> {
    FOLDERS.iter().try_for_each(|name| refuse_what_is_no_folder(&out.join(name)))?;
    if out.join(LIST).is_dir() {
        bail!("{}: is a folder, expected the list of an earlier run's papers or a free name", out.join(LIST).display());
    }
    Ok(())
}

/// Refuses what stands where a paper is to stand.
pub(crate) fn look_at(papers: &Hashes, out: &Path) -> Result<()> {
    for path in papers.keys() {
        let above = Path::new(path).ancestors().skip(1).filter(|above| *above != Path::new(""));
        above.into_iter().try_for_each(|above| refuse_what_is_no_folder(&out.join(above)))?;
        let path = out.join(path);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            bail!("{}: is no file, expected the paper of an earlier run or a free name", path.display());
        }
    }
    Ok(())
}

fn refuse_what_is_no_folder(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_dir()) {
        bail!("{}: is no folder, expected that of an earlier run or a free name", path.display());
    }
    Ok(())
}

/// What stands in the folders after papers have been put there.
pub(crate) struct Replaced {
    /// Folders and files that are new, for a sentence.
    pub(crate) written: Vec<String>,
    /// Files that are not of this program, or no longer as it wrote them.
    pub(crate) foreign: Vec<String>,
}

/// Puts `papers`, which lie in `staging`, into `out`, and takes away those of an earlier run that have no successor.
pub(crate) fn replace(papers: &Hashes, staging: &Path, out: &Path) -> Result<Replaced> {
    let _guard = uninterrupted();
    let earlier = earlier(out);
    for (path, hash) in earlier.iter().filter(|(path, _)| !papers.contains_key(*path)) {
        let path = out.join(path);
        if is_as_written(&path, hash) {
            fs::remove_file(&path).with_context(|| format!("removing {}, of an earlier run", path.display()))?;
        }
    }
    write_list(papers, staging, out)?;
    for path in papers.keys() {
        let to = out.join(path);
        let naming = || format!("writing {}", to.display());
        to.parent().map_or(Ok(()), fs::create_dir_all).with_context(naming)?;
        fs::rename(staging.join(path), &to).with_context(naming)?;
    }
    let mut foreign = Vec::new();
    let mut written = Vec::new();
    for name in FOLDERS {
        let folder = out.join(name);
        if folder.is_dir() {
            prune(&folder, name, papers, &mut foreign).with_context(|| format!("looking at {}", folder.display()))?;
        }
        if papers.keys().any(|path| path.split('/').next() == Some(name)) {
            written.push(format!("{name}/"));
        }
    }
    if !papers.is_empty() {
        written.push(LIST.to_owned());
    }
    foreign.sort();
    Ok(Replaced { written, foreign })
}

/// The papers of an earlier run, by its list.
fn earlier(out: &Path) -> Hashes {
    let text = fs::read_to_string(out.join(LIST)).unwrap_or_default();
    let entry = |line: &str| {
        let (hash, path) = line.split_once("  ")?;
        let mut parts = Path::new(path).components();
        let is_ours = parts.next().is_some_and(|first| FOLDERS.iter().any(|name| first.as_os_str() == *name));
        let stays_below = parts.all(|part| matches!(part, Component::Normal(_)));
        (is_ours && stays_below).then(|| (path.to_owned(), hash.to_owned()))
    };
    text.lines().filter_map(entry).collect()
}

/// Whether a file is the one that was written: no link, no other file, and not changed since.
fn is_as_written(path: &Path, hash: &str) -> bool {
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file && fs::read(path).is_ok_and(|bytes| Digest::of(&bytes).to_string() == hash)
}

fn write_list(papers: &Hashes, staging: &Path, out: &Path) -> Result<()> {
    let (aside, list) = (staging.join(LIST), out.join(LIST));
    let write = || -> std::io::Result<()> {
        if !papers.is_empty() {
            let text: String = papers.iter().map(|(path, hash)| format!("{hash}  {path}\n")).collect();
            fs::write(&aside, text)?;
            return fs::rename(&aside, &list);
        }
        match fs::remove_file(&list) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    };
    write().with_context(|| format!("writing {}", list.display()))
}

/// Removes folders that hold nothing, and tells of files that are no papers of this run. `name` is the folder's path below
/// the output folder.
fn prune(folder: &Path, name: &str, papers: &Hashes, foreign: &mut Vec<String>) -> std::io::Result<()> {
    let mut entries = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        entries.insert((entry.file_name(), entry.file_type()?.is_dir()));
    }
    for (entry, is_folder) in entries {
        let path = format!("{name}/{}", entry.to_string_lossy());
        if is_folder {
            prune(&folder.join(&entry), &path, papers, foreign)?;
        } else if !papers.contains_key(&path) {
            foreign.push(path);
        }
    }
    // What is not empty stays.
    let _ = fs::remove_dir(folder);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder to write aside in, and one for output.
    fn folders() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (staging, out) = (folder.path().join("staging"), folder.path().join("out"));
        fs::create_dir_all(&out).unwrap();
        fs::create_dir_all(&staging).unwrap();
        (folder, staging, out)
    }

    fn put(papers: &[(&str, &str)], staging: &Path, out: &Path) -> Replaced {
        let mut hashes = Hashes::new();
        for (path, text) in papers {
            fs::create_dir_all(staging.join(path).parent().unwrap()).unwrap();
            fs::write(staging.join(path), text).unwrap();
            hashes.insert((*path).to_owned(), Digest::of(text.as_bytes()).to_string());
        }
        look(out).unwrap();
        look_at(&hashes, out).unwrap();
        replace(&hashes, staging, out).unwrap()
    }

    #[test]
    fn papers_of_an_earlier_run_go_and_whatever_else_is_there_stays_and_is_named() {
        let (_folder, staging, out) = folders();
        let first = [
            ("tm-2/MM1/tm-2.html", "one"),
            ("tm-2/GONE/tm-2.html", "x"),
            ("tm-2/GONE/days.csv", "y"),
            ("ta-1/A/d", "z"),
        ];
        assert!(put(&first, &staging, &out).foreign.is_empty());
        fs::write(out.join("tm-2/notes.txt"), "own").unwrap();
        fs::write(out.join("tm-2/GONE/days.csv"), "changed by hand").unwrap();
        fs::create_dir_all(out.join("tm-2/MINE/deep")).unwrap();
        fs::write(out.join("tm-2/MINE/deep/month.csv"), "own").unwrap();
        fs::create_dir_all(out.join("tm-3/EMPTY")).unwrap();
        let found = put(&[("tm-2/MM1/tm-2.html", "two")], &staging, &out);
        assert_eq!(found.foreign, ["tm-2/GONE/days.csv", "tm-2/MINE/deep/month.csv", "tm-2/notes.txt"]);
        assert_eq!(found.written, ["tm-2/", LIST]);
        assert_eq!(fs::read_to_string(out.join("tm-2/MM1/tm-2.html")).unwrap(), "two");
        assert_eq!(fs::read_to_string(out.join("tm-2/GONE/days.csv")).unwrap(), "changed by hand");
        for gone in ["tm-2/GONE/tm-2.html", "ta-1", "tm-3"] {
            assert!(!out.join(gone).exists(), "{gone}");
        }
        let found = put(&[], &staging, &out);
        assert_eq!((found.foreign.len(), found.written.len()), (3, 0));
        assert!(!out.join(LIST).exists() && !out.join("tm-2/MM1").exists());
    }

    #[test]
    fn a_list_that_leads_elsewhere_removes_nothing() {
        let (folder, staging, out) = folders();
        let own = folder.path().join("own");
        fs::write(&own, "own").unwrap();
        fs::write(out.join("monthly.csv"), "own").unwrap();
        let hash = Digest::of(b"own");
        let list = format!(
            "{hash}  tm-2/../../own\n{hash}  ../own\n{hash}  monthly.csv\nnonsense\n{hash}  {}\n",
            own.display()
        );
        fs::write(out.join(LIST), list).unwrap();
        assert!(put(&[], &staging, &out).foreign.is_empty());
        assert!(own.exists() && out.join("monthly.csv").exists());
    }

    #[test]
    fn what_stands_where_a_paper_is_to_stand_is_refused() {
        let papers = Hashes::from([("tm-2/MM1/tm-2.html".to_owned(), String::new())]);
        for (path, is_folder) in [("tm-2", false), ("tm-2/MM1", false), ("tm-2/MM1/tm-2.html", true)] {
            let (_folder, _, out) = folders();
            fs::create_dir_all(out.join(path).parent().unwrap()).unwrap();
            if is_folder { fs::create_dir(out.join(path)) } else { fs::write(out.join(path), "own") }.unwrap();
            let error = look_at(&papers, &out).unwrap_err().to_string();
            assert!(error.contains(path), "{error}");
        }
    }
}
