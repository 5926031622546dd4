//! One document with the names and columns of the CSV files.

use serde::Serialize;
use std::io::{self, Read, Write};

/// Writes one document: a list for each name, made of parts that [`quoteclock_rows::JsonRows`] wrote, then `rest`, an
/// object whose members follow the lists.
///
/// # Errors
/// Those of the parts and the writer.
pub fn write_document(
    lists: Vec<(&str, Vec<Box<dyn Read + '_>>)>,
    rest: &impl Serialize,
    mut to: impl Write,
) -> io::Result<()> {
    write!(to, "{{")?;
    for (name, parts) in lists {
        write!(to, "\"{name}\":[")?;
        let mut written = 0;
        for mut part in parts {
            let mut first = [0];
            if part.read(&mut first)? == 0 {
                continue;
            }
            write!(to, "{}", if written == 0 { "\n" } else { ",\n" })?;
            to.write_all(&first)?;
            written += 1 + io::copy(&mut part, &mut to)?;
        }
        writeln!(to, "],")?;
    }
    let rest = serde_json::to_string(rest)?;
    writeln!(to, "{}", rest.trim_start_matches('{'))?;
    to.flush()
}
