//! What `--shard` says: which part of the issues this machine measures.

use quoteclock_model::Shard;
use std::env;

/// Where the schedulers of job arrays tell a job which one it is; each with what they count from, where that is told, too.
const ARRAYS: [(&str, Option<&str>); 3] = [
    ("SLURM_ARRAY_TASK_ID", Some("SLURM_ARRAY_TASK_MIN")),
    ("AWS_BATCH_JOB_ARRAY_INDEX", None),
    ("JOB_COMPLETION_INDEX", None),
];

/// Reads `0/4`, or `auto/4`, of which the scheduler knows the rest.
pub(crate) fn parse(text: &str) -> Result<Shard, String> {
    parse_in(text, |name| env::var(name).ok())
}

fn parse_in(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let Some(count) = text.strip_prefix("auto/") else { return text.parse().map_err(|error| format!("{error}")) };
    let number = |name: &str, value: String| {
        value.parse::<u32>().map_err(|_| format!("{name} is \"{value}\", expected a whole number"))
    };
    let told = ARRAYS.iter().find_map(|(name, first)| Some((*name, variable(name)?, *first)));
    let Some((name, value, first)) = told else {
        let names = ARRAYS.map(|(name, _)| name).join(", ");
        return Err(format!("auto, but none of {names} is set, expected a job of an array, or a number"));
    };
    let first = match first.and_then(|first| Some((first, variable(first)?))) {
        Some((first, value)) => number(first, value)?,
        None => 0,
    };
    let value = number(name, value)?;
    let index =
        value.checked_sub(first).ok_or_else(|| format!("{name} is {value}, below the array's first, {first}"))?;
    format!("{index}/{count}").parse().map_err(|error| format!("{error} ({name} is {value})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheduler_tells_a_job_which_it_is() {
        let with = |variables: &'static [(&str, &str)]| {
            let variable = |name: &str| variables.iter().find(|(known, _)| *known == name);
            move |text: &str| {
                parse_in(text, |name| variable(name).map(|(_, value)| (*value).to_owned()))
                    .map(|shard| shard.to_string())
            }
        };
        let slurm = with(&[("SLURM_ARRAY_TASK_ID", "7"), ("SLURM_ARRAY_TASK_MIN", "5")]);
        assert_eq!(slurm("auto/4").unwrap(), "2/4");
        assert!(slurm("auto/2").unwrap_err().contains("(SLURM_ARRAY_TASK_ID is 7)"), "beyond the last");
        assert_eq!(slurm("3/4").unwrap(), "3/4", "what is typed counts");
        assert_eq!(with(&[("SLURM_ARRAY_TASK_ID", "3")])("auto/4").unwrap(), "3/4");
        assert_eq!(with(&[("AWS_BATCH_JOB_ARRAY_INDEX", "1")])("auto/4").unwrap(), "1/4");
        assert_eq!(with(&[("JOB_COMPLETION_INDEX", "0")])("auto/1").unwrap(), "0/1");
        assert!(with(&[("SLURM_ARRAY_TASK_ID", "4"), ("SLURM_ARRAY_TASK_MIN", "5")])("auto/4").is_err());
        assert!(
            with(&[("JOB_COMPLETION_INDEX", "x")])("auto/4").unwrap_err().contains("JOB_COMPLETION_INDEX is \"x\"")
        );
        assert!(with(&[])("auto/4").unwrap_err().contains("none of SLURM_ARRAY_TASK_ID"));
        assert!(with(&[("JOB_COMPLETION_INDEX", "0")])("auto/0").is_err());
    }
}
