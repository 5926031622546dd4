//! Two worlds that differ only in the content of B's orders look the same to A: every byte, header and event.
//!
//! By turns A is a market maker, and B another; or A is an asset manager, and B whoever quotes ETFs of another's.

use super::super::*;
use crate::desk::Current;
use crate::disk::tests::TestDisk;
use crate::measure::Measuring;
use crate::measure::tests::{create, registry, source};
use crate::recipient::Recipient;
use crate::tokens::{Role, Tokens, new_token};
use quoteclock_rules::Registry;
use quoteclock_store::Store;
use quoteclock_wire::journal::{begin_frame, finish_messages};
use std::sync::{Mutex, RwLock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Chance that repeats.
struct Chance(u64);

impl Chance {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % count
    }
}

/// A live order: its number, issue and quantity.
type Live = (u64, u64, u64);

/// Who looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Looker {
    /// MM1; the other's orders differ.
    Maker,
    /// AM1, whose is 1306; orders in 1321 differ.
    Manager,
}

/// Issues, and servers.
type Where = (&'static [&'static str], &'static [&'static str]);

/// Something that is done with orders in some issues, through some servers; always something that fits the book.
fn act(chance: &mut Chance, live: &mut Vec<Live>, number: u64, (issues, servers): Where) -> String {
    let one_of = |chance: &mut Chance, names: &[&str]| chance.below(names.len() as u64);
    let issue = |number: u64| issues[usize::try_from(number).unwrap()];
    let kind = chance.below(6);
    if live.is_empty() || kind < 3 {
        let which = one_of(chance, issues);
        let server = servers[usize::try_from(one_of(chance, servers)).unwrap()];
        let side = if chance.below(2) == 0 { "B" } else { "S" };
        let (quantity, price) = (1 + chance.below(20), 9_950 + chance.below(100));
        let condition = ["", "", "", "on_close", "funari"][usize::try_from(chance.below(5)).unwrap()];
        live.push((number, which, quantity));
        return format!("{},add,{number},,{server},{side},{price},{quantity},{condition},", issue(which));
    }
    let place = usize::try_from(chance.below(live.len() as u64)).unwrap();
    let (order, which, quantity) = live[place];
    let of = issue(which);
    match kind {
        3 => {
            live.remove(place);
            format!("{of},cancel,{order},,,,,,,")
        }
        4 if 1 < quantity => {
            live[place].2 = quantity - 1;
            let event = if chance.below(2) == 0 { "reduce" } else { "trade" };
            let price = if event == "trade" { "10000" } else { "" };
            format!("{of},{event},{order},,,,{price},1,,")
        }
        _ => {
            live[place] = (number, which, quantity);
            format!("{of},replace,{order},{number},,,{},,,", 9_950 + chance.below(100))
        }
    }
}

/// The messages of two worlds. Whose record comes when, and what A sees done, is the same in both.
fn worlds(seed: u64, looker: Looker) -> [Vec<String>; 2] {
    let (mut same, mut others) = (Chance(seed), [Chance(seed ^ 0xA5A5), Chance(!seed)]);
    let header = "time,issue,event,order,contra,server,side,price,quantity,condition,phase".to_owned();
    let mut messages = [vec![header.clone()], vec![header]];
    let (mut own, mut of_others, mut minute) = (Vec::new(), [Vec::new(), Vec::new()], 0);
    let [seen, unseen]: [Where; 2] = match looker {
        Looker::Maker => [(&["1306", "1321"], &["VS1"]), (&["1306", "1321"], &["VS2"])],
        Looker::Manager => [(&["1306"], &["VS1", "VS2"]), (&["1321"], &["VS1", "VS2"])],
    };
    for number in 0..40 {
        minute = (minute + same.below(3)).min(59);
        let time = format!("2024-03-01T09:{minute:02}:00+09:00");
        if same.below(2) == 0 {
            let record = act(&mut same, &mut own, 1_000_000 + number, seen);
            messages.iter_mut().for_each(|messages| messages.push(format!("{time},{record}")));
        } else {
            for ((chance, live), messages) in others.iter_mut().zip(&mut of_others).zip(&mut messages) {
                messages.push(format!("{time},{}", act(chance, live, number, unseen)));
            }
        }
    }
    messages
}

