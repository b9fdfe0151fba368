// Whose k an exam has, and what that means for the attempts beside them.

import { el } from "./elements.js";
import { plain, rate, time } from "./format.js";

/** Milliseconds over which the server counts recent attempts. */
const RECENT = 7 * 24 * 3600 * 1000;

/** The sentences over the items; `assumption` is what their cap takes for granted, or null. */
export function leadOf({ made_by: made, last_written_by: last }, assumption) {
  if (last === null) return ["No run on record has written these k."];
  const at = (run) => time(el("time"), run.finished);
  const hints = [since(last), assumption].filter(Boolean).map((words) => el("span", { class: "hint" }, words));
  if (made === null) {
    return [`k last written by run ${last.run} (${last.command}), `, at(last), ". No calibration on record made most of them.", ...hints];
  }
  const later = last.run === made.run ? [] : [` Last written by run ${last.run} (${last.command}), `, at(last), "."];
  return [
    `In force: run ${made.run}, `, at(made), `. Cap ${plain(made.tau)}, `,
    el("span", { class: `tag ${made.held ? "good" : "bad"}` }, made.held ? "held" : "not held"),
    ` at a largest predicted exposure of ${rate(made.max_exposure)}.`, ...later, ...hints,
  ];
}

/** That k changed within the days of the attempts, in words. */
function since(last) {
  if (Date.parse(last.finished) <= Date.now() - RECENT) return null;
  const moment = time(el("time"), last.finished).textContent;
  return `These k are all in force only since ${moment}: attempts of the 7 days from before it were made under other k.`;
}
