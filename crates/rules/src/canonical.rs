//! A plan as text that is the same exactly where it measures the same: what is hashed to tell whether a changed registry
//! would alter a day.
//!
//! Everything that can alter a figure is in it, and nothing else: not the names of firms, not an exemption during lunch,
//! not a tick table under limits without ticks, not the share that a month requires (no day depends on it). The form is
//! for comparison, not for reading back; changing it makes every stored day look changed, so its first line is a version.

use crate::{
    Availability, CounterpartyMarketMaker, DayPlan, LimitChange, Limits, Manner, ObligationPlan, PhaseSource,
    SelfTrades, SidesRequired, SignUpPlan, SpreadBand, SpreadBase,
};
use quoteclock_model::{Micros, Phase, Phases, Price, SizeRule, Span, merge_spans};
use std::collections::BTreeSet;
use std::fmt::Write;

impl DayPlan {
    /// The plan's canonical text.
    ///
    /// # Panics
    /// Never: writing to a string cannot fail.
    pub fn canonical(&self) -> String {
        let mut text = String::from("quoteclock day plan 1\n");
        self.write_canonical(&mut text).expect("writing to a string");
        text
    }

    fn write_canonical(&self, to: &mut String) -> std::fmt::Result {
        writeln!(to, "date {}", self.date)?;
        spans(to, "day", &[self.day])?;
        spans(to, "sessions", self.sessions())?;
        let phase_source = match self.phase_source {
            PhaseSource::Schedule => "schedule",
            PhaseSource::Feed => "feed",
        };
        let sequential_quote = self.trading.phases.contains(Phase::SequentialQuote);
        writeln!(to, "phases {phase_source} sequential_quote {sequential_quote}")?;
        // Left out where they are as usual: those are the plans that earlier versions wrote.
        if self.self_trades != SelfTrades::MarketMaker {
            writeln!(to, "self_trades other")?;
        }
        if self.counterparty_market_maker != CounterpartyMarketMaker::SignedUpForIssue {
            writeln!(to, "counterparty_market_maker any")?;
        }
        self.write_servers(to)?;
        self.sign_ups.iter().try_for_each(|sign_up| self.write_sign_up(to, sign_up))
    }

    /// The servers of market makers that are signed up for anything. Others' orders are anybody's.
    fn write_servers(&self, to: &mut String) -> std::fmt::Result {
        let makers: BTreeSet<&str> = self.sign_ups.iter().map(|sign_up| sign_up.market_maker.as_str()).collect();
        for server in self.servers.iter().filter(|server| makers.contains(server.market_maker.as_str())) {
            writeln!(to, "server {} {}", name(&server.name), name(&server.market_maker))?;
        }
        Ok(())
    }

    fn write_sign_up(&self, to: &mut String, sign_up: &SignUpPlan) -> std::fmt::Result {
        writeln!(to, "sign_up {} {}", name(&sign_up.market_maker), sign_up.issue)?;
        for &server in sign_up.servers.iter() {
            writeln!(to, "own {}", name(&self.servers[server].name))?;
        }
        // Only what of an exemption lies in some obligation's time alters anything.
        let windows = sign_up.obligations.iter().flat_map(|obligation| obligation.availability.windows.iter());
        let windows = merge_spans(windows.copied().collect());
        let clipped = |exempt: &Span| windows.iter().filter_map(|&window| exempt.clip(window)).collect::<Vec<_>>();
        spans(to, "exempt", &merge_spans(sign_up.exempt.iter().flat_map(clipped).collect()))?;
        sign_up.obligations.iter().try_for_each(|obligation| self.write_obligation(to, obligation))
    }

    fn write_obligation(&self, to: &mut String, obligation: &ObligationPlan) -> std::fmt::Result {
        let ObligationPlan { id, multiplier: _, limits, limit_changes, availability, required: _ } = obligation;
        write!(to, "obligation {}", name(&id.to_string()))?;
        write_limits(to, limits)?;
        for LimitChange { at, limits } in limit_changes.iter() {
            write!(to, "from {}", at.as_micros())?;
            write_limits(to, limits)?;
        }
        // What is the market's own time stands above.
        let Availability { windows, phases, start_delay } = &**availability;
        if *windows != self.trading.windows {
            spans(to, "windows", windows)?;
        }
        if *phases != self.trading.phases {
            writeln!(to, "required_in {}", phase_names(*phases))?;
        }
        if *start_delay != Micros::ZERO {
            writeln!(to, "start_delay {}", start_delay.0)?;
        }
        Ok(())
    }
}