fn frame(messages: &[String], first: u64) -> Vec<u8> {
    let mut frame = Vec::new();
    begin_frame(&mut frame);
    for message in messages {
        frame.extend_from_slice(&u16::try_from(message.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(message.as_bytes());
    }
    finish_messages(&mut frame, first, u32::try_from(messages.len()).unwrap());
    frame
}

/// What is the same for all worlds.
struct Setting {
    registry: Registry,
    tokens: Tokens,
    /// MM1's, and AM1's.
    token: [String; 2],
    folder: tempfile::TempDir,
}

/// Everybody has alerts, those of whom nothing may be seen first.
const ALERTS: &str = "[[rule]]\nname = \"all\"\nbreach_for_s = 60\n[[rule]]\nname = \"other\"\nparty = \"MM2\"\nbreach_for_s = 60\n\
    [[rule]]\nname = \"elsewhere\"\nparty = \"AM2\"\nbreach_for_s = 60\n\
    [[rule]]\nname = \"own\"\nparty = \"MM1\"\nbreach_for_s = 120\nbudget_below_s = 80000\n\
    burn = [{ short = \"5m\", long = \"1h\", rate = 2 }]\n\
    [[rule]]\nname = \"etfs\"\nparty = \"AM1\"\nbreach_for_s = 120\n";

fn setting() -> Setting {
    let registry = registry(&[
        ("issues.csv", "issue,type,tick_table,asset_manager\n1306,T,yen,AM1\n1321,T,yen,AM2\n"),
        ("market_makers.csv", "market_maker\nMM1\nMM2\n"),
        ("virtual_servers.csv", "server,market_maker\nVS1,MM1\nVS2,MM2\n"),
        ("signups.csv", "market_maker,issue\nMM1,1306\nMM1,1321\nMM2,1306\nMM2,1321\n"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    drop(Store::create(&folder.path().join("market.db")).unwrap());
    std::fs::write(folder.path().join("alerts.toml"), ALERTS).unwrap();
    let now = jiff::Timestamp::now();
    let expires = now + jiff::SignedDuration::from_hours(24);
    let of = |role, party| new_token(role, party, "Ann", expires, now).unwrap();
    let [maker, manager] = [of(Role::MarketMaker, "MM1"), of(Role::AssetManager, "AM1")];
    let file = folder.path().join("tokens.csv");
    std::fs::write(&file, format!("sha256,role,party,name,expires\n{}\n{}\n", maker.1, manager.1)).unwrap();
    let tokens = Tokens::read(&file, now, |_, _| true).unwrap();
    Setting { registry, tokens, token: [maker.0, manager.0], folder }
}

/// What answers in one world.
fn http(setting: &Setting, measuring: &Measuring) -> Arc<Http> {
    let (orders, _) = crossbeam_channel::bounded(1);
    let current = Current { registry: setting.registry.clone(), tokens: setting.tokens.clone(), tls: None };
    let alerting = Alerting::start(setting.folder.path().join("alerts.toml"), None, &setting.registry).unwrap();
    let alerting = Some(Arc::new(alerting));
    let desk = Desk {
        load: Arc::new(|| anyhow::bail!("not asked for here")),
        folder: setting.folder.path().to_owned(),
        tokens: None,
        tls: None,
        alerting: alerting.clone(),
        current: RwLock::new(current),
        orders,
        stop: Stop::new(),
        registries: 0.into(),
    };
    Arc::new(Http {
        db: crate::database::Database { file: setting.folder.path().join("market.db"), shard: None },
        desk: Arc::new(desk),
        inbox: Arc::new(Mutex::new(Some(measuring.work().clone()))),
        health: Arc::default(),
        names: Names::Numbers,
        rates: Rates::default(),
        looking: Looking::default(),
        hub: Hub::default(),
        told: Told::default(),
        requests: Requests::default(),
        alerting,
        past: Arc::new(tokio::sync::Semaphore::new(1)),
        clock: || jiff::Timestamp::UNIX_EPOCH,
    })
}

/// What is asked for in a world: some of it is there, some another's, some nowhere. Half-way the first of it, in the end all.
const PATHS: [&str; 14] = [
    "/api/v1/state",
    "/api/v1/issues/1306/market-makers/MM1",
    "/api/v1/issues/1306/market-makers/MM2",
    "/api/v1/issues/1306/market-makers/MM1?causes=general",
    "/api/v1/issues/1321/market-makers/MM1",
    "/api/v1/issues/1321/market-makers/MM1?causes=general",
    "/api/v1/issues/1306/market-makers/MM2?causes=general",
    "/api/v1/issues/1321/market-makers/MM2",
    "/api/v1/days/2024-03-01/daily.csv",
    "/api/v1/days/2024-03-01/breaches.csv",
    "/api/v1/acknowledgements",
    "/api/v1/nowhere",
    "/metrics",
    "/readyz",
];

const HALF_WAY: usize = 3;

/// The bytes of a connection over which all of these are asked for, one after the other; but for the headers that say when.
async fn ask(shown: &Arc<Http>, token: &str, paths: &[&str]) -> String {
    let (mut ours, theirs) = tokio::io::duplex(1 << 20);
    let service = TowerToHyperService::new(router(Arc::clone(shown)));
    let served = tokio::spawn(async move {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(theirs), service).await;
    });
    let asked = paths.iter().enumerate().map(|(place, path)| {
        let close = if place + 1 == paths.len() { "Connection: close\r\n" } else { "" };
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{close}Authorization: Bearer {token}\r\n\r\n")
    });
    ours.write_all(asked.collect::<String>().as_bytes()).await.unwrap();
    let mut text = String::new();
    ours.read_to_string(&mut text).await.unwrap();
    served.await.unwrap();
    without_dates(&text)
}

/// All that A sees of one world: answers half-way and in the end, and the bytes of an event stream that is open all the while.
async fn seen(setting: &Setting, messages: &[String], looker: Looker) -> [String; 3] {
    let disk = TestDisk::default();
    let mut journal = create(&disk);
    let (first, second) = messages.split_at(messages.len() / 2);
    journal.append(&frame(first, 1), 1 + first.len() as u64).unwrap();
    let measuring = Measuring::start(source(&journal, &setting.registry)).unwrap();
    let shown = http(setting, &measuring);
    let token = &setting.token[usize::from(looker == Looker::Manager)];
    let before = ask(&shown, token, &PATHS[..HALF_WAY]).await;
    // The stream's head and whatever it is told, as it would go out.
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let service = router(Arc::clone(&shown)).layer(Extension(Connection(Arc::default())));
    let service = TowerToHyperService::new(service);
    let streaming = tokio::spawn(async move {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(theirs), service).await;
    });
    let (mut from, mut to) = tokio::io::split(ours);
    let head = format!("GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n");
    to.write_all(head.as_bytes()).await.unwrap();
    let mut events = String::new();
    read_up_to(&mut from, &mut events, ": here\n\n").await;
    let (role, party) = if looker == Looker::Maker { (Role::MarketMaker, "MM1") } else { (Role::AssetManager, "AM1") };
    let log = shown.hub.log(&Recipient { role, party: party.to_owned() });
    // Whatever is told at once goes out at once, so that it is cut the same in all worlds.
    let known = shown.looking.now(&shown).await.unwrap();
    look_for_alerts(&shown, &known);
    log.tell("half", "{}");
    read_up_to(&mut from, &mut events, "event: half\n").await;
    // The other half comes. The journal is what a later look at causes reads.
    let next = 1 + first.len() as u64;
    let bytes = frame(second, next);
    journal.append(&bytes, next + second.len() as u64).unwrap();
    measuring.work().send(Work::Frame(bytes, crate::clock::now())).unwrap();
    shown.looking.is_stale().await;
    let standing = shown.looking.now(&shown).await.unwrap();
    events::tell_all(&shown, Some(&known.picture), &standing.picture);
    look_for_alerts(&shown, &standing);
    log.tell("last", "{}");
    read_up_to(&mut from, &mut events, "event: last\n").await;
    streaming.abort();
    let after = ask(&shown, token, &PATHS).await;
    drop(shown);
    drop(measuring.join());
    [before, without_dates(&events), after]
}

fn look_for_alerts(shown: &Http, present: &Present) {
    shown.alerting.as_ref().unwrap().look(shown.sight(Some(present), &shown.desk.registry()));
}

/// Reads until something has come.
async fn read_up_to(from: &mut (impl tokio::io::AsyncRead + Unpin), text: &mut String, end: &str) {
    let mut bytes = [0; 1 << 14];
    while !text.contains(end) {
        let count = from.read(&mut bytes).await.unwrap();
        assert!(count != 0, "{text}");
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
}

/// But for the headers that say when.
fn without_dates(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("date:")).map(|line| format!("{line}\n")).collect()
}

/// How many pairs of worlds, and the first: `QUOTECLOCK_PAIRS` and `QUOTECLOCK_FIRST_PAIR` for more than a quick look.
fn pairs() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|count| count.parse().ok());
    let first = number("QUOTECLOCK_FIRST_PAIR").unwrap_or(0);
    first..first + number("QUOTECLOCK_PAIRS").unwrap_or(40)
}

#[test]
fn what_others_quote_shows_nowhere() {
    let setting = setting();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut states, mut alerts, mut causes) = (0, 0, 0);
    for seed in pairs() {
        let looker = if seed % 2 == 0 { Looker::Maker } else { Looker::Manager };
        let [one, other] = worlds(seed, looker);
        assert_ne!(one, other, "seed {seed}");
        let (first, second) =
            runtime.block_on(async { (seen(&setting, &one, looker).await, seen(&setting, &other, looker).await) });
        for (first, second) in first.iter().zip(&second) {
            assert_eq!(first, second, "seed {seed}, {looker:?}");
        }
        let [before, events, after] = &first;
        let (there, elsewhere) = if looker == Looker::Maker { ("MM1", "MM2") } else { ("\"1306\"", "\"1321\"") };
        let counts =
            if looker == Looker::Maker { [(HALF_WAY, 1), (PATHS.len(), 5)] } else { [(HALF_WAY, 0), (PATHS.len(), 6)] };
        for (answers, (all, missing)) in [before, after].into_iter().zip(counts) {
            assert!(answers.contains(there) && !answers.contains(elsewhere), "{answers}");
            assert_eq!(answers.matches("HTTP/1.1 ").count(), all);
            assert_eq!(answers.matches("404 Not Found").count(), missing, "{answers}");
            assert_eq!(answers.matches("429 ").count(), 0);
        }
        states += u64::from(events.contains("event: state"));
        alerts += u64::from(events.contains("event: alert") && after.contains("\"alerts\":[{"));
        causes += u64::from(after.contains("\"began\":[{\"kind\":\""));
    }
    let half = (pairs().end - pairs().start) / 2;
    assert!(half < states && half < alerts && half < causes, "{states} {alerts} {causes}");
}
