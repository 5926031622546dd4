//! Heat maps: rows of coloured cells, in blocks that a sheet of paper is wide enough for.

use crate::format::{hours, required, whole_percent};
use crate::picture::{MakerPicture, MonthPicture};
use crate::shade::Shade;
use crate::verdict::{Verdict, Verdicts, anchor, lost_time, names, share, worst};
use jiff::civil::Date;
use quoteclock_incentive::{MonthLine, Status};
use quoteclock_ledger::{DisplayPercent, Total};
use quoteclock_model::{IssueCode, Micros};
use std::collections::BTreeMap;

/// So many columns of cells stand beside each other on a sheet of paper.
const COLUMNS_MAX: usize = 24;

/// Some columns of a heat map.
pub(crate) struct Block {
    pub(crate) columns: Vec<String>,
    /// The name of each row, and its cells.
    pub(crate) rows: Vec<(String, Vec<Square>)>,
}

/// A coloured cell.
pub(crate) struct Square {
    pub(crate) class: &'static str,
    pub(crate) text: String,
    pub(crate) title: String,
    pub(crate) link: Option<String>,
}

/// The rows, cut into blocks of columns.
fn blocks(columns: Vec<String>, rows: impl IntoIterator<Item = (String, Vec<Square>)>) -> Vec<Block> {
    let block = |columns: &[String]| Block { columns: columns.to_vec(), rows: Vec::new() };
    let mut blocks: Vec<Block> = columns.chunks(COLUMNS_MAX).map(block).collect();
    for (name, mut squares) in rows {
        for block in &mut blocks {
            let rest = squares.split_off(block.columns.len().min(squares.len()));
            block.rows.push((name.clone(), std::mem::replace(&mut squares, rest)));
        }
    }
    blocks
}

/// The days of the month, as columns are named.
fn dates(picture: &MonthPicture) -> Vec<String> {
    picture.dates().map(|date| date.strftime("%d").to_string()).collect()
}

/// Market makers by issues: the worst of a sign-up's obligations decides the colour.
pub(crate) fn by_issue(verdicts: &Verdicts<'_>, picture: &MonthPicture) -> Vec<Block> {
    let mut cells: BTreeMap<&IssueCode, BTreeMap<&str, Vec<&MonthLine>>> = BTreeMap::new();
    for line in verdicts.lines {
        cells.entry(&line.key.issue).or_default().entry(&line.key.market_maker).or_default().push(line);
    }
    let names = names(verdicts);
    let square = |lines: &Vec<&MonthLine>| square(lines, verdicts, picture);
    let row = |(issue, makers): (&IssueCode, BTreeMap<&str, Vec<&MonthLine>>)| {
        (issue.to_string(), names.iter().map(|name| makers.get(name).map_or_else(empty, square)).collect())
    };
    blocks(names.iter().map(|name| (*name).to_owned()).collect(), cells.into_iter().map(row))
}

fn empty() -> Square {
    Square { class: "", text: String::new(), title: String::new(), link: None }
}

fn square(lines: &[&MonthLine], verdicts: &Verdicts<'_>, picture: &MonthPicture) -> Square {
    let Some(worst) = worst(lines).or_else(|| lines.first().copied()) else { return empty() };
    let uncertain = lines.iter().any(|line| verdicts.on(line) == Verdict::NotCertain);
    let percent = DisplayPercent::of(worst.total.fulfilled, worst.total.available);
    let shade = match percent {
        _ if uncertain => Shade::Uncertain,
        None => Shade::Nothing,
        Some(percent) => Shade::of(percent.ten_thousandths(), worst.required_pct, worst.status() == Status::Fulfilled),
    };
    let text = |line: &&MonthLine| {
        let (share, required) = (share(line), required(line.required_pct));
        format!("{}: {share} %, required {required} %, {}", line.key.obligation, verdicts.on(line).as_str())
    };
    let titles: Vec<String> = lines.iter().map(text).collect();
    Square {
        class: shade.class(),
        text: format!("{}{}", whole_percent(worst.total), shade.sign()),
        title: format!("{} in {}: {}", worst.key.market_maker, worst.key.issue, titles.join("; ")),
        link: lines.iter().find(|line| picture.unfolded.contains_key(&line.key)).map(|line| anchor(line)),
    }
}