/// The names of a set of phases.
fn phase_names(phases: Phases) -> String {
    Phase::ALL.iter().filter(|phase| phases.contains(**phase)).map(|phase| phase.as_str()).collect::<Vec<_>>().join(" ")
}

fn write_limits(to: &mut String, limits: &Limits) -> std::fmt::Result {
    let Limits { spread_bps_max, spread_ticks_max, value_min, quantity_min, manner, tick_table } = limits;
    let Manner {
        spread_base,
        width_max,
        bands,
        size_rule,
        value_at_price,
        size_divergence_pct_max,
        sides,
        resting_min,
    } = manner;
    if let Some(bps) = spread_bps_max {
        write!(to, " bps_e4 {}", bps.0)?;
    }
    if let Some(value) = value_min {
        write!(to, " value_e4 {}", value.0)?;
    }
    if let Some(quantity) = quantity_min {
        write!(to, " shares {}", quantity.0)?;
    }
    write_width(to, *width_max)?;
    for SpreadBand { up_to, limits } in bands.iter() {
        let up_to = up_to.map_or("above".to_owned(), |up_to| up_to.ten_thousandths().to_string());
        write!(to, " band {up_to}")?;
        if let Some(bps) = limits.bps_max {
            write!(to, " bps_e4 {}", bps.0)?;
        }
        if let Some(ticks) = limits.ticks_max {
            write!(to, " ticks {}", ticks.0)?;
        }
        write_width(to, limits.width_max)?;
    }
    // Words stand only where they alter something, so that plans of earlier versions keep their text.
    let has_bps = spread_bps_max.is_some() || bands.iter().any(|band| band.limits.bps_max.is_some());
    if has_bps && *spread_base != SpreadBase::Mid {
        write!(to, " of {}", spread_base.as_str())?;
    }
    if *size_rule == SizeRule::Any && value_min.is_some() && quantity_min.is_some() {
        write!(to, " any")?;
    }
    if *value_at_price && value_min.is_some() {
        write!(to, " value_at_price")?;
    }
    if let Some(pct) = size_divergence_pct_max {
        write!(to, " divergence_e4 {pct}")?;
    }
    if *sides == SidesRequired::Either {
        write!(to, " either")?;
    }
    if *resting_min != Micros::ZERO {
        write!(to, " resting {}", resting_min.0)?;
    }
    let of_band_in_ticks = bands.iter().any(|band| band.limits.ticks_max.is_some());
    if let Some(ticks) = spread_ticks_max {
        write!(to, " ticks {}", ticks.0)?;
    }
    if spread_ticks_max.is_some() || of_band_in_ticks {
        for (above, tick) in tick_table.steps() {
            write!(to, " {above}:{tick}")?;
        }
    }
    writeln!(to)
}

fn write_width(to: &mut String, width_max: Option<Price>) -> std::fmt::Result {
    width_max.map_or(Ok(()), |max| write!(to, " width_e4 {}", max.ten_thousandths()))
}

fn spans(to: &mut String, label: &str, spans: &[Span]) -> std::fmt::Result {
    write!(to, "{label}")?;
    for span in spans {
        write!(to, " {}..{}", span.start.as_micros(), span.end.as_micros())?;
    }
    writeln!(to)
}

/// A name behind its length in bytes: whatever it holds, two lists of names never look alike.
fn name(name: &str) -> String {
    format!("{}:{name}", name.len())
}

#[cfg(test)]
mod tests {
    use crate::{Loaded, Registry, SourceFile};
    use jiff::civil::date;

