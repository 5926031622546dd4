//! Every public item of the front door has an example, and every example runs.
//!
//! It reads the sources: what rustdoc knows of that it tells to nightly compilers only. Items of other crates that `lib.rs`
//! re-exports have theirs there, or where they are defined. Fields and variants need none.

use std::fs;
use std::path::{Path, PathBuf};

/// Something public, with the lines of documentation above it.
struct Item {
    /// `pub fn replay_with(` for one that is defined, `pub use quoteclock_feed::Place;` for one that is re-exported.
    text: String,
    docs: Vec<String>,
}

/// The public items of a source file: of the file itself, and methods. Unit tests come last in a file and are left out.
fn items(file: &Path) -> Vec<Item> {
    let text = fs::read_to_string(file).expect("a source file");
    let lines: Vec<&str> = text.lines().take_while(|line| *line != "#[cfg(test)]").collect();
    let is_above = |line: &&&str| {
        let line = line.trim();
        line.starts_with("///") || (!line.is_empty() && !line.ends_with(['{', '}', ';', ',']))
    };
    let mut items = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if !line.trim_start().starts_with("pub ") || 4 < indent {
            continue;
        }
        let above = lines[..number].iter().rev().take_while(is_above);
        let mut docs: Vec<String> = above.map(|line| line.trim().to_owned()).collect();
        docs.reverse();
        let mut text = String::new();
        for line in &lines[number..] {
            text.push_str(line.trim());
            // A list of what is re-exported may have many lines.
            if line.ends_with(';') || (line.ends_with(['{', ',', ')']) && !text.starts_with("pub use ")) {
                break;
            }
        }
        items.push(Item { text, docs });
    }
    items
}

impl Item {
    /// The name of what is defined; `None` of fields, modules and re-exports.
    fn name(&self) -> Option<&str> {
        const KINDS: [&str; 7] = ["struct", "enum", "trait", "fn", "type", "const", "static"];
        let mut words = self.text.split_whitespace().skip(1).skip_while(|word| ["async", "unsafe"].contains(word));
        let kind = words.next().filter(|word| KINDS.contains(word))?;
        // `pub const fn name`, `pub const NAME`.
        let named = words.next().filter(|word| kind != "const" || *word != "fn").or_else(|| words.next())?;
        named.split(|character: char| !character.is_alphanumeric() && character != '_').next()
    }

    /// The crate, without `quoteclock_`, and the names that are re-exported of it.
    fn reexported(&self) -> Option<(&str, Vec<&str>)> {
        let (of, names) = self.text.strip_prefix("pub use quoteclock_")?.split_once("::")?;
        let names = names.trim_end_matches(';').trim_matches(['{', '}']);
        Some((of, names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()))
    }

    /// What is wrong with its examples.
    fn fault(&self) -> Option<&'static str> {
        let docs = self.docs.iter().filter_map(|line| line.strip_prefix("///")).map(str::trim);
        let (mut count, mut is_inside, mut code) = (0, false, Vec::new());
        for line in docs {
            match line.strip_prefix("```") {
                Some(_) if is_inside => is_inside = false,
                Some("") => (count, is_inside) = (count + 1, true),
                Some(_) => return Some("an example that does not run"),
                None if is_inside => code.push(line),
                None => {}
            }
        }
        // The body of a function that nobody calls is compiled, and no more.
        let code = code.join("\n");
        let is_called = |name: &str| 1 < code.matches(&format!("{name}(")).count();
        let declared = code.split("fn ").skip(1).filter_map(|rest| rest.split_once(['(', '<']));
        if declared.map(|(name, _)| name).any(|name| !name.contains(char::is_whitespace) && !is_called(name)) {
            return Some("an example in a function that nobody calls");
        }
        (count == 0).then_some("no example")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All source files under a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The item of that name in a crate, or in the one that it has it from.
fn defined(of: &str, name: &str) -> Item {
    let folder = root().join(of).join("src");
    let all = sources(&folder).iter().flat_map(|file| items(file)).collect::<Vec<_>>();
    let from =
        all.iter().filter_map(Item::reexported).find(|(_, names)| names.contains(&name)).map(|(of, _)| of.to_owned());
    match all.into_iter().find(|item| item.name() == Some(name)) {
        Some(item) => item,
        None => defined(&from.unwrap_or_else(|| panic!("{name} is nowhere in {of}")), name),
    }
}

#[test]
fn every_public_item_has_an_example_that_runs() {
    let folder = root().join("quoteclock/src");
    let mut without = Vec::new();
    let mut count = 0;
    for file in sources(&folder) {
        for item in items(&file) {
            let place = file.file_name().expect("a name").display().to_string();
            if let Some(name) = item.name() {
                count += 1;
                without.extend(item.fault().map(|fault| format!("{place}: {name}: {fault}")));
            } else if let Some((of, names)) = item.reexported() {
                count += names.len();
                let fault = |name| if item.docs.is_empty() { defined(of, name).fault() } else { item.fault() };
                let found = names.iter().map(|&name| (name, fault(name)));
                without.extend(found.filter_map(|(name, fault)| Some(format!("{of}: {name}: {}", fault?))));
            }
        }
    }
    without.sort();
    assert!(without.is_empty(), "{}", without.join("\n"));
    assert!(150 < count, "the sources are read as they are written: {count} items");
}

#[test]
fn an_example_that_does_not_run_is_found() {
    let fault = |docs: &str| Item { text: String::new(), docs: docs.lines().map(str::to_owned).collect() }.fault();
    assert_eq!(fault("/// Words.\n///\n/// ```\n/// assert!(true);\n/// ```"), None);
    assert_eq!(fault("/// Words."), Some("no example"));
    assert_eq!(fault("/// ```no_run\n/// loop {}\n/// ```"), Some("an example that does not run"));
    let nobodys = "/// ```\n/// # fn tell(day: &Day) {\n/// println!();\n/// # }\n/// ```";
    assert_eq!(fault(nobodys), Some("an example in a function that nobody calls"));
}
