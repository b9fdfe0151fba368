// What came out of a calibration: the verdict, before and after, the k that change, the save.

import { histogram } from "./chart.js";
import { confirm } from "./dialog.js";
import { el, fill, speak } from "./elements.js";
import { count, percent, rate, some, tone } from "./format.js";
import { rollbackButton } from "./rollback.js";

const ROWS = 20;

const MEASURES = [
  ["Largest exposure", (m) => rate(m.max_exposure)],
  ["Items over the cap", (m) => count(m.over)],
  ["… of them beyond noise", (m) => count(m.over_beyond_noise)],
  ["Items never seen", (m) => count(m.unused)],
  ["Overlap of two tests", (m) => percent(m.overlap)],
  ["Information kept", (m) => percent(m.information_kept)],
  ["Positions forced", (m) => count(m.forced)],
];

/** Show a calibration that has ended. `offer`: `{exam, save, shown}`; `save` may be null. */
export function showOutcome(place, calibration, offer) {
  const { result, problem, state } = calibration;
  place.hidden = false;
  if (result === null) {
    const sentence = problem?.detail ?? (state === "cancelled" ? "It was cancelled. Nothing was saved, and the k in force stand." : state);
    const title = problem ? `${problem.title}: ` : "";
    fill(place, el("p", { class: `said${problem ? " bad" : ""}`, role: "status" }, title + sentence));
    return;
  }
  const { verdict, items } = result;
  const moved = items.filter((item) => item.sh_p !== item.sh_p_before);
  fill(
    place,
    el("p", { class: `said verdict ${tone(verdict.held)}` }, verdict.sentence),
    verdict.remedy ? el("p", { class: "said care" }, verdict.remedy) : null,
    closing(calibration, offer),
    el("div", { class: "pair" },
      el("div", { class: "stack" }, measures(result), exposures(result), acceptance(items)),
      changes(moved, result)),
    el("details", { class: "card" }, el("summary", {}, "The summary that the command line prints"), el("pre", { tabindex: "0" }, calibration.stdout)),
  );
  speak(verdict.sentence);
}

function measures({ before, verification, settings }) {
  const cell = (words) => el("td", { class: "number" }, words);
  const rows = MEASURES.map(([words, of]) =>
    el("tr", {}, el("th", { scope: "row" }, words), cell(before ? of(before) : "–"), cell(of(verification))));
  const cap = el("tr", {}, el("th", { scope: "row" }, "Cap (tau)"), cell(""), cell(rate(settings.tau)));
  const head = el("tr", {}, el("td"), ...["before", "after"].map((words) => el("th", { scope: "col", class: "number" }, words)));
  return el("div", { class: "card" }, el("h2", {}, "Before and after"),
    el("table", { class: "measures" }, el("thead", {}, head), el("tbody", {}, rows[0], cap, rows.slice(1))));
}

function exposures({ items, settings, verification }) {
  const seen = items.map((item) => item.exposure_rate);
  const top = Math.max(settings.tau * 1.25, verification.max_exposure);
  return el("div", { class: "card" },
    el("h2", {}, "Items by exposure, after"),
    histogram(`How many items have which exposure rate; the cap is ${settings.tau}.`, [{ kind: "after", values: seen }], { top, number: 20, cap: settings.tau }),
    el("p", { class: "hint" }, `Rates among ${count(verification.n)} fresh examinees.`));
}

function acceptance(items) {
  const series = [
    { kind: "before", values: items.map((item) => item.sh_p_before) },
    { kind: "after", values: items.map((item) => item.sh_p) },
  ];
  return el("div", { class: "card" },
    el("h2", {}, "Items by k"),
    histogram("How many items have which k, before and after.", series, { top: 1 }),
    el("p", { class: "legend" }, el("span", { class: "before" }, "before"), el("span", {}, "after")));
}

