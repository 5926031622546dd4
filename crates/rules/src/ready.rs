//! Ready schemes of other venues: files of `schemes/`, by name.
//!
//! They are data, each with its public source, what it leaves out, and what no public text gives, which is the user's to
//! enter: the beginning of each file says so, in words that are read here.

/// A ready scheme.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadyScheme {
    /// By which it is asked for.
    pub name: &'static str,
    /// The `scheme.toml`.
    pub text: &'static str,
}

macro_rules! ready {
    ($($name:literal)*) => {
        &[$(ReadyScheme { name: $name, text: include_str!(concat!("../../../schemes/", $name, ".toml")) }),*]
    };
}

/// All of them, by name.
pub const READY_SCHEMES: &[ReadyScheme] = ready! { "borsaitaliana" "bux" "rts8" "six" "twse" "wiener" "xetra" };

impl ReadyScheme {
    /// The scheme of that name.
    ///
    /// ```
    /// use quoteclock_rules::ReadyScheme;
    /// let scheme = ReadyScheme::named("rts8").unwrap();
    /// assert!(scheme.title().starts_with("Market making under MiFID II"));
    /// assert!(scheme.source().contains("2017/578"));
    /// assert!(ReadyScheme::named("tokyo").is_none());
    /// ```
    pub fn named(name: &str) -> Option<&'static ReadyScheme> {
        READY_SCHEMES.iter().find(|scheme| scheme.name == name)
    }

    /// What it is, in a line.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("# ")
    }

    /// Where its rules are from.
    pub fn source(&self) -> String {
        self.note("Source")
    }

    /// What of the rules it does not have, and why.
    pub fn left_out(&self) -> String {
        self.note("Left out")
    }

    /// What the user has to enter.
    pub fn to_enter(&self) -> String {
        self.note("To enter")
    }

    /// A note of the beginning of the file, on one line or more.
    fn note(&self, label: &str) -> String {
        let begin = format!("# {label}: ");
        let mut lines = self.text.lines().skip_while(|line| !line.starts_with(&begin));
        let first = lines.next().unwrap_or_default().trim_start_matches(&begin);
        let more = lines.take_while(|line| line.starts_with("#   ")).map(|line| line.trim_start_matches("#   "));
        std::iter::once(first).chain(more).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_says_what_it_is_and_where_from() {
        assert!(READY_SCHEMES.is_sorted_by_key(|scheme| scheme.name));
        for scheme in READY_SCHEMES {
            assert!(scheme.title().chars().count() <= 66, "{}: a line of 80 columns holds it", scheme.name);
            for said in [scheme.title().to_owned(), scheme.source(), scheme.left_out(), scheme.to_enter()] {
                assert!(10 < said.len() && !said.contains('#') && !said.contains('\n'), "{}: {said:?}", scheme.name);
            }
        }
    }
}
