//! Two worlds that differ only in the content of B's orders look the same to A: every byte, header and event.

use super::super::*;
use crate::desk::Current;
use crate::disk::tests::TestDisk;
use crate::hub::Taken;
use crate::measure::Measuring;
use crate::measure::tests::{create, registry, source};
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

/// Something that a market maker does with its orders; always something that fits the book.
fn act(chance: &mut Chance, live: &mut Vec<Live>, number: u64, server: &str) -> String {
    let issue = |number: u64| if number == 0 { "1306" } else { "1321" };
    let kind = chance.below(6);
    if live.is_empty() || kind < 3 {
        let (which, side) = (chance.below(2), if chance.below(2) == 0 { "B" } else { "S" });
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

/// The messages of two worlds. Whose record comes when, and what A does, is the same in both.
fn worlds(seed: u64) -> [Vec<String>; 2] {
    let (mut same, mut others) = (Chance(seed), [Chance(seed ^ 0xA5A5), Chance(!seed)]);
    let header = "time,issue,event,order,contra,server,side,price,quantity,condition,phase".to_owned();
    let mut messages = [vec![header.clone()], vec![header]];
    let (mut own, mut of_others, mut minute) = (Vec::new(), [Vec::new(), Vec::new()], 0);
    for number in 0..40 {
        minute = (minute + same.below(3)).min(59);
        let time = format!("2024-03-01T09:{minute:02}:00+09:00");
        if same.below(2) == 0 {
            let record = act(&mut same, &mut own, 1_000_000 + number, "VS1");
            messages.iter_mut().for_each(|messages| messages.push(format!("{time},{record}")));
        } else {
            for ((chance, live), messages) in others.iter_mut().zip(&mut of_others).zip(&mut messages) {
                messages.push(format!("{time},{}", act(chance, live, number, "VS2")));
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
    token: String,
    folder: tempfile::TempDir,
}

fn setting() -> Setting {
    let registry = registry(&[
        ("market_makers.csv", "market_maker\nMM1\nMM2\n"),
        ("virtual_servers.csv", "server,market_maker\nVS1,MM1\nVS2,MM2\n"),
        ("signups.csv", "market_maker,issue\nMM1,1306\nMM1,1321\nMM2,1306\nMM2,1321\n"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    drop(Store::create(&folder.path().join("market.db")).unwrap());
    let now = jiff::Timestamp::now();
    let expires = now + jiff::SignedDuration::from_hours(24);
    let (token, row) = new_token(Role::MarketMaker, "MM1", "Ann", expires, now).unwrap();
    let file = folder.path().join("tokens.csv");
    std::fs::write(&file, format!("sha256,role,party,name,expires\n{row}\n")).unwrap();
    let tokens = Tokens::read(&file, now, |_, _| true).unwrap();
    Setting { registry, tokens, token, folder }
}

/// What answers in one world.
fn http(setting: &Setting, measuring: &Measuring) -> Arc<Http> {
    let (orders, _) = crossbeam_channel::bounded(1);
    let current = RwLock::new(Current { registry: setting.registry.clone(), tokens: setting.tokens.clone() });
    let desk = Desk {
        load: Arc::new(|| anyhow::bail!("not asked for here")),
        folder: setting.folder.path().to_owned(),
        tokens: None,
        current,
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
        alerting: None,
        clock: || jiff::Timestamp::UNIX_EPOCH,
    })
}

/// All bytes that are answered, but for the header that says when.
async fn ask(shown: &Arc<Http>, token: &str, path: &str) -> String {
    let (mut ours, theirs) = tokio::io::duplex(1 << 20);
    let service = TowerToHyperService::new(router(Arc::clone(shown)));
    let served = tokio::spawn(async move {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(theirs), service).await;
    });
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n");
    ours.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    ours.read_to_string(&mut text).await.unwrap();
    served.await.unwrap();
    text.lines().filter(|line| !line.starts_with("date:")).map(|line| format!("{line}\n")).collect()
}

/// All that A sees of one world: answers half-way and in the end, and the events in between.
fn seen(setting: &Setting, runtime: &tokio::runtime::Runtime, messages: &[String]) -> Vec<String> {
    let disk = TestDisk::default();
    let mut journal = create(&disk);
    let (first, second) = messages.split_at(messages.len() / 2);
    journal.append(&frame(first, 1), 1 + first.len() as u64).unwrap();
    let measuring = Measuring::start(source(&journal, &setting.registry)).unwrap();
    let shown = http(setting, &measuring);
    let a = Recipient { role: Role::MarketMaker, party: "MM1".to_owned() };
    let seen = runtime.block_on(async {
        let log = shown.hub.log(&a);
        let stream = log.open([1; 32], Arc::default(), None).unwrap();
        let paths = [
            "/api/v1/state",
            "/api/v1/issues/1306/market-makers/MM1",
            "/api/v1/issues/1321/market-makers/MM1",
            "/api/v1/issues/1306/market-makers/MM2",
            "/api/v1/days/2024-03-01/daily.csv",
            "/api/v1/days/2024-03-01/breaches.csv",
            "/api/v1/acknowledgements",
            "/metrics",
        ];
        let mut seen = Vec::new();
        for path in paths {
            seen.push(ask(&shown, &setting.token, path).await);
        }
        let before = Looking::default().now(&shown).await.unwrap();
        let next = 1 + first.len() as u64;
        let work = Work::Frame(frame(second, next), crate::clock::now());
        measuring.work().send(work).unwrap();
        let after = Looking::default().now(&shown).await.unwrap();
        events::tell_all(&shown, Some(&before.picture), &after.picture);
        let Taken::Events(told) = log.take(&stream) else { return seen };
        seen.push(told);
        tokio::time::sleep(std::time::Duration::from_millis(101)).await;
        for path in paths {
            seen.push(ask(&shown, &setting.token, path).await);
        }
        seen
    });
    drop(shown);
    drop(measuring.join());
    seen
}

/// How many pairs of worlds: `QUOTECLOCK_PAIRS` for more than a quick look.
fn pairs() -> u64 {
    std::env::var("QUOTECLOCK_PAIRS").ok().and_then(|count| count.parse().ok()).unwrap_or(40)
}

#[test]
fn what_others_quote_shows_nowhere() {
    let setting = setting();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut differ, mut told) = (0, 0);
    for seed in 0..pairs() {
        let [one, other] = worlds(seed);
        let (first, second) = (seen(&setting, &runtime, &one), seen(&setting, &runtime, &other));
        assert_eq!(first, second, "seed {seed}");
        assert!(first[0].contains("200 OK") && first[0].contains("\"MM1\""), "{}", first[0]);
        assert!(first[3].contains("404 Not Found"), "{}", first[3]);
        differ += u64::from(one != other);
        told += u64::from(first.iter().any(|text| text.starts_with("id: ")));
    }
    assert!(differ == pairs() && pairs() / 2 < told, "{differ} worlds differ, in {told} something was told");
}
