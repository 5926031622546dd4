//! `[types.X]` of a `scheme.toml`: the limits of a type of issue, and how they are taken.

use super::{Reader, Value};
use crate::manner::{Manner, SidesRequired, SpreadBand, SpreadBase, SpreadLimits};
use crate::scheme::{Criterion, QuantityFrom, Regime, Terms, TypeRules};
use crate::value;
use quoteclock_model::{Phase, Phases, Price, SizeRule};
use quoteclock_sheets::quoted;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeTable;

const KEYS: &str = "phases, windows, start_delay, required_pct, regimes, criteria, need, max_spread_bps, max_spread_ticks, max_spread_abs, bands, spread_base, min_value, min_quantity, \
                    min_quantity_from_value, size_rule, max_size_divergence_pct, sides, limits_from, min_resting";

const CRITERION_KEYS: &str = "name, phases, windows, start_delay, required_pct, max_spread_bps, max_spread_ticks, max_spread_abs, bands, \
                              spread_base, min_value, min_quantity, min_quantity_from_value, size_rule, \
                              max_size_divergence_pct, sides, limits_from, min_resting";

const REGIME_KEYS: &str = "windows, windows_from, max_spread_bps, max_spread_ticks, max_spread_abs, min_value, min_quantity, \
                           max_size_divergence_pct";

const SPREAD_KEYS: [&str; 3] = ["max_spread_bps", "max_spread_ticks", "max_spread_abs"];

