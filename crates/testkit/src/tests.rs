//! The reference against the rule book's own example, hand-worked tables, and a real day.

mod generated;
mod tables;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Case, Outcome, measure};

/// A folder of real data beside the repository, wherever above it that is.
fn real_data(name: &str) -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.map(|folder| folder.join("shared/data").join(name)).find(|folder| folder.is_dir())
}

#[test]
fn the_real_b3_day_has_its_known_sums() {
    let Some(folder) = real_data("b3-petr4f-2015-11-03") else {
        // Not by `eprintln!`: of that in a test that passes nobody sees anything.
        let _ = writeln!(io::stderr(), "skipped: no shared/data/b3-petr4f-2015-11-03 beside the repository");
        return;
    };
    let mut registry = Vec::new();
    for entry in std::fs::read_dir(folder.join("registry")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        registry.push((name, std::fs::read_to_string(path).unwrap()));
    }
    let events = std::fs::read_to_string(folder.join("events.csv")).unwrap();
    let case = Case { registry, events, date: None, lenient: false, allow_gaps: false };
    let Outcome::Measured { daily, breaches, rejects } = measure(&case) else { panic!("refused") };
    assert_eq!(
        daily,
        "date,market_maker,issue,obligation,available_us,fulfilled_us,unknown_us,display_pct\n\
         2015-11-03,BRK114,PETR4F,general,21300000000,0,0,0.0000\n\
         2015-11-03,BRK120,PETR4F,general,21300000000,15224496000,0,71.4765\n\
         2015-11-03,BRK21,PETR4F,general,21300000000,0,0,0.0000\n\
         2015-11-03,BRK3,PETR4F,general,21300000000,583308000,0,2.7385\n\
         2015-11-03,BRK386,PETR4F,general,21300000000,105829000,0,0.4968\n\
         2015-11-03,BRK40,PETR4F,general,21300000000,0,0,0.0000\n\
         2015-11-03,BRK72,PETR4F,general,21300000000,219205000,0,1.0291\n\
         2015-11-03,BRK74,PETR4F,general,21300000000,0,0,0.0000\n"
    );
    assert_eq!(breaches.lines().count() - 1, 295);
    assert_eq!(rejects, []);
}
