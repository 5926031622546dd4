//! The day's strip as inline SVG: prices above, states below. Drawn in tenths of a pixel, in integers.

use crate::explanation::{Explanation, WORKED_MAX, length};
use crate::format::{clock, duration, grouped};
use crate::strip::{Column, PriceLine, States, Stroke};
use quoteclock_model::{Price, Span, State, Timestamp};
use std::fmt::Write;

/// Columns of the picture at most: one for each pixel between its edges.
const COLUMNS_MAX: usize = 1110;
/// In tenths of a pixel: the edges of the price field, and of the strip of states.
const LEFT: i64 = 700;
const RIGHT: i64 = LEFT + 11_100;
const TOP: i64 = 120;
const BOTTOM: i64 = 3600;
/// The numbers of the breaches, in two rows where they would stand on each other.
const NUMBERS: [i64; 2] = [3730, 3850];
const STRIP_TOP: i64 = 3900;
const STRIP_BOTTOM: i64 = 4260;
const TIMES: i64 = 4440;

/// The picture of the day; empty where none was kept.
pub(crate) fn picture(explanation: &Explanation) -> String {
    let Some(strip) = &explanation.strip else { return String::new() };
    let (span, columns) = strip.picture(COLUMNS_MAX);
    let scale = Scale::new(span, &columns);
    let mut drawing = Drawing { explanation, columns, scale, svg: String::new() };
    drawing.draw();
    drawing.svg
}

/// From time and price to places.
struct Scale {
    span: Span,
    count: usize,
    low: u64,
    high: u64,
}

impl Scale {
    fn new(span: Span, columns: &[Column]) -> Scale {
        let (low, high) = price_range(columns);
        Scale { span, count: columns.len(), low, high }
    }

    fn x(&self, column: usize) -> i64 {
        LEFT + as_i64(column) * (RIGHT - LEFT) / as_i64(self.count)
    }

    fn x_at(&self, at: Timestamp) -> i64 {
        let at = at.clamp(self.span.start, self.span.end);
        let (part, whole) = (at.since(self.span.start).0, self.span.end.since(self.span.start).0.max(1));
        let width = u128::try_from(RIGHT - LEFT).unwrap_or(0);
        LEFT + i64::try_from(u128::from(part) * width / u128::from(whole)).unwrap_or(0)
    }

    fn y(&self, price: u64) -> i64 {
        let part = i128::from(price) - i128::from(self.low);
        let whole = i128::from(self.high - self.low);
        // Far outside is outside: the field is clipped.
        let y = i128::from(BOTTOM) - part * i128::from(BOTTOM - TOP) / whole;
        i64::try_from(y.clamp(-20_000, 20_000)).unwrap_or(0)
    }
}

/// The prices to be seen: most of those of the own lines and of the band, and of the market what is near them. A stub quote
/// far away is cut off, and a market that leaps does not flatten what is judged.
fn price_range(columns: &[Column]) -> (u64, u64) {
    use PriceLine::{BandHigh, BandLow, MarketBid, MarketOffer, OwnBid, OwnOffer};
    let own = middle(columns, &[OwnBid, OwnOffer], 50);
    let band = middle(columns, &[BandLow, BandHigh], 20);
    let judged = match (own, band) {
        (Some(own), Some(band)) => Some((own.0.min(band.0), own.1.max(band.1))),
        (own, band) => own.or(band),
    };
    let market = middle(columns, &[MarketBid, MarketOffer], 10);
    let (low, high) = match (judged, market) {
        (Some((low, high)), Some(market)) => {
            let beyond = (high - low).max(1);
            (low.min(market.0.max(low.saturating_sub(beyond))), high.max(market.1.min(high.saturating_add(beyond))))
        }
        (judged, market) => match judged.or(market) {
            Some(range) => range,
            None => return (0, 10_000),
        },
    };
    let air = ((high - low) / 6).max(1);
    (low.saturating_sub(air), high.saturating_add(air))
}

/// The range of the last prices of `lines`, without one `part`th at each end.
fn middle(columns: &[Column], lines: &[PriceLine], part: usize) -> Option<(u64, u64)> {
    let of_column =
        |column: &Column| -> Vec<u64> { lines.iter().filter_map(|&line| column.lines[line as usize]?.last).collect() };
    let mut prices: Vec<u64> = columns.iter().flat_map(of_column).collect();
    prices.sort_unstable();
    let top = prices.len().checked_sub(1)?;
    Some((prices[top / part], prices[top - top / part]))
}

