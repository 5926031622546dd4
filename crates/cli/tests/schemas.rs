//! Every `--json` document, and the line by which `serve` and `publish` say that they are ready, against its JSON Schema in `docs/schema`: names, always; all of the schema, where Python's
//! `jsonschema` is installed.

mod support;

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use support::{Bench, repository, skipped, stderr};

/// The schema of a document.
fn schema(name: &str) -> Value {
    let file = repository("docs/schema").join(format!("{name}.json"));
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).expect("JSON")
}

/// Holds an object's members to those that a schema has: no other ones, and all that it requires.
fn hold_members(whose: &str, object: &Map<String, Value>, schema: &Value) {
    assert_eq!(schema["additionalProperties"], false, "{whose}");
    let properties = schema["properties"].as_object().expect("properties");
    let required = schema["required"].as_array().expect("required");
    for member in object.keys() {
        assert!(properties.contains_key(member), "{whose}: the schema has no {member}");
    }
    for member in required {
        assert!(object.contains_key(member.as_str().expect("a name")), "{whose}: {member} is not there");
    }
}

/// Holds a document to its schema.
fn hold(name: &str, text: &str, seen: &mut BTreeSet<String>) {
    let document: Value = serde_json::from_str(text).expect("JSON");
    let schema = schema(name);
    // What tells one form of a document from a later one; a line has no such mark, and says that it is ready.
    let mark = if READY_LINES.contains(&name) { "ready" } else { "schema" };
    let expected = if mark == "ready" { Value::from(true) } else { Value::from(1) };
    assert_eq!((&document[mark], &schema["properties"][mark]["const"]), (&expected, &expected), "{name}");
    let members = document.as_object().expect("an object");
    hold_members(name, members, &schema);
    for (list, rows) in members.iter().filter_map(|(list, value)| Some((list, value.as_array()?))) {
        let items = &schema["properties"][list]["items"];
        for row in rows.iter().filter_map(Value::as_object) {
            hold_members(&format!("{name}.{list}"), row, items);
            seen.insert(format!("{name}.{list}"));
        }
    }
    seen.insert(name.to_owned());
    validate(name, text);
}

/// The schemas of lines, each named as the command that prints it.
const READY_LINES: [&str; 2] = ["serve", "publish"];

/// Has Python judge a document by all of its schema, and another one's mark refused.
fn validate(name: &str, text: &str) {
    const SCRIPT: &str = "import json, sys\n\
        try: from jsonschema import Draft202012Validator as Validator\n\
        except ImportError: sys.exit(77)\n\
        schema, document = json.load(open(sys.argv[1])), json.load(sys.stdin)\n\
        Validator.check_schema(schema)\n\
        errors = [f'{list(e.absolute_path)} {e.message}' for e in Validator(schema).iter_errors(document)]\n\
        mark = 'schema' if 'schema' in document else 'ready'\n\
        assert Validator(schema).is_valid({**document, mark: 2}) is False\n\
        sys.exit('\\n'.join(errors[:5]) or 0)";
    let file = repository("docs/schema").join(format!("{name}.json"));
    let mut python = Command::new("python3");
    python.args(["-c", SCRIPT]).arg(file).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match python.spawn() {
        Ok(child) => child,
        Err(error) => return skipped(error),
    };
    // A program that leaves at once has no wish to read.
    let _ = child.stdin.take().expect("a pipe").write_all(text.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    match output.status.code() {
        Some(0) => {}
        Some(77) => skipped("jsonschema for Python is not installed"),
        _ => panic!("{name}: {}", stderr(&output)),
    }
}

/// The first line that a command prints which goes on running until it is ended.
fn first_line(bench: &Bench, arguments: &[&str]) -> String {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.current_dir(bench.path("")).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line);
    let _ = child.kill();
    child.wait().expect("it has been ended");
    read.expect("a line");
    line
}

