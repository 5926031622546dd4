//! The queries of `docs/ANALYSIS.md`, run over the bundled days: those of SQLite always, the others where DuckDB and polars
//! are installed.
#![cfg(feature = "parquet")]

mod support;

use std::fs;
use std::process::Command;
use support::{Bench, repository, skipped, stderr, stdout};

/// The code blocks of the page in one language.
fn blocks(language: &str) -> Vec<String> {
    let page = fs::read_to_string(repository("docs/ANALYSIS.md")).expect("the page");
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|block| block.split("```").next().expect("an end").to_owned()).collect()
}

/// A folder with the bundled days' results as Parquet, and their database.
fn results() -> Bench {
    let bench = Bench::new();
    let days = repository("replay-data/tse-small").canonicalize().expect("bundled days");
    let mut command = bench.command(&["replay", "--parquet", "--out", "results", "--db", "market.db", "--registry"]);
    command.arg(days.join("registry")).arg(days.join("2024-03-01.csv")).arg(days.join("2024-03-04.csv"));
    let output = command.output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    bench
}

/// Runs Python in the folder; `None`, said so, where a package is not installed.
fn python(bench: &Bench, package: &str, script: &str) -> Option<String> {
    let is_installed = |name: &str| {
        let check = Command::new("python3").args(["-c", &format!("import {name}")]).output();
        check.is_ok_and(|output| output.status.success())
    };
    if !is_installed(package) {
        skipped(format_args!("{package} for Python is not installed"));
        return None;
    }
    let output =
        Command::new("python3").args(["-c", script]).current_dir(bench.path("")).output().expect("Python runs");
    assert!(output.status.success(), "{script}\n{}", stderr(&output));
    Some(stdout(&output))
}

#[test]
fn parquet_files_stand_beside_the_csv_and_begin_as_such() {
    let bench = results();
    for name in ["daily", "breaches"] {
        let bytes = fs::read(bench.path("results").join(name).with_extension("parquet")).expect("the file");
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
        assert!(bench.path("results").join(name).with_extension("csv").exists());
    }
}

#[test]
fn the_duckdb_queries_run_and_say_what_the_csv_says() {
    let bench = results();
    let queries = blocks("sql");
    assert_eq!(queries.len(), 5);
    for query in &queries {
        let script = format!("import duckdb\nfor row in duckdb.sql('''{query}''').fetchall(): print(row)");
        let Some(rows) = python(&bench, "duckdb", &script) else { return };
        let finds_contradictions = query.contains("<>");
        assert_eq!(rows.is_empty(), finds_contradictions, "{query}\n{rows}");
    }
    let count = "import duckdb\n\
        for name in ['daily', 'breaches']:\n    \
            key = 'date, market_maker, issue, obligation'\n    \
            csv = duckdb.sql(f\"SELECT {key} FROM read_csv('results/{name}.csv')\").fetchall()\n    \
            parquet = duckdb.sql(f\"SELECT {key} FROM 'results/{name}.parquet'\").fetchall()\n    \
            assert len(csv) == len(parquet) > 30 and csv == parquet\n\
        lost = duckdb.sql(\"SELECT sum(available_us - fulfilled_us) FROM 'results/daily.parquet'\").fetchall()\n\
        assert lost == duckdb.sql(\"SELECT sum(duration_us) FROM 'results/breaches.parquet'\").fetchall()\n\
        print(duckdb.sql(\"SELECT display_pct FROM 'results/daily.parquet' LIMIT 1\").fetchall()[0][0])";
    assert_eq!(python(&bench, "duckdb", count).as_deref(), Some("98.8184\n"));
}

#[test]
fn the_polars_examples_run() {
    let bench = results();
    let examples = blocks("python");
    assert_eq!(examples.len(), 3);
    for example in &examples {
        let Some(table) = python(&bench, "polars", example) else { return };
        assert!(table.contains("MM2"), "{table}");
    }
}

/// The rows of a query, each as text with `|` between its values.
fn sqlite(bench: &Bench, query: &str) -> Vec<String> {
    let database = rusqlite::Connection::open(bench.path("market.db")).expect("the database");
    let mut statement = database.prepare(query).unwrap_or_else(|error| panic!("{query}\n{error}"));
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cell = |column| {
            row.get_ref(column).map(|value| match value {
                rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                rusqlite::types::ValueRef::Real(number) => number.to_string(),
                other => format!("{other:?}"),
            })
        };
        Ok((0..columns).map(cell).collect::<Result<Vec<_>, _>>()?.join("|"))
    });
    rows.expect("it runs").map(|row| row.expect("a row")).collect()
}

#[test]
fn the_sqlite_queries_run_and_say_what_the_csv_says() {
    let bench = results();
    let queries = blocks("sqlite");
    assert_eq!(queries.len(), 3);
    let shares = sqlite(&bench, &queries[0]);
    assert!(shares.len() > 10 && shares.iter().any(|row| row.starts_with("MM1|1306|general|")), "{shares:?}");
    // All minutes together are all of the lost time, and none has more than its minute for each obligation and day.
    let minutes = sqlite(&bench, queries[1].trim().trim_end_matches("LIMIT 10;"));
    let seconds: Vec<f64> =
        minutes.iter().map(|row| row.split('|').nth(1).expect("two columns").parse().expect("a number")).collect();
    let lost = "SELECT sum(end_us - start_us) / 1e6 FROM breaches WHERE obligation = 'general'";
    let lost: f64 = sqlite(&bench, lost)[0].parse().expect("a number");
    assert!((seconds.iter().sum::<f64>() - lost).abs() < 1e-3, "{minutes:?}");
    let obligations = "SELECT count(*) FROM results WHERE obligation = 'general'";
    let obligations: f64 = sqlite(&bench, obligations)[0].parse().expect("a number");
    assert!(seconds.iter().all(|minute| *minute <= 60.0 * obligations), "{minutes:?}");
    assert_eq!(sqlite(&bench, &queries[1]), minutes[..10]);
    assert_eq!(sqlite(&bench, &queries[2]).len(), 2);
}

#[test]
fn minutes_of_duckdb_are_those_of_sqlite() {
    let bench = results();
    let query = &blocks("sql")[3];
    assert!(query.contains("generate_series"), "the query of minutes");
    let script =
        format!("import duckdb\nfor row in duckdb.sql('''{query}''').fetchall(): print(f'{{row[0]}}|{{row[1]:g}}')");
    let Some(rows) = python(&bench, "duckdb", &script) else { return };
    let minute = |row: &str| -> (String, f64) {
        let (clock, seconds) = row.split_once('|').expect("two columns");
        (clock.to_owned(), (seconds.parse::<f64>().expect("a number") * 10.0).round())
    };
    let sqlite: Vec<_> = sqlite(&bench, &blocks("sqlite")[1]).iter().map(|row| minute(row)).collect();
    assert_eq!(rows.lines().map(minute).collect::<Vec<_>>(), sqlite);
}
