//! The month of `replay-data/payments`, replayed and reported.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use super::{Bench, is_day, repository, stderr};
use calamine::{Data, Reader, Xlsx, open_workbook};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

pub const REPORT: [&str; 7] = ["report", "--registry", "registry", "--db", "market.db", "--month", "2024-04"];

/// The worked month, copied so that its registry may be changed, and replayed into `market.db`.
pub fn worked() -> Bench {
    let bench = Bench::new();
    let month = repository("replay-data/payments");
    fs::remove_dir_all(bench.path("registry")).unwrap();
    fs::create_dir(bench.path("registry")).unwrap();
    for entry in fs::read_dir(month.join("registry")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, bench.path("registry").join(path.file_name().unwrap())).unwrap();
    }
    assert!(replay(&bench).status.success());
    bench
}

pub fn replay(bench: &Bench) -> Output {
    let month = repository("replay-data/payments").canonicalize().unwrap();
    let mut days: Vec<PathBuf> = fs::read_dir(month).unwrap().map(|entry| entry.unwrap().path()).collect();
    days.retain(|path| is_day(path));
    days.sort();
    let mut command = bench.command(&["replay", "--registry", "registry", "--db", "market.db"]);
    command.args(days).output().unwrap()
}

pub fn report(bench: &Bench, more: &[&str]) -> Output {
    let output = bench.run(&[&REPORT, more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    output
}

/// Every file below a folder, by path.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// The lines of a CSV file, by column.
pub fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = csv.lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let cells = columns.iter().zip(line.split(','));
        cells.map(|(column, cell)| ((*column).to_owned(), cell.to_owned())).collect()
    };
    lines.map(row).collect()
}

/// What a spreadsheet's sheets say, as another program reads them.
pub fn sheets(path: &Path) -> BTreeMap<String, Vec<Vec<Data>>> {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    let names = book.sheet_names();
    let sheet = |name: String| {
        let formulas = book.worksheet_formula(&name).unwrap();
        assert!(formulas.used_cells().next().is_none(), "{}: no cell is a formula", path.display());
        let cells = book.worksheet_range(&name).unwrap().rows().map(<[Data]>::to_vec).collect();
        (name, cells)
    };
    names.into_iter().map(sheet).collect()
}
