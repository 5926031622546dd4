//! The table of stages.

use crate::{Form, Input, Makers, Records, books, decode, full_day, issue, process};
use quoteclock_generate::{Load, Options, registry};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A stage of the way from bytes to files, on one load.
#[derive(Debug)]
pub struct Stage {
    /// `stage/case`.
    pub name: &'static str,
    what: What,
    load: Load,
    /// Its result at each [`Size`].
    results: [u64; 2],
}

/// How many events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// Enough to do everything once.
    Small,
    /// Enough to be timed: far more than fits the caches.
    Large,
}

impl Size {
    /// The number of events.
    pub const fn events(self) -> u64 {
        match self {
            Size::Small => 50_000,
            Size::Large => 2_000_000,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum What {
    Decode(Form),
    Book,
    Obligation(Makers),
    FullDay(Form),
    Process(Form),
}

use Form::{Binary, Csv, Itch};
use Load::{TseEtf, UsMarket};
use What::{Book, Decode, FullDay, Obligation, Process};

/// All stages. A result that differs is a change of what is measured, or of the generated day: never of the speed.
#[rustfmt::skip]
pub const STAGES: &[Stage] = &[
    Stage::new("decode/itch/tse-etf", Decode(Itch), TseEtf, [0xa732_22b3_2dd1_2f60, 0x407d_d47b_1f54_f3c8]),
    Stage::new("decode/itch/us-market", Decode(Itch), UsMarket, [0x3087_9f64_76a7_7bb0, 0x362a_bdec_7201_bc33]),
    Stage::new("decode/binary/tse-etf", Decode(Binary), TseEtf, [0xa732_22b3_2dd1_2f60, 0x407d_d47b_1f54_f3c8]),
    Stage::new("decode/binary/us-market", Decode(Binary), UsMarket, [0x3087_9f64_76a7_7bb0, 0x362a_bdec_7201_bc33]),
    Stage::new("decode/csv/tse-etf", Decode(Csv), TseEtf, [0x5a6e_ed3a_168a_57ba, 0x3d5d_7f5b_ec60_f73d]),
    Stage::new("book/tse-etf", Book, TseEtf, [0xc12a_6699_72b6_ada9, 0x7d77_6a48_939e_f661]),
    Stage::new("book/us-market", Book, UsMarket, [0x1104_be33_5327_3304, 0x83f1_77f8_9647_abe2]),
    Stage::new("obligation/0-makers", Obligation(makers(0, 0)), TseEtf, [0x6a29_7612_ad4e_bbc6, 0x0550_ab0e_ed90_fbec]),
    Stage::new("obligation/1-maker", Obligation(makers(1, 0)), TseEtf, [0xd64e_d2d7_2adb_ad16, 0xf0dc_1da8_3974_36c4]),
    Stage::new("obligation/10-makers", Obligation(makers(10, 0)), TseEtf, [0x3271_eb16_bd75_809e, 0xb993_b5bb_e84a_581a]),
    Stage::new("obligation/10-makers-90-silent", Obligation(makers(10, 90)), TseEtf, [0xda16_8f2b_a32f_e09e, 0x0369_a838_807c_897a]),
    Stage::new("obligation/100-silent", Obligation(makers(0, 100)), TseEtf, [0x392a_fedf_7b90_af5e, 0x023a_303f_5f38_ef84]),
    Stage::new("engine/full_day/itch/tse-etf", FullDay(Itch), TseEtf, [0x3f4e_2e89_4150_137d, 0x3dcb_14b8_6641_2c1b]),
    Stage::new("engine/full_day/itch/us-market", FullDay(Itch), UsMarket, [0x7e99_6bc2_df19_d78d, 0xcd15_b083_ef80_9dc9]),
    Stage::new("engine/full_day/binary/tse-etf", FullDay(Binary), TseEtf, [0x3f4e_2e89_4150_137d, 0x3dcb_14b8_6641_2c1b]),
    Stage::new("engine/full_day/binary/us-market", FullDay(Binary), UsMarket, [0x7e99_6bc2_df19_d78d, 0xcd15_b083_ef80_9dc9]),
    Stage::new("engine/full_day/csv/tse-etf", FullDay(Csv), TseEtf, [0xae6c_f61c_7027_dacb, 0xb344_f8db_7c93_819b]),
    Stage::new("process/itch/tse-etf", Process(Itch), TseEtf, [0xf339_a880_0480_5fd0, 0x35e3_456b_33ac_bb6b]),
    Stage::new("process/binary/tse-etf", Process(Binary), TseEtf, [0xf339_a880_0480_5fd0, 0x35e3_456b_33ac_bb6b]),
    Stage::new("process/csv/tse-etf", Process(Csv), TseEtf, [0xfb8c_a27a_ac33_d99c, 0x7b51_c131_d919_2a9e]),
];

const fn makers(quoting: usize, silent: usize) -> Makers {
    Makers { quoting, silent }
}

/// The stage of that name.
///
/// # Panics
/// If there is none.
pub fn stage(name: &str) -> &'static Stage {
    STAGES.iter().find(|stage| stage.name == name).unwrap_or_else(|| panic!("no stage {name}"))
}

/// A stage with its input in memory (that of a process: on the disk), ready to run any number of times.
pub struct Prepared {
    name: &'static str,
    result: u64,
    run: Box<dyn Fn() -> u64>,
}

impl Prepared {
    /// Runs it once, and gives a hash of its result.
    pub fn run(&self) -> u64 {
        (self.run)()
    }

    /// Checks a result.
    ///
    /// # Panics
    /// If it is not the stage's.
    pub fn check(&self, result: u64) {
        assert_eq!(result, self.result, "{}: 0x{result:016x}, expected 0x{:016x}", self.name, self.result);
    }
}

impl Stage {
    const fn new(name: &'static str, what: What, load: Load, results: [u64; 2]) -> Stage {
        Stage { name, what, load, results }
    }

    /// Makes its input.
    ///
    /// # Panics
    /// If the input cannot be made, or the command cannot be built.
    pub fn prepare(&self, size: Size) -> Prepared {
        let options = Options { events: size.events(), ..Options::new(self.load) };
        Prepared { name: self.name, result: self.results[size as usize], run: self.what.prepare(&options) }
    }
}

impl What {
    fn prepare(self, options: &Options) -> Box<dyn Fn() -> u64> {
        match self {
            What::Decode(form) => {
                let input = Input::new(form, options);
                Box::new(move || decode(&input).sum)
            }
            What::Book => {
                let records = Records::of(&Input::itch(options));
                Box::new(move || books(&records))
            }
            What::Obligation(makers) => {
                // As many orders as an issue of the whole market has: the book stays in the first caches.
                let of_one_issue = Options { issues: 1, market_makers: 100, live_orders: 400, ..options.clone() };
                let input = Input::new(Form::Csv, &of_one_issue);
                let (plan, records) = (makers.plan(&input.plan()), Records::of(&input));
                Box::new(move || issue(&plan, &records))
            }
            What::FullDay(form) => {
                let input = Input::new(form, options);
                Box::new(move || full_day(&input).1)
            }
            What::Process(form) => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let events = write_files(&Input::new(form, options), folder.path());
                let quoteclock = build();
                Box::new(move || {
                    let _ = &folder;
                    process(&quoteclock, &events)
                })
            }
        }
    }
}

/// Writes an input and its registry into `folder`.
fn write_files(input: &Input, folder: &Path) -> PathBuf {
    std::fs::create_dir(folder.join("registry")).expect("a new folder");
    for (name, text) in registry(&input.options) {
        std::fs::write(folder.join("registry").join(name), text).expect("a new file");
    }
    let events = folder.join(input.file_name());
    std::fs::write(&events, &input.bytes).expect("a new file");
    events
}

/// Builds the command beside the running program, under the same profile, and gives its path. Tests take the one that is
/// there: those of the workspace have just built it.
fn build() -> PathBuf {
    let program = std::env::current_exe().expect("a running program has a path");
    let profile = program.parent().and_then(Path::parent).expect("programs are in target/<profile>/deps");
    let quoteclock = profile.join("quoteclock").with_extension(std::env::consts::EXE_EXTENSION);
    if cfg!(test) && quoteclock.exists() {
        return quoteclock;
    }
    let name = if cfg!(test) { "dev" } else { "release" };
    let target = profile.parent().expect("profiles are in target");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--workspace", "--bin", "quoteclock", "--profile", name]);
    let status = cargo.arg("--target-dir").arg(target).current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(status.expect("cargo can be run").success(), "the command does not build");
    quoteclock
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_comes_to_its_result() {
        let differs = |stage: &Stage| {
            let prepared = stage.prepare(Size::Small);
            let result = prepared.run();
            (result != prepared.result).then(|| format!("{}: 0x{result:016x}", stage.name))
        };
        let different: Vec<String> = STAGES.iter().filter_map(differs).collect();
        assert!(different.is_empty(), "{different:#?}");
    }

    #[test]
    fn the_binary_form_measures_what_itch_does() {
        for load in [TseEtf, UsMarket] {
            let of = |form| FullDay(form).prepare(&Options { events: Size::Small.events(), ..Options::new(load) })();
            assert_eq!(of(Itch), of(Binary));
        }
    }
}
