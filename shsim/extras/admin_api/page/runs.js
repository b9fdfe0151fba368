// Past runs, every front door's, and their rollback.

import { get } from "./api.js";
import { byId, el, fill, say } from "./elements.js";
import { count, plain, rate, time } from "./format.js";
import { rollbackButton } from "./rollback.js";
import { mayChange } from "./session.js";

const STEP = 25;
const MOST = 1000;

const OUTCOMES = { saved: "good", refused: "care", failed: "bad", interrupted: "care" };

let loading = null;

/** Show an exam's runs, the newest first. */
export async function showRuns(exam, { limit = STEP, said = null } = {}) {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  say(byId("runs-said"), said);
  try {
    const { runs, count: all } = await get(`/runs?exam=${encodeURIComponent(exam)}&limit=${limit}`, { signal });
    if (!signal.aborted) draw(exam, runs, all, limit);
  } catch (problem) {
    if (!signal.aborted) say(byId("runs-said"), problem.sentence ?? problem.message);
  }
}

export function leaveRuns() {
  loading?.abort();
  fill(byId("runs-table"));
  fill(byId("runs-pager"));
}

function draw(exam, runs, all, limit) {
  const heads = [
    ["Run", ""], ["What", "roomy"], ["Finished", ""], ["Largest", "number"], ["Cap", "number roomy"],
    ["Test", "roomy"], ["By", "roomy"], ["Outcome", ""],
  ];
  const head = el("tr", {}, heads.map(([words, kind]) => el("th", { scope: "col", class: kind || null }, words)));
  const rows = runs.map((run) => row(run, exam, limit));
  const none = runs.length ? [] : [el("tr", {}, el("td", { colspan: heads.length, class: "hint" }, `No run of ${exam} is on record.`))];
  fill(byId("runs-table"), el("thead", {}, head), el("tbody", {}, ...rows, ...none));
  const more = all > runs.length && limit < MOST
    ? el("button", { type: "button", onclick: () => void showRuns(exam, { limit: Math.min(MOST, limit * 2) }) }, "Show more")
    : null;
  fill(byId("runs-pager"), more, el("span", {}, runs.length ? `${count(runs.length)} of ${count(all)}` : ""));
}

function row(run, exam, limit) {
  if (run.outcome === "unreadable") {
    return el("tr", { "data-run": run.run },
      el("th", { scope: "row" }, String(run.run)), el("td", { colspan: 7, class: "hint" }, run.message));
  }
  const undo = mayChange() && run.outcome === "saved"
    ? rollbackButton(run.run, run.exam, (undone) => {
        const number = undone.run === null ? "" : `, as run ${undone.run}`;
        void showRuns(exam, { limit, said: `Run ${run.run} is rolled back: ${count(undone.changed)} k changed${number}.` });
      })
    : null;
  const test = [run.ability === "true" ? "true theta" : run.ability, run.rejection === "examinee" ? "examinee" : null].filter(Boolean).join(", ");
  const largest = run.max_exposure === null ? "–" : rate(run.max_exposure);
  const held = run.held === null ? null : el("span", { class: "unseen" }, run.held ? " (cap held)" : " (cap not held)");
  return el("tr", { "data-run": run.run },
    el("th", { scope: "row" }, String(run.run), el("span", { class: "below" }, run.command)),
    el("td", { class: "roomy" }, run.command),
    el("td", {}, time(el("time"), run.finished)),
    el("td", { class: "number" }, run.held === false ? el("span", { class: "tag bad" }, largest, held) : [largest, held]),
    el("td", { class: "number roomy" }, run.tau === null ? "–" : plain(run.tau)),
    el("td", { class: "roomy" }, test || "–"),
    el("td", { class: "roomy" }, run.os_user),
    el("td", {}, el("div", { class: "outcome" }, el("span", { class: `tag ${OUTCOMES[run.outcome] ?? ""}`, title: run.message || null }, run.ended), undo)));
}
