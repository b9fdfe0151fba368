// The items of an exam: how often they were given lately, and the k in force.

import { get, getPage } from "./api.js";
import { byId, el, fill, sortable, svg } from "./elements.js";
import { count, rate, some } from "./format.js";
import { leadOf } from "./in_force.js";

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
    const written = get(`/in_force?exam=${encodeURIComponent(exam)}`, { signal }).then((found) => {
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

function draw() {
  drawLead();
  drawTable();
  drawPager();
}

function drawLead() {
  if (table !== null) fill(byId("items-cap"), ...leadOf(table, assumption()));
}

/** Attempts that an item at the cap would have had: tests are attempts over their length. */
function attemptsAtCap() {
  const made = table?.made_by;
  if (!whole || !made?.settings.length || !made.tau) return null;
  const attempts = items.reduce((sum, item) => sum + item.recent_attempts, 0);
  return attempts > 0 ? (made.tau * attempts) / made.settings.length : null;
}

/** What the cap of the table takes for granted, where it is drawn. */
function assumption() {
  if (attemptsAtCap() === null) return null;
  const { length, se_stop: stop } = table.made_by.settings;
  return `The cap of the table takes each test to hold ${some(length, "item")}${stop === null || stop === undefined ? "" : ", the most it may"}: as many tests as attempts divided by that. Attempts are counted whichever exam they were in.`;
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
