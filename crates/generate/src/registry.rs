//! The registry that goes with the generated days: what a folder of files says of the same world.

use crate::calendar::{zone, zone_name};
use crate::options::{Options, day_number};
use crate::random::Random;
use crate::world::{World, types};
use jiff::civil::Date;
use std::fmt::Write;

/// The files of the registry, by name: the same for every day of a month.
pub fn registry(options: &Options) -> Vec<(String, String)> {
    let world = World::new(options);
    let mut files = vec![
        ("issues.csv", issues(options, &world)),
        ("market_makers.csv", market_makers(&world)),
        ("virtual_servers.csv", servers(&world)),
        ("signups.csv", sign_ups(options, &world)),
        ("fast_market.csv", fast_market(options)),
        ("exemptions.csv", exemptions(options, &world)),
        ("holidays.csv", holidays(options)),
    ];
    if options.load.is_us() {
        files.push(("scheme.toml", us_scheme()));
    } else {
        files.push(("sponsored.csv", sponsored(options, &world)));
        files.push(("matching_funds.csv", matching(options, &world)));
    }
    files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// Indices that an ETF of the type may track under ST-1; the first, but for type A, is one for diversified investment.
fn indices(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "A" => &[MATCHED, "Nikkei 225", "JPX-Nikkei 400", "JPX Prime 150"],
        "B" => &["TSE REIT Index", "TOPIX Core30", "NOMURA-BPI Total", "TOPIX Small"],
        "C" => &["S&P 500", "Gold", "MSCI World", "STOXX Europe 600"],
        _ => &["MSCI Emerging Markets", "Nifty 50", "FTSE Emerging"],
    }
}

/// The index of a matching fund.
const MATCHED: &str = "TOPIX";
const ASSET_MANAGERS: [&str; 4] = ["AM-NORTH", "AM-EAST", "AM-SOUTH", "AM-WEST"];

fn cycle<'a>(names: &[&'a str], at: usize) -> &'a str {
    names[at % names.len()]
}

/// A CSV file of `rows` under `header`.
fn file(header: &str, rows: impl IntoIterator<Item = String>) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        text.push_str(&row);
        text.push('\n');
    }
    text
}

fn issues(options: &Options, world: &World) -> String {
    let header = "issue,name,type,leveraged_inverse,active,index,tick_table,trading_unit,tier,diversified,listed,\
                  asset_manager,aum_jpy,from,to";
    let rows = world.issues.iter().enumerate().map(|(at, issue)| {
        let plain = issue.terms.name != "A" && !issue.leveraged;
        let (active, diversified) = (at % 11 == 10 && plain, at % 9 == 8 && plain);
        let index = match indices(issue.terms.name) {
            of_type if diversified => of_type[0],
            of_type => cycle(of_type, at),
        };
        let manager = cycle(&ASSET_MANAGERS, at / 2);
        let (index, manager) = if options.load.is_us() { ("", "") } else { (index, manager) };
        let aum = u64::from(issue.activity) * 1_000_000;
        // What a review would give: nothing of the months that it measures is made up.
        let tier = match issue.activity {
            _ if issue.leveraged || options.load.is_us() => "",
            70_000.. => "IV",
            60_000.. => "III",
            55_000.. => "II",
            _ => "I",
        };
        format!(
            "{},Made-up Fund {},{},{},{active},{index},{},{},{tier},{},2020-01-06,{manager},{aum},,",
            issue.code,
            at + 1,
            issue.terms.name,
            issue.leveraged,
            issue.grid.name,
            issue.unit,
            diversified,
        )
    });
    file(header, rows)
}

fn market_makers(world: &World) -> String {
    let kind = |at| cycle(&["proprietary", "securities company"], at);
    let row = |(at, maker): (usize, &crate::world::MarketMaker)| {
        format!("{},Made-up Markets {},{}", maker.name, at + 1, kind(at))
    };
    file("market_maker,name,kind", world.market_makers.iter().enumerate().map(row))
}

fn servers(world: &World) -> String {
    let rows = world.servers.iter().map(|server| {
        let maker = &world.market_makers[server.market_maker as usize].name;
        format!("{},{maker},{},,", server.name, server.participant)
    });
    file("server,market_maker,participant,from,to", rows)
}

/// Who has signed up in which order matters for some payments; for dates long past, everybody always has.
fn sign_ups(options: &Options, world: &World) -> String {
    let rows = world.sign_ups.iter().enumerate().map(|(at, sign_up)| {
        let maker = &world.market_makers[sign_up.market_maker as usize].name;
        let (issue, participant) = (&world.issues[sign_up.issue as usize].code, sign_up.participant.as_deref());
        let from = if options.date.year() < 2021 { String::new() } else { format!("2020-{:02}-01", 1 + at % 9) };
        format!("{maker},{issue},{},{from},", participant.unwrap_or_default())
    });
    file("market_maker,issue,participant,from,to", rows)
}

