"use strict";
// The page of a running day. The token is kept here and nowhere else; everything is text, nothing is loaded from outside.
const $ = (id) => document.getElementById(id);
const SIGNS = { fulfilled: "✓", breach: "✕", unknown: "?", unavailable: "–" };
const WORDS = { fulfilled: "fulfilled", breach: "breach", unknown: "unknown", unavailable: "not required" };
const WORST = ["breach", "unknown", "fulfilled", "unavailable"];
const ALERTS_MAX = 20;
const REASONS = { no_bid: "no bid", bid_size: "bid too small", no_offer: "no offer", offer_size: "offer too small", spread: "too wide", size_balance: "sizes too far apart", resting: "not held long enough" };
let token = null, state = null, rows = new Map(), cells = new Map(), open = null, stop = null, timer = null, current = null;
// Of the issue that is open: by obligation and beginning, what its outages began and ended with, where that has been asked for.
let causes = new Map();

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "class") made.className = value; else if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  for (const child of children) if (child !== null && child !== undefined) made.append(child instanceof Node ? child : String(child));
  return made;
}

async function ask(path, options) {
  const answer = await fetch(path, { ...options, headers: { ...(options && options.headers), Authorization: `Bearer ${token}` }, cache: "no-store", credentials: "omit" });
  if (answer.status === 401) { leave("The token is not valid, or not any more."); throw new Error("401"); }
  return answer;
}