/// Each market maker's days: all its `general` obligations of a day together.
pub(crate) fn maker_days(verdicts: &Verdicts<'_>, picture: &MonthPicture) -> Vec<Block> {
    let day = |maker: &MakerPicture, name: &str, date: Date| {
        maker.days.get(&date).map_or_else(empty, |total| day_square(name, date, *total, verdicts.required_pct))
    };
    let row = |name: &str| {
        let maker = picture.makers.get(name)?;
        Some((name.to_owned(), picture.dates().map(|date| day(maker, name, date)).collect()))
    };
    blocks(dates(picture), names(verdicts).into_iter().filter_map(row))
}

/// Each obligation's days, where the page has them all.
pub(crate) fn line_days(verdicts: &Verdicts<'_>, picture: &MonthPicture) -> Vec<Block> {
    if !picture.shows_all_days {
        return Vec::new();
    }
    let several = 1 < names(verdicts).len();
    let row = |line: &&MonthLine| {
        let own = picture.unfolded.get(&line.key)?;
        let issue = line.key.issue.to_string();
        let is_whole = line.is_general() && !line.is_criterion();
        let label = if is_whole { issue } else { format!("{issue} {}", line.key.obligation) };
        let label = if several { format!("{label}, {}", line.key.market_maker) } else { label };
        let day = |date: Date| {
            let day = own.day(date);
            day.map_or_else(empty, |day| day_square(&label, date, day.total, line.required_pct))
        };
        let squares = picture.dates().map(day).collect();
        Some((label, squares))
    };
    let mut lines: Vec<&MonthLine> = verdicts.lines.iter().collect();
    lines.sort_by_key(|line| (&line.key.issue, &line.key.market_maker, &line.key.obligation));
    blocks(dates(picture), lines.iter().filter_map(row))
}

/// A day's share beside the one that a month requires.
fn day_square(name: &str, date: Date, total: Total, required_pct: u64) -> Square {
    let shade = Shade::of_day(total, required_pct);
    let unknown = match total.unknown {
        Micros::ZERO => String::new(),
        unknown => format!(", {} unknown", hours(unknown)),
    };
    Square {
        class: shade.class(),
        text: format!("{}{}", whole_percent(total), shade.sign()),
        title: format!("{name} on {date}: lost {} of {}{unknown}", hours(lost_time(total)), hours(total.available)),
        link: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_any_length_is_cut_into_blocks_and_nothing_is_lost() {
        for count in [0, 1, COLUMNS_MAX - 1, COLUMNS_MAX, COLUMNS_MAX + 1, 3 * COLUMNS_MAX] {
            let texts: Vec<String> = (0..count).map(|number| number.to_string()).collect();
            let square = |text: &String| Square { text: text.clone(), ..empty() };
            let row = |name: &str| (name.to_owned(), texts.iter().map(square).collect());
            let blocks = blocks(texts.clone(), [row("a"), row("b")]);
            assert_eq!(blocks.len(), count.div_ceil(COLUMNS_MAX));
            let columns: Vec<String> = blocks.iter().flat_map(|block| block.columns.clone()).collect();
            assert_eq!(columns, texts);
            for (position, name) in ["a", "b"].iter().enumerate() {
                let cells = blocks.iter().flat_map(|block| &block.rows[position].1).map(|square| &square.text);
                assert!(cells.eq(texts.iter()), "{name} of {count}");
                assert!(blocks.iter().all(|block| block.rows[position].0 == *name));
            }
        }
    }
}
