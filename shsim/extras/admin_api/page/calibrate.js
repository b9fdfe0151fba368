// The view that calibrates: one calibration at a time, from its start to what came out.

import { get, post, Problem } from "./api.js";
import { byId, fill, say } from "./elements.js";
import { eventsOf } from "./events.js";
import { showOutcome } from "./outcome.js";
import { progressOf } from "./progress.js";
import { lastWritten } from "./rollback.js";
import { mayChange } from "./session.js";
import { buildForm, forgetForm, holdForm, readyForm } from "./settings_form.js";

const ENDED = ["done", "refused", "failed", "cancelled"];

let exam = null;
let following = null;

/** Prepare the form; once. */
export function buildCalibrate() {
  buildForm(async (body) => {
    const basis = await lastWritten(exam);
    await launch({ ...body, exam_code: exam, dry_run: true }, basis);
  });
}

/** Show an exam's calibration: the one that runs, else the last that this tab started. */
export async function showCalibrate(code) {
  if (code !== exam) {
    leaveCalibrate();
    exam = code;
    forgetForm();
    clear();
  }
  const signal = (following ??= new AbortController()).signal;
  try {
    await readyForm(exam, signal);
    if (following.id !== undefined) return;
    const all = await get("/calibrations", { signal });
    const mine = kept(exam);
    const found =
      all.find((each) => each.exam_code === code && !ENDED.includes(each.state)) ??
      all.find((each) => each.id === mine?.id);
    if (found !== undefined && !signal.aborted && following.id === undefined) {
      void follow(found.id, found.id === mine?.id ? mine : null, found.dry_run);
    }
  } catch (problem) {
    if (!signal.aborted) say(byId("settings-problem"), problem.sentence ?? problem.message);
  }
}

/** Stop following; the calibration itself goes on in the server. */
export function leaveCalibrate() {
  following?.abort();
  following = null;
  exam = null;
}

/** Start a calibration, and follow it; resolves when it has ended. */
async function launch(body, basis) {
  // What came of the one before must not look like the new one's; it is back where none starts.
  const before = [byId("run"), byId("outcome")].filter((place) => !place.hidden);
  for (const place of before) place.hidden = true;
  let started;
  try {
    started = await post("/calibrations", body);
  } catch (problem) {
    const other = problem instanceof Problem ? problem.body.calibration : undefined;
    if (other !== undefined) void follow(other, null, true);
    else for (const place of before) place.hidden = false;
    throw problem;
  }
  keep(exam, { id: started.id, body, basis });
  void follow(started.id, { body, basis }, body.dry_run);
  byId("run").querySelector("h2").focus();
  return started;
}

async function follow(id, mine, dry) {
  following?.abort();
  const own = new AbortController();
  following = own;
  own.id = id;
  const code = exam;
  const { signal } = own;
  fill(byId("outcome"));
  byId("outcome").hidden = true;
  holdForm(true);
  const told = progressOf(byId("run"), {
    title: dry ? `Dry run of ${code}` : `Calibration of ${code}`,
    tau: mine?.body.tau ?? null,
    cancel: mayChange() ? () => post(`/calibrations/${id}/cancel`) : null,
  });
  try {
    for await (const event of eventsOf(id, signal)) {
      if (signal.aborted) return;
      told(event);
    }
    const calibration = await get(`/calibrations/${id}`, { signal });
    if (!signal.aborted) showOutcome(byId("outcome"), calibration, offers(code, mine));
  } catch (problem) {
    if (signal.aborted) return;
    told({ name: "end", data: { state: "failed" } });
    const forgotten = problem.status === 404;
    told({
      name: "warning",
      data: {
        message: forgotten
          ? "The server has started anew, and does not know this calibration. Past runs show what came of it."
          : (problem.sentence ?? problem.message),
      },
    });
  } finally {
    if (!signal.aborted) holdForm(false);
  }
}

/** What can be done with a dry run of this tab's own: the very same request, saved. */
function offers(code, mine) {
  if (mine === null || !mayChange()) return { exam: code, save: null };
  return {
    exam: code,
    shown: mine.shown ?? null,
    save: async (shown) => {
      const now = await lastWritten(code);
      if (now !== mine.basis) {
        throw new Error(`k of ${code} were written after this dry run began (run ${now}). Start a dry run again.`);
      }
      return launchSaving({ ...mine.body, dry_run: false }, shown);
    },
  };
}

async function launchSaving(body, shown) {
  const started = await post("/calibrations", body);
  void follow(started.id, { body, basis: null, shown }, false);
  byId("run").querySelector("h2").focus();
  return started;
}

function clear() {
  byId("run").hidden = true;
  byId("outcome").hidden = true;
  say(byId("settings-problem"), null);
}

const place = (code) => `shsim.calibration.${code}`;

function keep(code, what) {
  sessionStorage.setItem(place(code), JSON.stringify(what));
}

function kept(code) {
  return JSON.parse(sessionStorage.getItem(place(code)) ?? "null");
}