fn fast_market(options: &Options) -> String {
    let row = options.fast_market_day().map(|(date, multiplier)| format!("{date},{date},{multiplier}"));
    file("from,to,multiplier", row)
}

/// Half an hour for one market maker on one issue each day, and one issue that nobody need quote for all the month.
fn exemptions(options: &Options, world: &World) -> String {
    let month = options.date.first_of_month();
    let mut random = Random::of(options.seed, 0xE8E0 ^ day_number(month));
    let zone = zone(zone_name(options));
    let instant = |day: Date, hour: i8, minute: i8| match day.at(hour, minute, 0, 0).to_zoned(zone.clone()) {
        Ok(zoned) => zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        Err(_) => String::new(),
    };
    let mut rows = Vec::new();
    let count = |length: usize| u32::try_from(length).expect("the options bound every count");
    for day in options.trading_days() {
        if world.sign_ups.is_empty() {
            break;
        }
        let sign_up = &world.sign_ups[random.below(count(world.sign_ups.len())) as usize];
        let maker = &world.market_makers[sign_up.market_maker as usize].name;
        let issue = &world.issues[sign_up.issue as usize].code;
        rows.push(format!("{issue},{maker},{},{},system maintenance", instant(day, 10, 15), instant(day, 10, 45)));
    }
    if 10 < world.issues.len() {
        let issue = &world.issues[random.below(count(world.issues.len())) as usize].code;
        rows.push(format!("{issue},,{},,index not published", instant(month, 0, 0)));
    }
    file("issue,market_maker,from,to,reason", rows)
}

fn holidays(options: &Options) -> String {
    file("date,name", options.holidays.iter().map(|date| format!("{date},holiday")))
}

/// So many months from the first of the options' month on.
fn months(options: &Options, count: usize) -> (Date, Date) {
    let first = options.date.first_of_month();
    let next = |month: Date| month.last_of_month().tomorrow().unwrap_or(month);
    let last = (1..count).fold(first, |month, _| next(month));
    (first, last.last_of_month())
}

fn sponsored(options: &Options, world: &World) -> String {
    let (from, to) = months(options, 3);
    let rows = world.issues.iter().enumerate().filter(|(at, _)| at % 10 == 3).map(|(at, issue)| {
        let (value, ticks) = (issue.terms.value / 2, issue.terms.ticks + 1);
        let (manager, bps) = (cycle(&ASSET_MANAGERS, at / 2), issue.terms.bps * 2);
        let payment = cycle(&["fixed", "proportional"], at / 10);
        format!(
            "S{},{},{bps},{ticks},{value},70,{from},{to},{manager},300000,{payment},2,volume;time;signup,,",
            at / 10 + 1,
            issue.code
        )
    });
    let header = "condition,issue,max_spread_bps,max_spread_ticks,min_value_jpy,coverage_pct,from,to,asset_manager,\
                  total_jpy,payment,max_makers,priority,aum_trigger_jpy,aum_part_jpy";
    file(header, rows)
}

fn matching(options: &Options, world: &World) -> String {
    let (from, to) = months(options, 6);
    let of_index = format!("M1,,{},30,3,20000000,80,{from},{to},AM-NORTH,600000,fixed,2,,,,", MATCHED);
    let one = world.issues.get(1).map(|issue| {
        let (bps, value) = (issue.terms.bps, issue.terms.value);
        format!("M2,{},,{bps},,{value},80,{from},{to},{},400000,fixed,1,,,,", issue.code, ASSET_MANAGERS[0])
    });
    let header = "condition,issue,index,max_spread_bps,max_spread_ticks,min_value_jpy,coverage_pct,from,to,\
                  asset_manager,total_jpy,payment,max_makers,priority,aum_trigger_jpy,aum_part_jpy,max_issues";
    file(header, [of_index].into_iter().chain(one))
}

/// A scheme of a made-up venue in New York: the feed tells the phases, prices are cents.
fn us_scheme() -> String {
    let mut text = "name = \"us-market\"\nversion = \"1\"\ntimezone = \"America/New_York\"\nphase_source = \"feed\"\n\
                    required_pct = 80\n"
        .to_owned();
    for terms in types(crate::Load::UsMarket) {
        let (name, bps, ticks, value) = (terms.name, terms.bps, terms.ticks, terms.value);
        write!(text, "[types.{name}]\nmax_spread_bps = {bps}\nmax_spread_ticks = {ticks}\nmin_value = {value}\n")
            .expect("writing to a string");
    }
    text.push_str("[tick_tables]\ncent = [[\"above\", \"0.01\"]]\n");
    text
}