    const SIGN_UPS: &str = "market_maker,issue,participant,from,to\nMM1,1306,P1,,\n";
    const FILES: [(&str, &str); 4] = [
        ("issues.csv", "issue,name,type,tick_table,index\n1306,Kita,A,04,TOPIX\n1321,Nishi,B,01,\n"),
        ("market_makers.csv", "market_maker,name\nMM1,Alpha\nMM2,Bravo\n"),
        ("virtual_servers.csv", "server,market_maker,participant\nVS1,MM1,P1\nVS2,MM2,\n"),
        ("signups.csv", SIGN_UPS),
    ];

    /// The text of 2024-03-01 with some files replaced or added.
    fn canonical(changes: &[(&str, &str)]) -> String {
        let mut files: Vec<(&str, &str)> =
            FILES.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name)).copied().collect();
        files.extend(changes);
        let source = |(name, text): (&str, &str)| SourceFile { name: name.to_owned(), bytes: text.as_bytes().to_vec() };
        let Loaded { registry, findings } = Registry::load(&files.into_iter().map(source).collect::<Vec<_>>());
        registry.unwrap_or_else(|| panic!("{findings:?}")).plan(date(2024, 3, 1)).unwrap().canonical()
    }

    #[test]
    fn what_alters_no_figure_alters_nothing() {
        let before = canonical(&[]);
        for change in [
            ("market_makers.csv", "market_maker,name\nMM1,Alpha Trading\nMM2,Bravo\nMM3,New\n"),
            ("issues.csv", "issue,name,type,tick_table,index\n1306,Kita TOPIX,A,04,\n1321,Nishi,C,01,\n"),
            ("virtual_servers.csv", "server,market_maker,participant\nVS1,MM1,P1\nVS2,MM2,\nVS3,MM2,\n"),
            ("fast_market.csv", "from,to,multiplier\n2024-03-04,,2\n"),
            (
                "exemptions.csv",
                "issue,market_maker,from,to,reason\n1306,,2024-03-01T11:30:00+09:00,2024-03-01T12:30:00+09:00,lunch\n",
            ),
            ("exemptions.csv", "issue,market_maker,from,to,reason\n1306,MM2,,,not signed up\n"),
            ("signups.csv", "market_maker,issue,participant,from,to\nMM1,1306,P1,2024-03-01,2024-03-01\n"),
            ("holidays.csv", "date\n2024-03-01\n"),
            ("scheme.toml", "name = \"renamed\"\nversion = \"2\"\nrequired_pct = 90\n"),
            ("scheme.toml", "name = \"s\"\nversion = \"1\"\n[interpretations]\naccess_fee_issues = \"signed_up\"\n"),
        ] {
            assert_eq!(canonical(&[change]), before, "{change:?}");
        }
    }

    #[test]
    fn what_alters_a_figure_alters_the_text() {
        let before = canonical(&[]);
        for change in [
            ("fast_market.csv", "from,to,multiplier\n2024-03-01,2024-03-01,2\n"),
            (
                "exemptions.csv",
                "issue,market_maker,from,to,reason\n1306,,2024-03-01T11:29:59.999999+09:00,2024-03-01T12:30:00+09:00,\n",
            ),
            ("issues.csv", "issue,type,tick_table\n1306,B,04\n"),
            ("issues.csv", "issue,type,tick_table\n1306,A,03\n"),
            ("virtual_servers.csv", "server,market_maker\nVS1,MM1\nVS3,MM1\n"),
            ("virtual_servers.csv", "server,market_maker,participant\nVS1,MM1,P2\n"),
            ("signups.csv", "market_maker,issue\nMM1,1306\nMM2,1306\n"),
            ("sponsored.csv", "condition,issue,max_spread_bps,min_value_jpy\nX,1306,20,1000\n"),
            ("scheme.toml", "name = \"s\"\nversion = \"1\"\n[interpretations]\nsequential_quote = \"exempt\"\n"),
            ("scheme.toml", "name = \"s\"\nversion = \"1\"\n[interpretations]\nself_trades = \"other\"\n"),
            ("scheme.toml", "name = \"s\"\nversion = \"1\"\n[interpretations]\ncounterparty_market_maker = \"any\"\n"),
            (
                "scheme.toml",
                "name = \"s\"\nversion = \"1\"\n[[sessions]]\nfrom = \"2015-01-01\"\ncontinuous = [\"09:00-11:30\"]\n",
            ),
        ] {
            assert_ne!(canonical(&[change]), before, "{change:?}");
        }
    }

    #[test]
    fn a_tick_table_counts_only_where_ticks_do_and_by_its_steps() {
        let with =
            |scheme: &str| canonical(&[("scheme.toml", scheme), ("issues.csv", "issue,type,tick_table\n1306,T,t\n")]);
        let scheme = |limits: &str, ticks: &str| {
            with(&format!(
                "name = \"s\"\nversion = \"1\"\n[types.T]\n{limits}\nmin_value = 1\n[tick_tables]\nt = {ticks}\n"
            ))
        };
        let (fine, coarse) = ("[[\"above\", \"1\"]]", "[[\"above\", \"5\"]]");
        assert_eq!(scheme("max_spread_bps = 20", fine), scheme("max_spread_bps = 20", coarse));
        assert_ne!(scheme("max_spread_ticks = 2", fine), scheme("max_spread_ticks = 2", coarse));
        let split = "[[1000, \"1\"], [\"above\", \"1\"]]";
        assert_eq!(scheme("max_spread_ticks = 2", fine), scheme("max_spread_ticks = 2", split));
    }

    #[test]
    fn how_limits_are_taken_counts_where_it_can_alter_anything() {
        let with = |limits: &str, cells: &str| {
            let scheme = format!("name = \"s\"\nversion = \"1\"\n[types.T]\nmax_spread_bps = 20\n{limits}\n");
            let columns = "issue,type,tick_table,max_spread_bps,min_value,reference_price";
            canonical(&[("scheme.toml", &scheme), ("issues.csv", &format!("{columns}\n1306,T,01,{cells}\n"))])
        };
        let plain = with("min_value = 1", ",,");
        for same in [
            "spread_base = \"mid\"",
            "size_rule = \"any\"",
            "sides = \"both\"",
            "limits_from = \"issue\"",
            "min_resting = \"0s\"",
        ] {
            assert_eq!(with(&format!("min_value = 1\n{same}"), ",,"), plain, "{same}");
        }
        let changes = [
            "spread_base = \"offer\"",
            "spread_base = \"bid\"",
            "max_spread_abs = 1",
            "min_quantity = 1",
            "min_quantity = 1\nsize_rule = \"any\"",
            "min_quantity_from_value = \"side\"",
            "max_size_divergence_pct = 50",
            "max_size_divergence_pct = 51",
            "sides = \"either\"",
            "min_resting = \"30s\"",
            "min_resting = \"31s\"",
        ];
        let mut all: Vec<String> =
            changes.iter().map(|change| with(&format!("min_value = 1\n{change}"), ",,")).collect();
        all.push(with("min_value = 100\nlimits_from = \"issue\"", "21,,"));
        all.push(with("min_value = 100\nlimits_from = \"issue\"", ",7,"));
        all.push(with("min_value = 100\nmin_quantity_from_value = \"reference\"", ",,3"));
        all.push(with("min_value = 100\nmin_quantity_from_value = \"reference\"", ",,2"));
        let bands = |bands: &str| {
            let scheme = format!("name = \"s\"\nversion = \"1\"\n[types.T]\nmin_value = 1\nbands = {bands}\n");
            canonical(&[("scheme.toml", &scheme), ("issues.csv", "issue,type,tick_table\n1306,T,01\n")])
        };
        all.extend(
            ["1", "2"]
                .map(|up_to| bands(&format!("[{{ up_to = {up_to}, max_spread_bps = 3 }}, {{ max_spread_bps = 4 }}]"))),
        );
        all.extend(
            ["max_spread_bps", "max_spread_ticks", "max_spread_abs"].map(|key| bands(&format!("[{{ {key} = 3 }}]"))),
        );
        all.push(plain);
        for (position, text) in all.iter().enumerate() {
            assert!(!all[..position].contains(text), "{text}");
        }
    }
}