#[test]
fn documents_are_what_their_schemas_say() {
    let bench = Bench::new();
    let days = repository("replay-data/tse-small").canonicalize().expect("bundled days");
    let path = |name: &str| days.join(name).display().to_string();
    let etf = |name: &str| repository("replay-data/etf").join(name).display().to_string();
    let (registry, first, second) = (path("registry"), path("2024-03-01.csv"), path("2024-03-04.csv"));
    // A day that lacks records, and has one that is bad.
    let text = fs::read_to_string(&first).expect("the day");
    let damaged: Vec<&str> = text.lines().take(60).chain(["60,nonsense"]).collect();
    bench.write("damaged.csv", format!("{}\n", damaged.join("\n")).as_bytes());
    let mut seen = BTreeSet::new();
    let store = ["replay", "--registry", &registry, "--db", "m.db", "--out", "out", &first, &second, "--quiet"];
    assert_eq!(bench.run(&store).status.code(), Some(0));
    let again = ["replay", "--registry", &registry, "--out", "short", "--lenient", "--quiet", "damaged.csv"];
    assert_eq!(bench.run(&again).status.code(), Some(3));
    let month = ["--registry", &registry, "--db", "m.db", "--month", "2024-03"];
    let mut hold_output = |name: &str, arguments: &[&str]| {
        let output = bench.run(&[arguments, &["--json"]].concat());
        assert!(!output.stdout.is_empty(), "{arguments:?}: {}", stderr(&output));
        hold(name, &support::stdout(&output), &mut seen);
    };
    hold_output("replay", &["replay", "--registry", &registry, "--lenient", "damaged.csv"]);
    hold_output("replay", &["replay", "--registry", &registry, "--db", "m.db", &first, &second]);
    hold_output("report", &[&["report"], &month[..]].concat());
    let access_fee = ["--why", "--market-maker", "MM1", "--issue", "1306", "--incentive", "access_fee"];
    hold_output("report-why", &[&["report"], &month[..], &access_fee].concat());
    hold_output("status", &[&["status"], &month[..]].concat());
    hold_output("tiers", &[&["tiers"], &month[..]].concat());
    hold_output("days", &["days", "--db", "m.db", "--registry", &registry]);
    hold_output("days", &["days", "--db", "m.db"]);
    hold_output("check", &["check", "--registry", &registry]);
    hold_output("schemes", &["schemes"]);
    hold_output("compare", &["compare", "out", "m.db"]);
    hold_output("compare", &["compare", "out", "short"]);
    for more in [&[][..], &["--public"], &["--short-selling"]] {
        hold_output("list", &[&["list", "--registry", &registry, "--date", "2024-03-01"], more].concat());
    }
    hold_output("etf-stock-connect", &["etf", "stock-connect", "--data", &etf("stock-connect"), "--review", "2024-06"]);
    hold_output("etf-licences", &["etf", "licences", "--data", &etf("licences")]);
    let quota = ["--allocation", "quota", "--date", "2017-06-30"];
    hold_output("etf-inclusion", &[&["etf", "inclusion", "--data", &etf("inclusion")], &quota[..]].concat());
    hold_output("etf-feeders", &["etf", "feeders", "--data", &etf("feeders"), "--year", "2024"]);
    let maker = ["explain", "--registry", &registry, "--market-maker", "MM1"];
    let of_issue = [&maker[..], &["--issue", "1306"]].concat();
    hold_output("explain", &[&of_issue[..], &[&first]].concat());
    for at in ["10:16", "10:15:30.2", "12:00"] {
        hold_output("explain", &[&of_issue[..], &["--at", at, &first]].concat());
    }
    hold_output("explain", &[&of_issue[..], &["--db", "m.db", "--date", "2024-03-04"]].concat());
    hold_output("explain", &[&of_issue[..], &["--lenient", "--at", "14:59", "damaged.csv"]].concat());
    hold_output("explain-several", &[&maker[..], &[&first]].concat());
    hold_output("explain-several", &[&maker[..], &["--db", "m.db", "--month", "2024-03"]].concat());
    let publish = ["publish", "--listen", "soup://127.0.0.1:0", &first];
    hold("publish", &first_line(&bench, &publish), &mut seen);
    let serve = ["serve", "--registry", &registry, "--db", "live.db", "--journal", "journal", "--feed", "-"];
    for more in [&[][..], &["--http", "127.0.0.1:0"]] {
        hold("serve", &first_line(&bench, &[&serve[..], more].concat()), &mut seen);
    }
    for list in [
        "replay.daily",
        "replay.breaches",
        "replay.rejects",
        "replay.coverage",
        "report.monthly",
        "report-why.why",
        "status.status",
        "explain.outages",
        "explain-several.obligations",
    ] {
        assert!(seen.contains(list), "no row of {list} was looked at");
    }
    for file in fs::read_dir(repository("docs/schema")).expect("the schemas") {
        let name = file.expect("a file").file_name().into_string().expect("text");
        let name = name.strip_suffix(".json").expect("a schema");
        assert!(seen.contains(name), "no document was held to {name}");
    }
}