fn as_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Tenths as a number.
fn px(tenths: i64) -> String {
    let (sign, tenths) = (if tenths < 0 { "-" } else { "" }, tenths.unsigned_abs());
    match tenths % 10 {
        0 => format!("{sign}{}", tenths / 10),
        part => format!("{sign}{}.{part}", tenths / 10),
    }
}

struct Drawing<'a> {
    explanation: &'a Explanation,
    columns: Vec<Column>,
    scale: Scale,
    svg: String,
}

impl Drawing<'_> {
    fn put(&mut self, element: &str) {
        self.svg.push_str(element);
        self.svg.push('\n');
    }

    fn rect(&mut self, class: &str, [left, right]: [i64; 2], [top, bottom]: [i64; 2]) {
        // A hairline at least, whatever the zoom.
        let width = (right - left).max(10);
        let (left, top, width, height) = (px(left), px(top), px(width), px(bottom - top));
        self.put(&format!(r#"<rect class="{class}" x="{left}" y="{top}" width="{width}" height="{height}"/>"#));
    }

    fn draw(&mut self) {
        let (width, height) = (px(RIGHT + 200), px(TIMES + 100));
        self.put(&format!(
            r#"<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="strip-title strip-desc" xmlns="http://www.w3.org/2000/svg">"#
        ));
        self.put(r#"<title id="strip-title">The day: obligation prices around the market, and the states</title>"#);
        let description = self.description();
        self.put(&format!(r#"<desc id="strip-desc">{description}</desc>"#));
        self.definitions();
        self.grounds();
        self.axes();
        self.put(r#"<g clip-path="url(#field)">"#);
        self.band();
        for (line, class) in [
            (PriceLine::MarketBid, "market"),
            (PriceLine::MarketOffer, "market"),
            (PriceLine::OwnBid, "own-bid"),
            (PriceLine::OwnOffer, "own-offer"),
        ] {
            self.line(line, class);
        }
        self.put("</g>");
        self.states();
        self.marks();
        self.put("</svg>");
    }

    /// What the picture says, in words. Only times and numbers: nothing that needs escaping.
    fn description(&self) -> String {
        let Explanation { plan, total, breach_count, .. } = self.explanation;
        format!(
            "From {} to {}: fulfilled {} of {} available; breaches: {breach_count}; unknown: {}. The table below lists the longest breaches.",
            clock(self.scale.span.start, plan),
            clock(self.scale.span.end, plan),
            duration(total.fulfilled),
            duration(total.available),
            duration(total.unknown)
        )
    }

    fn definitions(&mut self) {
        let (x, y) = (px(LEFT), px(TOP));
        let (width, height) = (px(RIGHT - LEFT), px(BOTTOM - TOP));
        self.put(&format!(
            r##"<defs><clipPath id="field"><rect x="{x}" y="{y}" width="{width}" height="{height}"/></clipPath>
<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" fill="#c8102e"/><rect width="1.5" height="5" fill="#fff" fill-opacity=".55"/></pattern>
<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="dots-ground" width="5" height="5"/><circle class="dots-dot" cx="2.5" cy="2.5" r="1.1"/></pattern></defs>"##
        ));
    }

    /// Runs of columns for which `test` holds.
    fn runs(&self, test: impl Fn(&Column) -> bool) -> Vec<[usize; 2]> {
        let mut runs: Vec<[usize; 2]> = Vec::new();
        for (position, _) in self.columns.iter().enumerate().filter(|(_, column)| test(column)) {
            match runs.last_mut() {
                Some([_, end]) if *end == position => *end = position + 1,
                _ => runs.push([position, position + 1]),
            }
        }
        runs
    }

    fn rects(&mut self, class: &str, vertical: [i64; 2], test: impl Fn(&Column) -> bool) {
        for [first, end] in self.runs(test) {
            let horizontal = [self.scale.x(first), self.scale.x(end)];
            self.rect(class, horizontal, vertical);
        }
    }

    fn grounds(&mut self) {
        self.rects("unavailable-ground", [TOP, BOTTOM], |column| {
            let States { fulfilled, breach, unknown, .. } = column.states;
            !(fulfilled || breach || unknown)
        });
        self.rects("unknown-ground", [TOP, BOTTOM], |column| column.states.unknown);
        self.rects("breach-ground", [TOP, BOTTOM], |column| column.states.breach && !column.states.fulfilled);
        self.rects("breach-ground mixed", [TOP, BOTTOM], |column| column.states.breach && column.states.fulfilled);
    }

    fn states(&mut self) {
        self.rect("states", [LEFT, RIGHT], [STRIP_BOTTOM, STRIP_BOTTOM + 10]);
        let third = (STRIP_BOTTOM - STRIP_TOP) / 3;
        self.rects("fulfilled", [STRIP_TOP + third, STRIP_BOTTOM], |column| column.states.fulfilled);
        self.rects("unknown", [STRIP_TOP + third / 2, STRIP_BOTTOM], |column| column.states.unknown);
        // Where both occurred within a column the bar of the one stands on that of the other.
        let is_mixed = |column: &Column| column.states.breach && column.states.fulfilled;
        self.rects("breach", [STRIP_TOP, STRIP_BOTTOM], |column| column.states.breach && !is_mixed(column));
        self.rects("breach", [STRIP_TOP, STRIP_TOP + third], is_mixed);
    }

    fn axes(&mut self) {
        self.rect("frame", [LEFT, RIGHT], [TOP, BOTTOM]);
        for price in price_marks(self.scale.low, self.scale.high) {
            let (y, label) = (self.scale.y(price), Price::from_ten_thousandths(price));
            let Some(label) = label else { continue };
            let (left, right, text, text_y) = (px(LEFT), px(RIGHT), px(LEFT - 60), px(y + 40));
            let y = px(y);
            self.put(&format!(r#"<path class="grid" d="M{left} {y}H{right}"/>"#));
            self.put(&format!(r#"<text class="price" x="{text}" y="{text_y}">{}</text>"#, grouped(label)));
        }
        for at in time_marks(self.scale.span, self.explanation.plan.day.start) {
            let x = px(self.scale.x_at(at));
            let (top, bottom, text) = (px(TOP), px(BOTTOM), px(TIMES));
            let (strip_top, strip_bottom) = (px(STRIP_BOTTOM), px(STRIP_BOTTOM + 40));
            self.put(&format!(r#"<path class="grid" d="M{x} {top}V{bottom}M{x} {strip_top}V{strip_bottom}"/>"#));
            let label = clock(at, &self.explanation.plan);
            let label = label.get(..5).unwrap_or(&label);
            self.put(&format!(r#"<text class="time" x="{x}" y="{text}">{label}</text>"#));
        }
    }

    /// The range in which obligation prices are close enough.
    fn band(&mut self) {
        let last = |column: &Column, line: PriceLine| column.lines[line as usize].and_then(|stroke| stroke.last);
        for [first, end] in self.runs(|column| last(column, PriceLine::BandLow).is_some()) {
            let mut forward = String::new();
            let mut back = Vec::new();
            let mut before = None;
            for (position, column) in (first..).zip(&self.columns[first..end]) {
                let edges = last(column, PriceLine::BandLow).zip(last(column, PriceLine::BandHigh));
                let Some((low, high)) = edges else { continue };
                if before == Some((low, high)) {
                    continue;
                }
                before = Some((low, high));
                let x = self.scale.x(position);
                let word = if forward.is_empty() { "M" } else { "H" };
                match word {
                    "M" => write!(forward, "M{} {}", px(x), px(self.scale.y(high))),
                    _ => write!(forward, "H{}V{}", px(x), px(self.scale.y(high))),
                }
                .expect("writing to a string");
                back.push((x, self.scale.y(low)));
            }
            let end = self.scale.x(end);
            write!(forward, "H{}", px(end)).expect("writing to a string");
            for (x, low) in back.into_iter().rev() {
                write!(forward, "V{}H{}", px(low), px(x)).expect("writing to a string");
            }
            self.put(&format!(r#"<path class="band" d="{forward}Z"/>"#));
        }
    }

    /// One line of prices, in steps; where it moved within a column, its whole range.
    fn line(&mut self, line: PriceLine, class: &str) {
        let mut path = String::new();
        // The place at which the pen is down.
        let mut pen: Option<i64> = None;
        for (position, column) in self.columns.iter().enumerate() {
            let x = self.scale.x(position);
            let Some(Stroke { low, high, last }) = column.lines[line as usize] else {
                if pen.take().is_some() {
                    write!(path, "H{}", px(x)).expect("writing to a string");
                }
                continue;
            };
            let (low, high, last) = (self.scale.y(low), self.scale.y(high), last.map(|last| self.scale.y(last)));
            if pen == Some(low) && low == high && last == pen {
                continue;
            }
            match pen {
                Some(_) => write!(path, "H{}", px(x)),
                None => write!(path, "M{} {}", px(x), px(low)),
            }
            .expect("writing to a string");
            if low != high {
                write!(path, "V{}V{}", px(low), px(high)).expect("writing to a string");
            }
            match last {
                Some(last) => write!(path, "V{}", px(last)).expect("writing to a string"),
                // It ended in this column: a dash as wide as the column shows that it was there.
                None => write!(path, "H{}", px(self.scale.x(position + 1))).expect("writing to a string"),
            }
            pen = last;
        }
        if pen.is_some() {
            write!(path, "H{}", px(RIGHT)).expect("writing to a string");
        }
        if !path.is_empty() {
            self.put(&format!(r#"<path class="{class}" d="{path}"/>"#));
        }
    }

    /// A number at each breach of the table, and at the instant asked for a mark.
    fn marks(&mut self) {
        let mut marks: Vec<(i64, usize)> = Vec::new();
        for (number, breach) in (1..).zip(self.explanation.breaches.iter().take(WORKED_MAX)) {
            let (start, end) = (self.scale.x_at(breach.interval.start), self.scale.x_at(breach.interval.end));
            let title = format!(
                "Breach {number}: {} for {}",
                clock(breach.interval.start, &self.explanation.plan),
                duration(length(breach))
            );
            marks.push((start.midpoint(end), number));
            let State::Breach(reason) = breach.interval.state else { continue };
            self.put(&format!(r##"<a href="#breach-{number}"><title>{title}, {reason}</title>"##));
            self.rect("target", [start, end.max(start + 40)], [TOP, STRIP_BOTTOM]);
            self.put("</a>");
        }
        marks.sort_unstable();
        let mut free = [LEFT - 1000; 2];
        for (x, number) in marks {
            let Some(row) = free.iter().position(|&free| free <= x) else { continue };
            free[row] = x + 170;
            let (x, y) = (px(x), px(NUMBERS[row]));
            self.put(&format!(
                r##"<a href="#breach-{number}"><text class="number" x="{x}" y="{y}">{number}</text></a>"##
            ));
        }
        if let Some(moment) = &self.explanation.moment {
            let x = px(self.scale.x_at(moment.scene.at));
            let [top, bottom, strip_top, strip_bottom] = [TOP, BOTTOM, STRIP_TOP, STRIP_BOTTOM].map(px);
            let path = format!("M{x} {top}V{bottom}M{x} {strip_top}V{strip_bottom}");
            self.put(&format!(r#"<path class="instant" d="{path}"><title>the instant asked for</title></path>"#));
        }
    }
}

/// Round prices inside the range, seven at most.
fn price_marks(low: u64, high: u64) -> Vec<u64> {
    let steps = (0..16).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let Some(step) = steps.into_iter().find(|step| (high - low) / step <= 6) else { return Vec::new() };
    (low.div_ceil(step)..=high / step).map(|count| count * step).filter(|&price| 0 < price).collect()
}

/// Round times inside the span, twelve at most, counted from the start of the day.
fn time_marks(span: Span, day_start: Timestamp) -> Vec<Timestamp> {
    const MINUTE: i64 = 60_000_000;
    let whole = span.end.as_micros() - span.start.as_micros();
    let steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360].map(|minutes| minutes * MINUTE);
    let Some(step) = steps.into_iter().find(|step| whole / step <= 12) else { return Vec::new() };
    let since = span.start.as_micros() - day_start.as_micros();
    let first = day_start.as_micros() + (since + step - 1).div_euclid(step) * step;
    (0..).map(|count| Timestamp::from_micros(first + count * step)).take_while(|&at| at <= span.end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        assert_eq!(price_marks(28_130_000, 28_270_000), [28_150_000, 28_200_000, 28_250_000]);
        assert_eq!(price_marks(0, 1), [1]);
        let at = |minutes: i64| Timestamp::from_micros(minutes * 60_000_000);
        let marks = time_marks(Span { start: at(545), end: at(900) }, at(0));
        assert_eq!(marks.first(), Some(&at(570)));
        assert_eq!(marks.len(), 12);
    }

    #[test]
    fn places_are_whole_or_have_one_decimal() {
        assert_eq!([px(0), px(15), px(-15), px(120)], ["0", "1.5", "-1.5", "12"]);
    }
}
