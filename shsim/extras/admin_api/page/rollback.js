// Putting the k before a run back.

import { get, post } from "./api.js";
import { confirm } from "./dialog.js";
import { el } from "./elements.js";
import { count, some } from "./format.js";

/** The number of the last run on record that wrote an exam's k, or null. */
export async function lastWritten(exam) {
  const { runs } = await get(`/runs?exam=${encodeURIComponent(exam)}&limit=200`);
  return runs.find((run) => run.outcome === "saved")?.run ?? null;
}

/** A button that asks, rolls back and tells `done` what was done. */
export function rollbackButton(run, exam, done) {
  const button = el("button", { type: "button", class: "rollback", "aria-label": `Roll back run ${run}` }, "Roll back…");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const undone = await ask(run, exam);
      if (undone !== null) done(undone);
    } finally {
      button.disabled = false;
    }
  });
  return button;
}

async function ask(run, exam) {
  const [size, moved] = await foreseen(run);
  let force = moved;
  return confirm({
    title: `Roll back run ${run}?`,
    body: [
      el("p", {}, `The k before run ${run} of ${exam} are put back${size}. Live tests use them at once.`),
      moved ? el("p", { class: "said care long", tabindex: "0" }, moved.sentence) : null,
      el("p", { class: "hint" }, "The rollback is a run of its own, and can be rolled back."),
    ],
    yes: force ? "Roll back all the same" : "Roll back",
    act: () => post(`/runs/${run}/rollback`, force ? { force: true } : {}),
    again: (problem) => {
      // Somebody has written k while the question stood.
      force = problem.status === 409;
      return force ? "Roll back all the same" : null;
    },
  });
}

/** How many k it would change, in words, and the Problem where k are no longer the run's. */
async function foreseen(run) {
  try {
    return [sized(await post(`/runs/${run}/rollback`, { dry_run: true })), null];
  } catch (problem) {
    return ["", problem.status === 409 ? problem : null];
  }
}

function sized({ items }) {
  const changing = items.filter((item) => item.sh_p !== (item.sh_p_before ?? 1)).length;
  return `: ${some(changing, "k", "k")} of ${count(items.length)} change`;
}