function changes(moved, { changed, items }) {
  const size = (item) => Math.abs(item.sh_p - item.sh_p_before);
  const sorted = moved.toSorted((one, other) => size(other) - size(one));
  const body = el("tbody");
  const more = el("button", { type: "button", class: "plain" }, "Show more");
  const show = () => {
    const from = body.children.length;
    body.append(...sorted.slice(from, from + (from ? 100 : ROWS)).map(changeRow));
    more.hidden = body.children.length >= sorted.length;
  };
  more.addEventListener("click", show);
  show();
  const head = el("tr", {},
    el("th", { scope: "col" }, "Item"),
    el("th", { scope: "col", class: "number roomy" }, "Topic"),
    ...["k before", "k after", "Exposure"].map((words) => el("th", { scope: "col", class: "number" }, words)));
  return el("div", { class: "card" },
    el("h2", {}, `Items whose k change most (${count(changed)} of ${count(items.length)} change)`),
    changed > moved.length ? el("p", { class: "hint" }, `${some(changed - moved.length, "item")} with no k stored will have 1, which is what that means.`) : null,
    moved.length
      ? el("div", { class: "inner" }, el("table", { class: "changes" }, el("thead", {}, head), body), more)
      : el("p", {}, "No item is given another k."));
}

function changeRow(item) {
  const flag = item.flag ? [" ", el("span", { class: `tag${item.flag.includes("over") ? " bad" : ""}` }, item.flag.replaceAll("|", ", "))] : [];
  const bounds = `95 % bounds: ${rate(item.exposure_low)} to ${rate(item.exposure_high)}`;
  return el("tr", {},
    el("th", { scope: "row" }, `${item.question_id}/${item.version}`, flag),
    el("td", { class: "number roomy" }, item.topic_id === null ? "–" : String(item.topic_id)),
    el("td", { class: "number" }, rate(item.sh_p_before)),
    el("td", { class: "number" }, rate(item.sh_p)),
    el("td", { class: "number", title: bounds }, rate(item.exposure_rate)));
}

/** The save, or what was saved. */
function closing(calibration, offer) {
  const { result, saved, dry_run: dry } = calibration;
  const { changed } = result;
  if (saved) return afterSave(calibration, offer);
  if (!dry) return el("p", { class: "said care" }, "Nothing was saved.");
  if (offer.save === null) {
    return el("p", { class: "hint" }, "Nothing was saved: a dry run. Whoever started it in this tab, as an admin, can save it.");
  }
  const button = el("button", { type: "button", class: "main", id: "save" }, "Save these k…");
  button.addEventListener("click", () =>
    confirm({
      title: `Save new k for ${offer.exam}?`,
      body: [
        el("p", {}, `${some(changed, "k", "k")} of ${some(result.items.length, "item")} of ${offer.exam} will change. Live tests use them at once.`),
        result.verdict.held === false ? el("p", { class: "said care" }, "They do not hold the cap. The k in force may be worse: see before and after.") : null,
        result.verdict.held === null ? el("p", { class: "said care" }, "Whether they hold the cap can't be told: too few examinees.") : null,
        el("p", { class: "hint" }, `The calibration runs again with the same settings and seed (${result.seed}), so that the k are those shown. Past runs can put the old k back.`),
      ],
      yes: `Save ${some(changed, "k", "k")}`,
      act: () => offer.save(kOf(result)),
    }),
  );
  return el("p", { class: "buttons" }, button, el("span", { class: "hint" }, "Nothing has been saved yet."));
}

function afterSave({ result, run }, { exam, shown }) {
  const different = shown === null || shown === undefined ? 0 : result.items.filter((item) => shown.get(keyOf(item)) !== item.sh_p).length;
  const number = run === null ? "It is not on record: the database has no ledger (shsim db init makes it)." : `It is run ${run}.`;
  const said = el("p", { class: "said good", role: "status", id: "saved" }, `The new k of ${exam} are saved. ${number}`);
  const differs = different === 0 ? null : el("p", { class: "said bad", role: "alert" },
    `${some(different, "k", "k")} differ from what the dry run showed: the pool or its k changed in between. Look at them, or roll back.`);
  const undo = run === null ? null : el("p", { class: "buttons" }, rollbackButton(run, exam, (undone) => {
    fill(said, `Run ${run} is rolled back: ${some(undone.changed, "k", "k")} changed${undone.run === null ? "" : `, as run ${undone.run}`}.`);
    undo.remove();
  }));
  return el("div", {}, said, differs, undo);
}

const keyOf = (item) => `${item.question_id}/${item.version}`;

const kOf = (result) => new Map(result.items.map((item) => [keyOf(item), item.sh_p]));
