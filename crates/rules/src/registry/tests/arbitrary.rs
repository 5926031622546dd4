//! Whatever the bytes of a registry are, loading it ends, without a panic, with a registry or with an error.

use super::*;
use jiff::civil::date;
use proptest::prelude::*;

/// A registry that uses every file and every column.
fn full() -> Vec<SourceFile> {
    files(&[
        (
            "scheme.toml",
            "name = \"x\"\nrequired_pct = 80.5\ntimezone = \"Europe/London\"\n[[sessions]]\nfrom = \"2024-01-01\"\n\
             continuous = [\"08:00-16:30\", \"17:00-24:00\"]\n[types.T]\nmax_spread_bps = \"25.5\"\nmin_quantity = 3\n\
             [tick_tables]\ncent = [[10, 0.01], [\"above\", 1]]\n[interpretations]\nsequential_quote = \"exempt\"\n",
        ),
        (
            "issues.csv",
            "issue,name,type,leveraged_inverse,active,index,tick_table,trading_unit,tier,diversified,listed,\
             asset_manager,aum_jpy,from,to\n1306,\"A, B\",T,true,false,I,cent,1,II,true,2024-01-01,AM,5.5,2024-01-01,\n\
             1306,,A,,,,01,,,,,,,,2023-12-31\n",
        ),
        ("virtual_servers.csv", "server,market_maker,participant,from,to\nVS1,MM1,P,2024-01-01,2024-12-31\n"),
        ("signups.csv", "market_maker,issue,participant,from,to\nMM1,1306,P,2024-01-01,2024-12-31\n"),
        ("fast_market.csv", "from,to,multiplier\n2024-03-01,2024-03-05,4\n"),
        ("exemptions.csv", "issue,market_maker,from,to,reason\n*,MM1,2024-03-01T09:00:00.5+00:00,,why\n"),
        (
            "sponsored.csv",
            "condition,issue,max_spread_bps,max_spread_ticks,min_value_jpy,coverage_pct,total_jpy,payment,max_makers,\
             priority,aum_trigger_jpy,aum_part_jpy,asset_manager,from,to\n\
             S,1306,25.5,3,1000000,90,300000,fixed,2,volume;time,5,5,AM,2024-01-01,2024-06-30\n",
        ),
        ("matching_funds.csv", "condition,index,max_spread_ticks,min_value_jpy,max_issues\nM,I,3,1000000,1\n"),
        ("holidays.csv", "date,name\n2024-01-01,New Year\n"),
    ])
}

fn check(files: &[SourceFile]) {
    let loaded = Registry::load(files);
    let errors = printed(&loaded, Severity::Error);
    assert_eq!(loaded.registry.is_none(), !errors.is_empty());
    if let Some(registry) = loaded.registry {
        for on in [date(2023, 12, 31), date(2024, 3, 1), Date::MIN, Date::MAX] {
            let _ = registry.plan(on);
        }
    }
}

#[test]
fn the_full_registry_loads() {
    assert_eq!(printed(&Registry::load(&full()), Severity::Error), [""; 0]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(contents in proptest::collection::vec(any::<Vec<u8>>(), FILE_NAMES.len())) {
        let named = FILE_NAMES.iter().zip(contents);
        let files: Vec<SourceFile> = named.map(|(name, bytes)| SourceFile { name: (*name).to_owned(), bytes }).collect();
        check(&files);
    }

    #[test]
    fn mutated_files_never_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_u8..4,
            prop::sample::select(b",\"\n\r-.:;0139ZT+*[]={}x \xff\t\x00".to_vec())), 1..6)
    ) {
        let mut files = full();
        for (file, at, kind, byte) in edits {
            let count = files.len();
            let bytes = &mut files[file.index(count)].bytes;
            if bytes.is_empty() {
                continue;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
        check(&files);
    }
}

#[test]
fn a_registry_of_many_rows_loads_in_time_that_grows_with_it() {
    const COUNT: u32 = 100_000;
    let rows = |row: &dyn Fn(u32) -> String| (0..COUNT).map(row).collect::<String>();
    let issues = format!("issue,type,tick_table\n{}", rows(&|n| format!("{n},A,01\n")));
    let sign_ups = format!("market_maker,issue\n{}", rows(&|n| format!("MM1,{n}\n")));
    // As many again that no row defines: errors must not be dearer than rows.
    let wrong = format!("market_maker,issue\n{}", rows(&|n| format!("MM1,x{n}\n")));
    let loaded = Registry::load(&files(&[("issues.csv", &issues), ("signups.csv", &sign_ups)]));
    let plan = loaded.registry.expect("no errors").plan(date(2024, 3, 1)).expect("in range");
    assert_eq!(plan.sign_ups.len(), COUNT as usize);
    let loaded = Registry::load(&files(&[("issues.csv", &issues), ("signups.csv", &wrong)]));
    assert_eq!(printed(&loaded, Severity::Error).len(), COUNT as usize);
}

#[test]
fn a_damaged_scheme_neither_overflows_the_stack_nor_takes_long() {
    let nested = "[".repeat(300_000);
    for text in [
        format!("x = {nested}"),
        nested,
        "a.".repeat(300_000),
        "x = { y = ".repeat(100_000),
        "a\n".repeat(100_000),
        "name = 1 1 1 ".repeat(50_000),
        "=".repeat(300_000),
        (0..50_000).map(|n| format!("k{n} = 1\n")).collect(),
    ] {
        let loaded = Registry::load(&files(&[("scheme.toml", &text)]));
        assert!(loaded.registry.is_none());
        assert!((1..=1000).contains(&printed(&loaded, Severity::Error).len()));
    }
}
