// Whose k an exam has, and what that means for the attempts beside them.

import { el } from "./elements.js";
import { plain, rate, some, time, tone } from "./format.js";

/** Milliseconds over which the server counts recent attempts. */
const RECENT = 7 * 24 * 3600 * 1000;

const HELD = new Map([[true, "held"], [false, "not held"], [null, "not known to be held"]]);

/** The sentences over the items; `assumption` is what their cap takes for granted, or null. */
export function leadOf({ made_by: made, changed_since: changed, last_written_by: last }, assumption) {
  if (last === null) return ["No run on record has written these k."];
  const at = (run) => time(el("time"), run.finished);
  const hints = [since(last), assumption].filter(Boolean).map((words) => el("span", { class: "hint" }, words));
  if (made === null) {
    return [`k last written by run ${last.run} (${last.command}), `, at(last), ". No calibration on record made most of them.", ...hints];
  }
  const later = last.run === made.run ? [] : [` Last written by run ${last.run} (${last.command}), `, at(last), "."];
  return [
    `In force: run ${made.run}, `, at(made), `. Cap ${plain(made.tau)}, `,
    el("span", { class: changed ? "tag" : `tag ${tone(made.held)}` }, HELD.get(made.held)),
    ` at a largest predicted exposure of ${rate(made.max_exposure)}.`, ...later, ...othersThan(made, changed), ...hints,
  ];
}

/** That a verdict is not of all the k in force: an import, a hand, another exam's run changed some. */
function othersThan(made, changed) {
  if (!changed) return [];
  return [` ${some(changed, "item")} ${changed === 1 ? "has" : "have"} another k by now than run ${made.run} left: whether the cap is held is told of that run, and not of these k.`];
}

/** That k changed within the days of the attempts, in words. */
function since(last) {
  if (Date.parse(last.finished) <= Date.now() - RECENT) return null;
  const moment = time(el("time"), last.finished).textContent;
  return `These k are all in force only since ${moment}: attempts of the 7 days from before it were made under other k.`;
}
