//! What a market maker's month comes to: its criteria, its free servers, what it is recommended for, and what it is paid.

use super::numbers::{Fraction, decimal, floor, fraction, percent};
use super::sums::{Money, is_general};
use crate::text::whole;
use jiff::ToSpan;
use std::collections::{BTreeMap, BTreeSet};

impl Money<'_> {
    pub(super) fn criteria(&self) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        for (market_maker, issue) in self.asked(self.first) {
            if self.case.scheme.criteria.is_empty() {
                continue;
            }
            let sums = self.asked_last(self.first, &market_maker, &issue);
            let met = sums.iter().filter(|sum| sum.status() == "fulfilled").count();
            let status = self.status_of_sign_up(self.first, &market_maker, &issue).to_owned();
            let (count, need) = (sums.len().to_string(), self.need(&sums).to_string());
            // Nothing is unknown here.
            let certain = "yes".to_owned();
            lines.push(vec![
                self.case.month.clone(),
                market_maker,
                issue,
                count,
                met.to_string(),
                need,
                status,
                certain,
            ]);
        }
        lines
    }

    /// Market maker: number of ETFs, free servers, registered ones, participant, waiver.
    fn makers(&self) -> Vec<(String, usize, usize, usize, String, Fraction)> {
        let signed_up =
            self.signups.iter().filter(|row| self.in_force_in_month(row)).map(|row| row.get("market_maker"));
        let mut names: BTreeSet<String> = signed_up.map(str::to_owned).collect();
        names.extend(self.measured(self.first).into_iter().map(|(market_maker, _, _)| market_maker));
        let scheme = &self.case.scheme;
        let of = |name: String| {
            let etfs = self.etfs(self.first, &name);
            let mut free = 0;
            for (step, (from, servers)) in scheme.server_steps.iter().enumerate() {
                if etfs >= *from {
                    free = *servers;
                    if step + 1 == scheme.server_steps.len() {
                        free += (etfs - from) / scheme.server_beyond.0 * scheme.server_beyond.1;
                    }
                }
            }
            let own = self.servers.iter().filter(|row| row.get("market_maker") == name && self.in_force_in_month(row));
            let registered = own.map(|row| row.get("server")).collect::<BTreeSet<_>>().len();
            let own = self.signups.iter().filter(|row| row.get("market_maker") == name && self.in_force_in_month(row));
            let participants: BTreeSet<&str> =
                own.map(|row| row.get("participant")).filter(|of| !of.is_empty()).collect();
            let lowest = participants.first().map_or(String::new(), |lowest| (*lowest).to_owned());
            let servers = if etfs >= scheme.etfs_required { free.min(registered) } else { 0 };
            let waiver = decimal(&scheme.server_fee) * Fraction::from_integer(servers.into());
            (name, etfs, free, registered, lowest, waiver.floor())
        };
        names.into_iter().map(of).collect()
    }

    pub(super) fn market_makers(&self) -> String {
        let required = self.case.scheme.etfs_required;
        let mut text = "month,market_maker,etfs_fulfilled,etfs_required,qualifies,free_servers,servers_registered,\
                        server_participant,server_waiver_jpy\n"
            .to_owned();
        for (name, etfs, free, registered, participant, waiver) in self.makers() {
            let qualifies = if etfs >= required { "yes" } else { "no" };
            let month = &self.case.month;
            text +=
                &format!("{month},{name},{etfs},{required},{qualifies},{free},{registered},{participant},{waiver}\n");
        }
        text
    }

    pub(super) fn recommendations(&self) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        let scheme = &self.case.scheme;
        let mut line = |market_maker: &str, issue: &str, what: &str, figure: String, clause: &str| {
            let fields = [self.case.month.as_str(), market_maker, issue, what, &figure, clause];
            lines.push(fields.iter().map(|field| (*field).to_owned()).collect());
        };
        let measured = self.measured(self.first);
        for (market_maker, issue) in &self.asked(self.first) {
            if self.status_of_sign_up(self.first, market_maker, issue) == "not_fulfilled" {
                let missed = self.asked_last(self.first, market_maker, issue).into_iter();
                let missed = missed.filter(|sum| sum.status() == "not_fulfilled");
                let least = missed.map(|sum| fraction(sum.fulfilled, sum.available)).min().expect("one was missed");
                line(market_maker, issue, "briefing", percent(&least), "ST1/managing-qualification");
            }
            let mut means = Vec::new();
            for (_, _, name) in measured.iter().filter(|(of, code, _)| of == market_maker && code == issue) {
                let mut shares = Vec::new();
                for back in 0..scheme.drop_months {
                    match self.sum(self.first - back.months(), market_maker, issue, name) {
                        Some(sum) if sum.available > 0 => shares.push(fraction(sum.fulfilled, sum.available)),
                        _ => {}
                    }
                }
                if is_general(name) && i64::try_from(shares.len()) == Ok(scheme.drop_months) {
                    means.push(shares.iter().sum::<Fraction>() / fraction(scheme.drop_months.into(), 1));
                }
            }
            if let Some(mean) = means.into_iter().min()
                && &mean * fraction(100, 1) < decimal(&scheme.drop_pct)
            {
                line(market_maker, issue, "drop_from_sign_up", percent(&mean), "ST1/six-month-average");
            }
        }
        let makers: BTreeSet<&String> = measured.iter().map(|(market_maker, _, _)| market_maker).collect();
        for market_maker in makers {
            if self.qualifies(self.first, market_maker) {
                continue;
            }
            let etfs = self.etfs(self.first, market_maker);
            line(market_maker, "", "briefing", etfs.to_string(), "ST1/managing-qualification");
            let mut missed = Vec::new();
            for back in 0..scheme.revoke_months {
                let first = self.first - back.months();
                let is_measured = self.measured(first).iter().any(|(of, _, _)| of == market_maker);
                if is_measured && !self.qualifies(first, market_maker) {
                    missed.push(self.etfs(first, market_maker));
                }
            }
            if i64::try_from(missed.len()) == Ok(scheme.revoke_months) {
                let highest = missed.into_iter().max().unwrap_or(0).to_string();
                line(market_maker, "", "revoke_designation", highest, "ST1/twelve-months");
            }
        }
        lines
    }

    pub(super) fn payments(&self) -> String {
        let mut sums: BTreeMap<(String, String), [i128; 5]> = BTreeMap::new();
        let number = |text: &str| whole(text).unwrap_or(0);
        for line in self.incentives() {
            let sum = sums.entry((line[1].clone(), line[2].clone())).or_default();
            sum[usize::from(line[5] == "access_fee")] += number(&line[8]);
        }
        for line in self.conditions() {
            let amount = number(&line[8]);
            if amount > 0 {
                let last = self.sum(self.first, &line[3], &line[2], &line[1]).expect("it was measured").last;
                let participant = self.participant(&line[3], &line[2], last);
                let sum = sums.entry((line[3].clone(), participant)).or_default();
                sum[if line[1].starts_with("sponsored") { 2 } else { 3 }] += amount;
            }
        }
        for (name, _, _, _, participant, waiver) in self.makers() {
            let waiver = number(&floor(&waiver));
            if waiver > 0 {
                sums.entry((name, participant)).or_default()[4] += waiver;
            }
        }
        let mut text = "month,market_maker,participant,trading_value_jpy,access_fee_jpy,sponsored_jpy,matching_jpy,\
                        server_waiver_jpy,total_jpy\n"
            .to_owned();
        for ((market_maker, participant), sums) in sums {
            let all: i128 = sums.iter().sum();
            let sums: Vec<String> = sums.iter().map(i128::to_string).collect();
            text += &format!("{},{market_maker},{participant},{},{all}\n", self.case.month, sums.join(","));
        }
        text
    }
}
