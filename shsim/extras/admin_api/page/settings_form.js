// The form that starts a dry run.

import { get } from "./api.js";
import { byId, el, fill, say } from "./elements.js";
import { MAIN, MORE, fieldOf, mark, prefill, read } from "./fields.js";
import { mayChange } from "./session.js";

let touched = false;

/** Build it once; `start` gets the request of each dry run. */
export function buildForm(start) {
  const form = byId("settings");
  fill(byId("settings-main"), ...MAIN.map(fieldOf));
  fill(byId("settings-more"), ...MORE.map(fieldOf));
  form.addEventListener("input", () => {
    touched = true;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit(form, start);
  });
}

/** Fill it for an exam, by its last calibration on record, unless somebody has typed. */
export async function readyForm(exam, signal) {
  const form = byId("settings");
  byId("settings-fields").disabled = !mayChange();
  if (!mayChange()) {
    fill(byId("settings-note"), "Your role is viewer: you can follow calibrations. To start one takes the role admin.");
  }
  if (touched) return;
  const { runs } = await get(`/runs?exam=${encodeURIComponent(exam)}&limit=200`, { signal });
  const last = runs.find((run) => run.command === "calibrate" && run.outcome === "saved");
  const settings = last === undefined ? null : (await get(`/runs/${last.run}`, { signal })).settings;
  if (touched || signal.aborted) return;
  if (settings !== null) prefill(form, settings);
  if (!mayChange()) return;
  const origin = settings === null ? "" : ` The test is as in run ${last.run}, the last calibration that was saved.`;
  const blueprint = settings?.blueprint ? " It had a blueprint, which you must enter again." : "";
  fill(byId("settings-note"), `A dry run of ${exam} shows what new k would do.${origin}${blueprint}`);
}

/** Another exam has other settings. */
export function forgetForm() {
  touched = false;
}

/** While a calibration runs no other can be started. */
export function holdForm(held) {
  byId("settings-fields").disabled = held || !mayChange();
}

async function submit(form, start) {
  const { body, wrong } = read(form);
  mark(form, wrong);
  say(byId("settings-problem"), null);
  if (wrong.size > 0) return;
  // Drawn here, so that the save can repeat the very same run.
  body.seed ??= crypto.getRandomValues(new Uint32Array(1))[0];
  const button = byId("start-dry-run");
  button.disabled = true;
  try {
    await start(body);
  } catch (problem) {
    show(form, problem);
  } finally {
    button.disabled = false;
  }
}

function show(form, problem) {
  const wrong = new Map();
  for (const { pointer, detail } of problem.errors ?? []) {
    const name = pointer.split("/")[1];
    if (form.elements[name] !== undefined) wrong.set(name, detail);
  }
  mark(form, wrong);
  say(byId("settings-problem"), problem.sentence ?? problem.message);
}