const reasonText = (reason) => (reason || "").split("+").map((part) => REASONS[part] || part).filter(Boolean).join(", ");
const clock = (time) => time ? time.slice(11, 19) : "–";
// Two of the four decimals, cut: what is short of a share never looks as if it reached it.
const percent = (text) => text === null || text === undefined ? "–" : text.slice(0, -2);
const exactly = (text) => text === null || text === undefined ? "–" : `${text} %`;
function span(us) {
  if (us === null || us === undefined) return "–";
  const seconds = Math.floor(us / 1e6), part = (number) => String(number).padStart(2, "0");
  if (us < 1000) return us === 0 ? "0 s" : `${us} µs`;
  return seconds < 60 && us % 1e6 ? `${(us / 1e6).toFixed(3)} s` : `${Math.floor(seconds / 3600)}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
}
const keyOf = (row) => `${row.issue}\n${row.market_maker}`;
const isAtRisk = (row) => row.budget && (row.budget.prospect === "at_risk" || row.budget.prospect === "lost");

// --- entering and leaving
$("enter").addEventListener("submit", async (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  $("refused").textContent = "";
  try {
    const answer = await ask("api/v1/state");
    if (!answer.ok) { token = null; $("refused").textContent = answer.status === 404 ? "This token shows nothing of the market." : `The answer was ${answer.status}.`; return; }
    $("token").value = "";
    for (const [id, hidden] of [["enter", true], ["board", false], ["facts", false], ["leave", false]]) $(id).hidden = hidden;
    show(await answer.json());
    follow();
    poll();
  } catch (error) { if (token !== null) $("refused").textContent = "Nobody answers."; }
});
$("leave").addEventListener("click", () => leave(""));
function leave(why) {
  token = null; state = null;
  if (stop) stop.abort();
  clearTimeout(timer);
  if ($("view").open) $("view").close();
  for (const id of ["grid", "view-body", "view-title", "alerts", "away", "stale", "live", "count", "by-maker", "by-type", "date", "as-of", "feed", "fast-market", "etfs", "latency"]) $(id).replaceChildren();
  rows.clear(); cells.clear(); current = null;
  for (const [id, hidden] of [["enter", false], ["board", true], ["facts", true], ["leave", true]]) $(id).hidden = hidden;
  $("refused").textContent = why;
  $("token").focus();
}

// --- what comes
function poll() {
  clearTimeout(timer);
  timer = setTimeout(async () => { await refresh(); poll(); }, state && state.obligations.length > 500 ? 15000 : 2000);
}
async function refresh() {
  if (token === null || document.hidden) return;
  try {
    const answer = await ask("api/v1/state");
    if (answer.ok) show(await answer.json()); else $("feed").textContent = "nobody answers";
    if (open) await showIssue();
  } catch (error) { if (token !== null) $("feed").textContent = "nobody answers"; }
}
async function follow() {
  stop = new AbortController();
  const mine = stop;
  let last = null;
  while (token !== null && !mine.signal.aborted) {
    try {
      const answer = await ask("api/v1/events", { signal: mine.signal, headers: last === null ? {} : { "Last-Event-ID": last } });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = ""; ;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
          const fields = Object.fromEntries(text.slice(0, end).split("\n").filter((line) => !line.startsWith(":")).map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
          if (fields.id) last = fields.id;
          if (fields.event) take(fields.event, JSON.parse(fields.data));
        }
      }
    } catch (error) { /* It is tried again. */ }
    await new Promise((then) => setTimeout(then, 1000));
  }
}
function announce(row) {
  if (row.state === "breach") $("live").textContent = `${row.market_maker} ${row.issue} ${row.obligation}: breach, ${reasonText(row.reason)}`;
}
function take(kind, data) {
  if (kind === "state") {
    const row = rows.get(keyOf(data))?.find((row) => row.obligation === data.obligation);
    if (row) {
      Object.assign(row, { state: data.state, since: data.since, reason: data.reason });
      paint(keyOf(data), true);
      announce(data);
    }
    if (open === keyOf(data)) showIssue();
  } else if (kind === "feed") $("feed").textContent = data.now.feed;
  else refresh();
}

// --- the board
function show(answer) {
  const shape = (of) => of ? of.obligations.map((row) => `${keyOf(row)}\n${row.obligation}`).join("\r") : null;
  const isNew = shape(state) !== shape(answer);
  const before = new Map(isNew || !state ? [] : state.obligations.map((row) => [`${keyOf(row)}\n${row.obligation}`, row.state]));
  for (const row of answer.obligations) if (before.has(`${keyOf(row)}\n${row.obligation}`) && before.get(`${keyOf(row)}\n${row.obligation}`) !== row.state) announce(row);
  state = answer;
  rows = new Map();
  for (const row of answer.obligations) {
    const key = keyOf(row);
    if (rows.has(key)) rows.get(key).push(row); else rows.set(key, [row]);
  }
  $("date").textContent = answer.date || "no day runs";
  $("as-of").textContent = clock(answer.as_of);
  $("feed").textContent = answer.now.feed;
  $("feed").className = answer.now.feed === "ok" ? "" : "risk";
  const multiplier = answer.fast_market ? answer.fast_market.multiplier : 1;
  $("fast-market").textContent = multiplier === 1 ? "none" : `× ${multiplier}`;
  const makers = answer.market_makers;
  const met = makers.filter((maker) => maker.etfs_required <= maker.etfs_met).length;
  $("etfs").textContent = makers.length === 0 ? "–" : makers.length === 1 ? `${makers[0].etfs_met}, ${makers[0].etfs_required} needed` : `${met} of ${makers.length} market makers have ${makers[0].etfs_required}`;
  $("etfs-box").hidden = makers.length === 0;
  $("latency-box").hidden = !answer.feed;
  if (answer.feed) $("latency").textContent = ["p50", "p99", "p999", "max"].map((name) => answer.feed.lag_us[name]).join(" / ") + " µs";
  const stale = answer.month_stale;
  $("stale").hidden = stale !== null && stale.length === 0 || answer.date === null;
  $("stale").textContent = stale === null ? "The month cannot be read at the moment." : `The registry would alter stored days: ${stale.join(", ")}.`;
  const shards = answer.shards || [], away = shards.filter((shard) => shard.state !== "ok").length;
  $("away").hidden = away === 0;
  $("away").textContent = `No answer from ${away} of ${shards.length} parts of the market: what is measured there is not shown.`;
  const alerts = answer.alerts || [];
  $("alerts").hidden = alerts.length === 0;
  const rest = alerts.length > ALERTS_MAX ? [element("li", {}, `and ${alerts.length - ALERTS_MAX} more`)] : [];
  $("alerts").replaceChildren(...alerts.slice(0, ALERTS_MAX).map((alert) => element("li", {}, `${{ breach: "breach", unknown: "unknown time", budget: "little budget left", burn: "budget used up too fast", feed_silent: "the feed is silent" }[alert.alert]}${alert.issue ? `: ${alert.market_maker} ${alert.issue} ${alert.obligation}` : ""} (${alert.rule})`)), ...rest);
  if (isNew) { options(); build(); } else for (const key of rows.keys()) paint(key, false);
  const byName = new Map(makers.map((maker) => [maker.market_maker, maker]));
  for (const head of $("grid").querySelectorAll("thead [data-maker] small")) {
    const maker = byName.get(head.parentElement.dataset.maker);
    head.textContent = maker ? `${maker.etfs_met} ETFs, ${maker.etfs_required} needed` : "";
  }
  filter();
}
function options() {
  for (const [id, values] of [["by-maker", state.obligations.map((row) => row.market_maker)], ["by-type", state.obligations.map((row) => row.type).filter(Boolean)]]) {
    const chosen = $(id).value;
    $(id).replaceChildren(element("option", { value: "" }, "all"), ...[...new Set(values)].sort().map((value) => element("option", { value }, value)));
    $(id).value = [...$(id).options].some((option) => option.value === chosen) ? chosen : "";
  }
}
function build() {
  const makers = [...new Set(state.obligations.map((row) => row.market_maker))], issues = [...new Set(state.obligations.map((row) => row.issue))].sort();
  cells = new Map();
  const head = element("tr", {}, element("th", { scope: "col" }, "Issue"), ...makers.map((maker) => element("th", { scope: "col", "data-maker": maker }, maker,
    state.market_makers.length === 0 ? null : element("small", { title: "ETFs met in the month so far" }))));
  const body = issues.map((issue) => element("tr", { "data-issue": issue }, element("th", { scope: "row" }, issue), ...makers.map((maker) => {
    const key = `${issue}\n${maker}`;
    if (!rows.has(key)) return element("td", { class: "none", role: "gridcell", "data-maker": maker, "aria-label": "not signed up" });
    const cell = element("td", { role: "gridcell", tabindex: "-1", "data-maker": maker },
      element("span", { class: "sign", "aria-hidden": "true" }), element("span", { class: "today" }), element("span", { class: "month" }));
    cell.dataset.key = key;
    cells.set(key, cell);
    return cell;
  })));
  $("grid").replaceChildren(element("thead", {}, head), element("tbody", {}, ...body));
  for (const key of rows.keys()) paint(key, false);
  const first = cells.values().next().value;
  current = current && cells.get(current.dataset.key) || first || null;
  if (current) current.tabIndex = 0;
}
const worstOf = (all) => WORST.find((word) => all.some((row) => row.state === word)) || "unavailable";
function paint(key, isChange) {
  const cell = cells.get(key), all = rows.get(key);
  if (!cell || !all) return;
  const worst = worstOf(all), general = all[0], risk = all.some(isAtRisk);
  cell.className = worst + (isChange ? " changed" : "");
  const [sign, today, month] = cell.children;
  const signs = SIGNS[worst] + (risk ? "!" : "") + (all.length > 1 ? `+${all.length - 1}` : "");
  if (sign.textContent !== signs) sign.textContent = signs;
  const texts = [percent(general.today.display_pct), percent(general.month && general.month.display_pct)];
  if (today.textContent !== texts[0]) today.textContent = texts[0];
  if (month.textContent !== texts[1]) month.textContent = texts[1];
  const told = all.map((row) => `${row.obligation} ${WORDS[row.state]}${row.reason ? ` (${reasonText(row.reason)})` : ""}`).join("; ");
  cell.setAttribute("aria-label", `${general.market_maker} ${general.issue}: ${told}; today ${texts[0]} percent, month ${texts[1]} percent${risk ? "; at risk or lost" : ""}`);
}
function filter() {
  const [maker, type, word, issue, risk] = [$("by-maker").value, $("by-type").value, $("by-state").value, $("by-issue").value.trim().toUpperCase(), $("at-risk").checked];
  const shown = new Set(), seenMakers = new Set();
  let count = 0;
  for (const [key, all] of rows) {
    const fits = (!maker || all[0].market_maker === maker) && (!type || all[0].type === type) && (!issue || all[0].issue.includes(issue))
      && (!word || all.some((row) => row.state === word)) && (!risk || all.some(isAtRisk));
    const cell = cells.get(key);
    if (cell) { cell.toggleAttribute("data-out", !fits); if (fits) cell.removeAttribute("aria-hidden"); else cell.setAttribute("aria-hidden", "true"); }
    if (fits) { shown.add(all[0].issue); seenMakers.add(all[0].market_maker); count += 1; }
  }
  for (const row of $("grid").querySelectorAll("tbody tr")) row.hidden = !shown.has(row.dataset.issue);
  for (const cell of $("grid").querySelectorAll("[data-maker]")) cell.hidden = !seenMakers.has(cell.dataset.maker);
  $("count").textContent = `${count} of ${rows.size}`;
  // The one cell that Tab comes to is one that is there.
  if (current && !isIn(current)) {
    current.tabIndex = -1;
    current = [...cells.values()].find(isIn) || current;
    if (isIn(current)) current.tabIndex = 0;
  } else if (current) current.tabIndex = 0;
}
const isIn = (cell) => Boolean(cell && cell.dataset.key) && !cell.hidden && !cell.hasAttribute("data-out");
$("filters").addEventListener("input", filter);
$("filters").addEventListener("submit", (event) => event.preventDefault());

// --- keyboard: arrows move, Enter opens
$("grid").addEventListener("keydown", (event) => {
  const cell = event.target.closest("td[data-key]");
  if (!cell) return;
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); openIssue(cell); return; }
  const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], PageDown: [10, 0], PageUp: [-10, 0], Home: [0, -999], End: [0, 999] };
  const step = steps[event.key];
  if (!step) return;
  event.preventDefault();
  const lines = [...$("grid").querySelectorAll("tbody tr")].filter((row) => !row.hidden);
  const [down, right] = step;
  let at = lines.indexOf(cell.parentElement), column = cell.cellIndex;
  const clamp = (number, most) => Math.max(0, Math.min(most, number));
  for (let tries = 0; tries < 400; tries += 1) {
    const next = [clamp(at + (tries && down ? Math.sign(down) : down), lines.length - 1), column + (Math.abs(right) > 1 ? 0 : right)];
    let other = lines[next[0]].cells[next[1]];
    if (Math.abs(right) > 1) { const all = [...lines[at].cells].filter(isIn); other = right < 0 ? all[0] : all[all.length - 1]; }
    if (isIn(other)) { focusCell(other); return; }
    if (!other || (next[0] === at && next[1] === column)) return;
    [at, column] = next;
  }
});
function focusCell(cell) {
  if (current) current.tabIndex = -1;
  current = cell;
  cell.tabIndex = 0;
  cell.focus();
}
$("grid").addEventListener("click", (event) => { const cell = event.target.closest("td[data-key]"); if (isIn(cell)) { focusCell(cell); openIssue(cell); } });

// --- one issue
function openIssue(cell) {
  open = cell.dataset.key;
  causes = new Map();
  $("view-title").textContent = "…";
  $("view-body").replaceChildren();
  $("view").showModal();
  showIssue();
}
// It is told later: another may have been opened since.
$("view").addEventListener("close", () => { if ($("view").open) return; open = null; if (current) current.focus(); });
function pathOf(key) {
  const [issue, maker] = key.split("\n");
  return `api/v1/issues/${encodeURIComponent(issue)}/market-makers/${encodeURIComponent(maker)}`;
}
async function askCauses(key, obligation) {
  $("live").textContent = "Reading the day…";
  for (let tries = 0; tries < 60 && open === key; tries += 1) {
    const answer = await ask(`${pathOf(key)}?causes=${encodeURIComponent(obligation)}`);
    if (answer.status === 429) { await new Promise((then) => setTimeout(then, 1000)); continue; }
    if (!answer.ok || open !== key) break;
    const one = (await answer.json()).obligations.find((one) => one.obligation === obligation);
    causes.set(obligation, new Map(one.outages.map((outage) => [outage.start, outage])));
    $("live").textContent = "It is told what the outages began and ended with.";
    return showIssue();
  }
  $("live").textContent = "It cannot be told.";
}
async function showIssue() {
  const key = open;
  if (key === null) return;
  const [issue, maker] = key.split("\n");
  const speaks = state.role !== "asset_manager";
  const [answer, said] = await Promise.all([ask(pathOf(key)), speaks ? ask("api/v1/acknowledgements") : null]);
  if (!answer.ok || open !== key) return;
  const depth = await answer.json(), remarks = said && said.ok ? (await said.json()).acknowledgements.filter((one) => one.issue === issue && one.market_maker === maker) : null;
  if (open !== key) return;
  const typed = document.activeElement && document.activeElement.name === "remark" ? document.activeElement : null;
  if (typed) return;
  $("view-title").textContent = `${depth.issue}${depth.issue_name ? ` ${depth.issue_name}` : ""}: ${depth.market_maker}`;
  const scrolled = $("view").scrollTop, aside = [...$("view-body").querySelectorAll(".wide")].map((box) => box.scrollLeft);
  const held = document.activeElement && document.activeElement.dataset.hold;
  $("view-body").replaceChildren(
    element("p", {}, `As of ${clock(depth.as_of)}; the issue's phase is ${depth.phase}, the market's ${depth.market_phase}; Fast Market multiplier ${depth.fast_market_multiplier}.`),
    ...depth.obligations.map((one) => inDepth(one, remarks)));
  $("view").scrollTop = scrolled;
  [...$("view-body").querySelectorAll(".wide")].forEach((box, place) => { box.scrollLeft = aside[place] || 0; });
  if (held) [...$("view-body").querySelectorAll("[data-hold]")].find((other) => other.dataset.hold === held)?.focus({ preventScroll: true });
}
function figures(pairs) {
  return element("dl", { class: "figures" }, ...pairs.filter(Boolean).map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}
// A cell of words is read from the left, and wraps.
const cellOf = (name, attributes, of) => of !== null && of.words !== undefined ? element(name, { ...attributes, class: "words" }, of.words) : element(name, attributes, of);
function table(names, lines, empty) {
  if (lines.length === 0) return element("p", {}, empty);
  return element("div", { class: "wide" }, element("table", {}, element("thead", {}, element("tr", {}, ...names.map((name) => cellOf("th", { scope: "col" }, name)))),
    element("tbody", {}, ...lines.map((line) => element("tr", { class: line.reached ? "reached" : null }, ...(line.cells || line).map((cell) => cellOf("td", {}, cell)))))));
}
function inDepth(one, remarks) {
  const limits = one.limits, spread = one.quotes.spread, budget = one.budget, month = one.month;
  const limit = [limits.spread_bps_max !== null ? `${limits.spread_bps_max} bps` : null, limits.spread_ticks_max !== null ? `${limits.spread_ticks_max} ticks` : null].filter(Boolean).join(" or ");
  const least = [limits.value_min !== null ? Number(limits.value_min).toLocaleString("en") : null, limits.quantity_min !== null ? `${limits.quantity_min} shares` : null].filter(Boolean).join(" and ");
  const side = (name, quotes) => element("div", {}, element("h4", {}, `${name}: ${quotes.obligation_price !== null ? `obligation price ${quotes.obligation_price}` : quotes.fault === "size" ? `${Number(quotes.value_missing).toLocaleString("en")} short` : "no quote"}`),
    table(["Price", "Shares", "Value", "Added up"], quotes.levels.map((level) => ({ reached: level.reached, cells: [level.price, level.shares.toLocaleString("en"), Number(level.value).toLocaleString("en"), Number(level.value_running).toLocaleString("en")] })), "No quotes."));
  const prospect = { safe: "safe", open: "open", at_risk: "at risk", uncertain: "uncertain", lost: "lost", not_applicable: "not applicable" };
  return element("section", { "aria-label": one.obligation },
    element("h3", {}, one.obligation, " ", element("span", { class: `state ${one.state}` }, `${SIGNS[one.state]} ${WORDS[one.state]}`), ` since ${clock(one.since)}${one.reason ? `: ${reasonText(one.reason)}` : ""}`),
    figures([["Spread", spread ? `${spread.ticks} ticks, ${spread.bps} bps` : "–"], ["At most", limit], ["Each side at least", least],
      ["Today", exactly(one.today.display_pct)], month && ["Month", `${exactly(month.display_pct)}; required ${Number(month.required_pct)} %`]]),
    strip(one.strip),
    element("div", { class: "sides" }, side("Bid", one.quotes.bid), side("Offer", one.quotes.offer)),
    budget ? element("h4", {}, "Budget of the month") : null,
    budget ? figures([["Prospect", prospect[budget.prospect]], ["May be off for", span(budget.slack_us)], budget.short_us !== null ? ["Short by", span(budget.short_us)] : null,
      ["Time to come", span(budget.remaining_us)], ["Lost after", budget.lost_after ? budget.lost_after.slice(0, 19).replace("T", " ") : "–"]]) : null,
    budget ? table(["Window", "Off", "Required", "Burn", "Month ends at"], budget.burn.map((burn) => [{ "5m": "5 minutes", "1h": "hour", day: "day" }[burn.window], span(burn.off_us), span(burn.required_us), burn.rate === null ? "–" : `× ${burn.rate}`, exactly(burn.month_end_pct)]), "") : null,
    element("h4", {}, `Outages today: ${one.outage_count}`),
    ...outages(one),
    remarks === null ? null : acknowledgements(one, remarks));
}
function outages(one) {
  const told = causes.get(one.obligation), key = keyOf(one);
  const words = (rows) => ({ words: rows ? rows.map((row) => `${row.seq === null ? "" : `#${row.seq} `}${row.text}`).join("; ") : "–" });
  const lines = one.outages.slice(0, 20).map((outage) => {
    const known = told && told.get(outage.start);
    return [clock(outage.start), outage.end ? clock(outage.end) : "now", span(outage.duration_us), { words: outage.reasons.map((part) => `${reasonText(part.reason)} ${span(part.lost_us)}`).join("; ") },
      ...(told ? [words(known && known.began), words(known && outage.end && known.ended)] : [])];
  });
  const button = one.outages.length === 0 ? null : element("button", { type: "button", "data-hold": `causes ${one.obligation}` }, told ? "Read again what they began and ended with" : "What did they begin and end with?");
  if (button) button.addEventListener("click", () => askCauses(key, one.obligation));
  return [table(["From", "To", "Length", ...["Cause", ...(told ? ["Began with", "Ended with"] : [])].map((name) => ({ words: name }))], lines, "None."), button];
}
function strip(of) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg"), width = Math.max(1, of.columns.length);
  picture.setAttribute("viewBox", `0 0 ${width} 10`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("class", "strip");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", "The day: when the obligation was fulfilled, and when not");
  for (let at = 0; at < of.columns.length;) {
    const letters = of.columns[at];
    let end = at + 1;
    while (end < of.columns.length && of.columns[end] === letters) end += 1;
    [...letters].reverse().forEach((letter, place, all) => {
      // A breach is drawn higher: it is told by more than its colour.
      const box = document.createElementNS("http://www.w3.org/2000/svg", "rect"), high = letter === "b" ? 10 : letter === "f" ? 6 : 3;
      for (const [name, value] of [["x", at], ["width", end - at], ["y", 10 - high], ["height", high], ["class", letter]]) box.setAttribute(name, value);
      picture.append(box);
    });
    at = end;
  }
  return element("div", {}, picture, element("div", { class: "ends" }, element("span", {}, clock(of.start)), element("span", {}, clock(of.end))));
}
function acknowledgements(one, remarks) {
  const own = remarks.filter((remark) => remark.obligation === one.obligation);
  const input = element("input", { name: "remark", maxlength: "1000", required: "", "aria-label": `Remark on ${one.obligation}`, placeholder: "Remark" });
  const form = element("form", { class: "acknowledge" }, input, element("button", { "data-hold": `acknowledge ${one.obligation}` }, "Acknowledge"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = JSON.stringify({ issue: one.issue, market_maker: one.market_maker, obligation: one.obligation, remark: input.value });
    const answer = await ask("api/v1/acknowledgements", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    $("live").textContent = answer.ok ? "Acknowledged." : "It could not be kept.";
    if (answer.ok) { input.value = ""; input.blur(); showIssue(); }
  });
  return element("div", {}, element("h4", {}, "Acknowledgements"), table(["When", "Who", { words: "Remark" }], own.map((remark) => [remark.acknowledged_at.slice(0, 19).replace("T", " "), remark.name || remark.role, { words: remark.remark }]), "None."), form);
}