impl Reader<'_> {
    pub(super) fn types(&mut self, value: &Value<'_>) {
        let Some(types) = value.get_ref().as_table() else {
            return self.wrong(value, "expected tables of limits: [types.X]");
        };
        for (key, value) in types.iter() {
            let Some(name) = self.key_name(key) else { continue };
            self.file.type_names.iter_mut().for_each(|names| _ = names.insert(name.clone()));
            let Some(table) = value.get_ref().as_table() else {
                self.wrong(value, "expected a table of limits");
                continue;
            };
            let rules = self.type_rules(key, table);
            self.file.scheme.types.insert(name, rules);
        }
    }

    /// Clauses: `BIT/auctions-included`, `TWSE/after-the-open`, `SIX/home-market-open`.
    fn type_rules(&mut self, key: &Spanned<Cow<'_, str>>, table: &DeTable<'_>) -> TypeRules {
        let mut rules = TypeRules::default();
        let (mut regimes, mut criteria, mut need) = (None, None, None);
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "regimes" => regimes = Some(value),
                "criteria" => criteria = Some(value),
                "need" => need = Some(value),
                _ => self.rule(&mut rules, key, value, KEYS),
            }
        }
        let type_name = format!("type {}", quoted(key.get_ref()));
        match criteria {
            Some(criteria) => rules.criteria = self.criteria(criteria, &type_name, table, &rules),
            None => self.check_terms(key.span(), &type_name, &[table], &rules.terms),
        }
        rules.need = need.and_then(|need| self.need(need, criteria.is_some(), &rules));
        if let Some(regimes) = regimes {
            rules.regimes = self.regimes(regimes, &rules);
            let all = rules.regimes.clone();
            rules.criteria.iter_mut().for_each(|criterion| criterion.rules.regimes.clone_from(&all));
        }
        rules
    }

    /// What a type and a criterion may both say.
    fn rule(&mut self, rules: &mut TypeRules, key: &Spanned<Cow<'_, str>>, value: &Value<'_>, known: &str) {
        match key.get_ref().as_ref() {
            "phases" => rules.phases = self.phases(value),
            "windows" => rules.windows = self.windows(value),
            "start_delay" => rules.start_delay = self.duration(value),
            "required_pct" => rules.required_pct = self.percent(value),
            _ => self.term(&mut rules.terms, key, value, known),
        }
    }

    /// What a type asks for in place of one obligation.
    ///
    /// Clause: `XETRA/criteria`.
    fn criteria(
        &mut self,
        value: &Value<'_>,
        type_name: &str,
        of_type: &DeTable<'_>,
        rules: &TypeRules,
    ) -> Vec<Criterion> {
        let items = value.get_ref().as_array().filter(|items| !items.is_empty());
        let Some(items) = items else {
            self.wrong(value, "expected a list of tables, each with a name: [[types.X.criteria]]");
            return Vec::new();
        };
        let (mut criteria, mut names) = (Vec::new(), BTreeSet::new());
        for item in items.iter() {
            let Some(criterion) = self.criterion(item, type_name, of_type, rules) else { continue };
            if names.insert(criterion.name.clone()) {
                criteria.push(criterion);
            } else {
                let message = format!("a second criterion {}, expected each name once", quoted(&criterion.name));
                self.error(item.span(), message);
            }
        }
        criteria.sort_by(|one: &Criterion, other| one.name.cmp(&other.name));
        criteria
    }

    fn criterion(
        &mut self,
        item: &Value<'_>,
        type_name: &str,
        of_type: &DeTable<'_>,
        rules: &TypeRules,
    ) -> Option<Criterion> {
        let Some(table) = item.get_ref().as_table() else {
            self.wrong(item, "expected a table with a name");
            return None;
        };
        let (mut name, mut rules) = (None, rules.clone());
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "name" => name = self.name(value),
                _ => self.rule(&mut rules, key, value, CRITERION_KEYS),
            }
        }
        if !table.contains_key("name") {
            let message = r#"name is missing, expected such as name = "auction": the obligation is general:auction"#;
            self.error(item.span(), message.to_owned());
        }
        let name = name?;
        let what = format!("criterion {} of {type_name}", quoted(&name));
        self.check_terms(item.span(), &what, &[of_type, table], &rules.terms);
        Some(Criterion { name, rules })
    }

    /// How many criteria are enough.
    fn need(&mut self, value: &Value<'_>, has_criteria: bool, rules: &TypeRules) -> Option<u32> {
        let need = self.number(value, value::count).and_then(|need| u32::try_from(need).ok())?;
        let count = rules.criteria.len();
        if usize::try_from(need).is_ok_and(|need| need <= count) {
            return Some(need);
        }
        let fault = match count {
            0 if has_criteria => return None,
            0 => "which goes with criteria alone".to_owned(),
            _ => format!("expected at most {count}, the number of criteria"),
        };
        self.error(value.span(), format!("found need = {need}, {fault}"));
        None
    }

    fn phases(&mut self, value: &Value<'_>) -> Option<Phases> {
        const PHASES: [Phase; 4] = [Phase::Continuous, Phase::SequentialQuote, Phase::SpecialQuote, Phase::Auction];
        let items = value.get_ref().as_array().filter(|items| !items.is_empty());
        let Some(items) = items else {
            self.wrong(value, r#"expected a list of phases, such as ["continuous", "auction"]"#);
            return None;
        };
        let words = PHASES.map(|phase| (phase.as_str(), phase));
        let expected = r#"expected "continuous", "sequential_quote", "special_quote" or "auction""#;
        let phases: Vec<Option<Phase>> = items.iter().map(|item| self.word(item, &words, expected)).collect();
        phases.into_iter().collect::<Option<Vec<Phase>>>().map(|phases| Phases::of(&phases))
    }

    /// Limits at some times of the day, in place of those of `base`.
    fn regimes(&mut self, value: &Value<'_>, base: &TypeRules) -> Vec<Regime> {
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(value, "expected a list of tables: [[types.X.regimes]]");
            return Vec::new();
        };
        items.iter().filter_map(|item| self.regime(item, base)).collect()
    }

    fn regime(&mut self, item: &Value<'_>, base: &TypeRules) -> Option<Regime> {
        let Some(table) = item.get_ref().as_table() else {
            self.wrong(item, "expected a table of windows and limits");
            return None;
        };
        let mut regime = Regime { windows: None, terms: Terms::default() };
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "windows" => regime.windows = self.windows(value),
                "windows_from" => _ = self.word(value, &[("issue", ())], r#"expected "issue""#),
                "max_spread_bps"
                | "max_spread_ticks"
                | "max_spread_abs"
                | "min_value"
                | "min_quantity"
                | "max_size_divergence_pct" => self.term(&mut regime.terms, key, value, REGIME_KEYS),
                _ => self.unknown_key(key, REGIME_KEYS),
            }
        }
        if base.asked().any(|(_, rules)| !rules.terms.manner.bands.is_empty()) {
            for (key, _) in table.iter().filter(|(key, _)| SPREAD_KEYS.contains(&key.get_ref().as_ref())) {
                let message = "found a limit beside the type's bands, expected none: they take the place of all others";
                self.error(key.span(), message.to_owned());
            }
        }
        if table.contains_key("windows") == table.contains_key("windows_from") {
            let message = r#"expected windows, such as ["09:00-12:00"], or windows_from = "issue", and not both"#;
            self.error(item.span(), message.to_owned());
        }
        Some(regime)
    }

    /// Clauses: `ST1/spread-and-quantity`, `TWSE/spread-of-offer`, `TWSE/units-or-value`, `XETRA/quantity-of-value`,
    /// `RTS8/comparable-size`, `BIT/bid-or-offer`, `BIT/limits-of-the-issue`, `QC/bands`, `TWSE/held`.
    fn term(&mut self, terms: &mut Terms, key: &Spanned<Cow<'_, str>>, value: &Value<'_>, known: &str) {
        match key.get_ref().as_ref() {
            "max_spread_bps" => terms.spread_bps_max = self.number(value, value::bps),
            "max_spread_ticks" => terms.spread_ticks_max = self.number(value, value::ticks),
            "max_spread_abs" => terms.manner.width_max = self.number(value, value::price),
            "bands" => self.bands(value, &mut terms.manner),
            "spread_base" => {
                let words = [("mid", SpreadBase::Mid), ("bid", SpreadBase::Bid), ("offer", SpreadBase::Offer)];
                let base = self.word(value, &words, r#"expected "mid", "bid" or "offer""#);
                terms.manner.spread_base = base.unwrap_or_default();
            }
            "min_value" => terms.value_min = self.number(value, value::value_min),
            "min_quantity" => terms.quantity_min = self.number(value, value::quantity_min),
            "min_quantity_from_value" => {
                let words = [("reference", QuantityFrom::Reference), ("side", QuantityFrom::Side)];
                terms.quantity_from_value = self.word(value, &words, r#"expected "reference" or "side""#);
            }
            "size_rule" => {
                let words = [("all", SizeRule::All), ("any", SizeRule::Any)];
                let rule = self.word(value, &words, r#"expected "all" or "any""#);
                terms.manner.size_rule = rule.unwrap_or_default();
            }
            "max_size_divergence_pct" => terms.manner.size_divergence_pct_max = self.percent(value),
            "sides" => {
                let words = [("both", SidesRequired::Both), ("either", SidesRequired::Either)];
                let sides = self.word(value, &words, r#"expected "both" or "either""#);
                terms.manner.sides = sides.unwrap_or_default();
            }
            "min_resting" => terms.manner.resting_min = self.duration(value).unwrap_or_default(),
            "limits_from" => {
                let from = self.word(value, &[("issue", true)], r#"expected "issue""#);
                terms.from_issue = from.unwrap_or_default();
            }
            _ => self.unknown_key(key, known),
        }
    }

    /// Whether the keys of a type, or of a criterion and its type, go together, as they were typed.
    fn check_terms(&mut self, span: Range<usize>, what: &str, tables: &[&DeTable<'_>], terms: &Terms) {
        let given = |names: &[&str]| names.iter().any(|&name| tables.iter().any(|table| table.contains_key(name)));
        if !given(&SPREAD_KEYS) && !given(&["bands"]) && !terms.from_issue {
            self.error(
                span.clone(),
                format!("{what} has no spread limit, expected max_spread_bps or max_spread_ticks or both"),
            );
        }
        if !given(&["min_value", "min_quantity"]) && !terms.from_issue {
            self.error(span, format!("{what} has no minimum, expected min_value or min_quantity or both"));
        }
        let keys = |names: &'static [&str]| {
            let all = tables.iter().flat_map(|table| table.iter());
            all.filter(|(key, _)| names.contains(&key.get_ref().as_ref())).map(|(key, _)| key.span())
        };
        if given(&["bands"]) {
            for span in keys(&SPREAD_KEYS) {
                let message = "found a limit beside bands, expected it in the bands: they take the place of all others";
                self.error(span, message.to_owned());
            }
            if terms.from_issue {
                let message =
                    "found limits_from beside bands, expected one of them: bands take the place of all others";
                keys(&["limits_from"]).for_each(|span| self.error(span, message.to_owned()));
            }
        }
        if !given(&["min_value"]) && !terms.from_issue {
            let message = "there is no min_value to make a quantity of, expected one, or limits_from = \"issue\"";
            keys(&["min_quantity_from_value"]).for_each(|span| self.error(span, message.to_owned()));
        }
    }

    /// Limits by band of the bid.
    ///
    /// Clause: `QC/bands`.
    fn bands(&mut self, value: &Value<'_>, manner: &mut Manner) {
        let items = value.get_ref().as_array().filter(|items| !items.is_empty());
        let Some(items) = items else {
            return self.wrong(
                value,
                "expected a list of tables, such as [{ up_to = 5, max_spread_abs = \"0.1\" }, \
                                      { max_spread_bps = 200 }]",
            );
        };
        let (mut bands, mut last): (Vec<SpreadBand>, Option<Price>) = (Vec::new(), None);
        for (position, item) in items.iter().enumerate() {
            let Some(table) = item.get_ref().as_table() else {
                self.wrong(item, "expected a table with up_to and limits of the spread");
                continue;
            };
            let band = self.band(table);
            let is_last = position + 1 == items.len();
            match (table.contains_key("up_to"), is_last) {
                (true, true) => {
                    self.error(
                        item.span(),
                        "the last band has an up_to, expected none: it is for all above".to_owned(),
                    );
                }
                (false, false) => {
                    self.error(item.span(), "up_to is missing, expected it in every band but the last".to_owned());
                }
                _ => {}
            }
            if let (Some(last), Some(up_to)) = (last, band.up_to)
                && up_to <= last
            {
                self.error(item.span(), format!("found up_to = {up_to}, expected more than {last} of the band before"));
            }
            if !SPREAD_KEYS.iter().any(|&key| table.contains_key(key)) {
                let expected = SPREAD_KEYS.join(", ");
                self.error(item.span(), format!("the band has no limit of the spread, expected one of {expected}"));
            }
            last = band.up_to.or(last);
            bands.push(band);
        }
        manner.bands = bands.into();
    }

    fn band(&mut self, table: &DeTable<'_>) -> SpreadBand {
        let mut band = SpreadBand { up_to: None, limits: SpreadLimits::default() };
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "up_to" => band.up_to = self.number(value, value::price),
                "max_spread_bps" => band.limits.bps_max = self.number(value, value::bps),
                "max_spread_ticks" => band.limits.ticks_max = self.number(value, value::ticks),
                "max_spread_abs" => band.limits.width_max = self.number(value, value::price),
                _ => self.unknown_key(key, "up_to, max_spread_bps, max_spread_ticks, max_spread_abs"),
            }
        }
        band
    }

    /// One of a few words; `None` where it is none of them, with the fault recorded.
    pub(super) fn word<T: Copy>(&mut self, value: &Value<'_>, words: &[(&str, T)], expected: &str) -> Option<T> {
        let found = value.get_ref().as_str();
        let meant = words.iter().find(|(word, _)| found == Some(word)).map(|&(_, meaning)| meaning);
        if meant.is_none() {
            self.wrong(value, expected);
        }
        meant
    }
}
