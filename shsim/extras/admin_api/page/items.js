// The items of an exam: how often they were given lately, and the k in force.

import { get, getPage } from "./api.js";
import { byId, el, fill, sortable, svg } from "./elements.js";
import { count, plain, rate, some, time } from "./format.js";

const ROWS = 50;
const BATCH = 1000;

/** Items loaded at most; the server gives the most attempted first. */
const MOST = 20000;

let items = [];
let total = 0;
let whole = false;
let table = null;
let first = 0;
let order = { key: "recent_attempts", down: true };
let loading = null;

/** Show an exam's items. */
export async function showItems(exam) {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  [items, total, whole, table, first] = [[], 0, false, null, 0];
  fill(byId("items-cap"), "Loading…");
  draw();
  try {
    const written = tableInForce(exam, signal).then((found) => {
      if (signal.aborted) return;
      table = found;
      draw();
    });
    await Promise.all([written, load(exam, signal)]);
  } catch (problem) {
    if (!signal.aborted) fill(byId("items-cap"), problem.sentence ?? problem.message);
  }
}

export function leaveItems() {
  loading?.abort();
}

async function load(exam, signal) {
  const path = `/items?exam=${encodeURIComponent(exam)}&limit=${BATCH}`;
  do {
    const page = await getPage(`${path}&offset=${items.length}`, { signal });
    if (signal.aborted) return;
    items = items.concat(page.value);
    total = Number(page.headers.get("X-Total-Count") ?? items.length);
    whole = items.length >= total || page.value.length === 0;
    draw();
  } while (!whole && items.length < MOST);
}

/** The last run on record that wrote this exam's k; a calibration says which cap it was for. */
async function tableInForce(exam, signal) {
  const { runs } = await get(`/runs?exam=${encodeURIComponent(exam)}&limit=200`, { signal });
  const run = runs.find((each) => each.outcome === "saved");
  if (run === undefined) return { run: null };
  return { run, settings: run.command === "calibrate" ? (await get(`/runs/${run.run}`, { signal })).settings : null };
}

function draw() {
  drawLead();
  drawTable();
  drawPager();
}

function drawLead() {
  const lead = byId("items-cap");
  if (table === null) return;
  if (table.run === null) {
    fill(lead, "No run on record has written these k.");
    return;
  }
  const { run, settings } = table;
  const at = time(el("time"), run.finished);
  if (settings === null) {
    fill(lead, `k last written by run ${run.run} (${run.command}), `, at, ".");
    return;
  }
  const held = el("span", { class: `tag ${run.held ? "good" : "bad"}` }, run.held ? "held" : "not held");
  fill(
    lead,
    `In force: run ${run.run}, `, at, `. Cap ${plain(run.tau)}, `, held,
    ` at a largest predicted exposure of ${rate(run.max_exposure)}.`,
  );
}

/** Attempts that an item at the cap would have had: tests are attempts over their length. */
function attemptsAtCap() {
  const { run, settings } = table ?? {};
  if (!whole || !settings?.length || !run.tau) return null;
  const attempts = items.reduce((sum, item) => sum + item.recent_attempts, 0);
  return attempts > 0 ? (run.tau * attempts) / settings.length : null;
}

function drawTable() {
  const resort = (next) => {
    order = next;
    first = 0;
    draw();
    byId("items-table").querySelector(`[data-key="${next.key}"]`).focus();
  };
  const column = (words, key, more) =>
    whole ? sortable(words, order, key, more, resort) : el("th", { scope: "col", class: [more.numeric && "number", more.roomy && "roomy"].filter(Boolean).join(" ") }, words);
  const cap = attemptsAtCap();
  const most = Math.max(1, cap ?? 0, ...items.slice(0, MOST).map((item) => item.recent_attempts));
  const head = el("tr", {},
    column("Item", "question_id", {}),
    column("Topic", "topic_id", { numeric: true, roomy: true }),
    column("k", "sh_p", { numeric: true }),
    column("Attempts, 7 days", "recent_attempts", { numeric: true }),
    el("th", { scope: "col" }, cap === null ? "" : `Cap: about ${count(cap)}`),
  );
  const rows = sorted().slice(first, first + ROWS).map((item) => row(item, most, cap));
  const none = total === 0 && whole ? [el("tr", {}, el("td", { colspan: 5, class: "hint" }, "This exam has no live, published items."))] : [];
  fill(byId("items-table"), el("thead", {}, head), el("tbody", {}, ...rows, ...none));
}

function row(item, most, cap) {
  return el("tr", {},
    el("th", { scope: "row" }, `${item.question_id}/${item.version}`),
    el("td", { class: "number roomy" }, item.topic_id === null ? "–" : String(item.topic_id)),
    el("td", { class: "number" }, rate(item.sh_p)),
    el("td", { class: `number${item.recent_attempts ? "" : " zero"}` }, count(item.recent_attempts)),
    el("td", {}, meter(item.recent_attempts, most, cap)),
  );
}

function meter(value, most, cap) {
  const within = cap === null ? value : Math.min(value, cap);
  const bar = [svg("rect", { class: "after", width: (100 * within) / most, height: 10, y: 1 })];
  if (value > within) bar.push(svg("rect", { class: "excess", x: (100 * within) / most, width: (100 * (value - within)) / most, height: 10, y: 1 }));
  if (cap !== null) bar.push(svg("line", { class: "cap", x1: (100 * cap) / most, x2: (100 * cap) / most, y1: 0, y2: 12, "vector-effect": "non-scaling-stroke" }));
  return svg("svg", { class: "meter", viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" }, bar);
}

function sorted() {
  if (!whole) return items;
  const sign = order.down ? -1 : 1;
  const value = (item) => (order.key === "question_id" ? BigInt(item.question_id) : item[order.key]);
  return items.toSorted((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return (a === null) - (b === null); // what is unknown comes last
    return a < b ? -sign : a > b ? sign : 0;
  });
}

function drawPager() {
  const last = Math.min(first + ROWS, items.length);
  const turn = (words, to, possible) =>
    el("button", { type: "button", disabled: !possible, onclick: () => { first = to; draw(); byId("items-title").focus(); } }, words);
  const range = items.length ? `${count(first + 1)} to ${count(last)} of ${some(total, "item")}` : "";
  const cut = items.length >= MOST && !whole ? ` (the ${count(items.length)} most attempted are listed)` : "";
  fill(
    byId("items-pager"),
    turn("Previous", Math.max(0, first - ROWS), first > 0),
    turn("Next", first + ROWS, last < items.length),
    el("span", {}, range + cut),
  );
}
