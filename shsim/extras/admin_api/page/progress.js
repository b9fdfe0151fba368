// A calibration while it runs: its stage, its iterations, what it has to say.

import { courseChart } from "./chart.js";
import { el, fill, speak } from "./elements.js";
import { count, rate, some } from "./format.js";

const STAGES = {
  queued: "Waiting for its turn",
  running: "Loading the pool",
  compiling: "Compiling, which a new server does once",
  before: "Simulating the k in force",
  calibrating: "Calibrating",
  verifying: "Verifying on fresh examinees",
  explaining: "Finding out what the cap costs",
  saving: "Saving",
};

const ENDS = { done: "Done", refused: "Nothing was saved", failed: "Failed", cancelled: "Cancelled. Nothing was saved" };

/**
 * Show it in a place. `cancel` is called by the button, and is null where nobody may cancel.
 * Answers a function that takes each event.
 */
export function progressOf(place, { title, tau, cancel }) {
  const state = { stage: "queued", done: 0, total: 0, points: [], last: null, end: null, drawn: false };
  const heading = el("h2", { tabindex: "-1" }, title);
  const bar = el("progress", { max: 1, "aria-label": title });
  const words = el("p", { class: "progress-words" });
  const picture = el("div", { class: "course" });
  const notes = el("ul", { class: "notes" });
  const button = cancel && el("button", { type: "button", class: "cancel" }, "Cancel");
  button?.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await cancel();
    } catch (problem) {
      note("warning", problem.sentence ?? problem.message);
      button.disabled = state.end !== null;
    }
  });
  fill(place, heading, bar, words, picture, notes, button && el("p", { class: "buttons" }, button));
  place.hidden = false;

  function note(kind, sentence) {
    notes.append(el("li", { class: `said${kind === "warning" ? " care" : ""}` }, sentence));
  }

  function draw() {
    state.drawn = false;
    if (state.end !== null) {
      bar.value = state.end === "done" ? 1 : 0;
      fill(words, `${ENDS[state.end]}.`);
    } else {
      if (state.total > 0) bar.value = Math.min(1, state.done / state.total);
      else bar.removeAttribute("value");
      fill(words, `${STAGES[state.stage] ?? state.stage}…`, el("br"), detail(state));
    }
    fill(picture, courseChart(state.points, tau, state.stage === "calibrating" ? state.total : 0));
  }

  function soon() {
    if (state.drawn) return;
    state.drawn = true;
    requestAnimationFrame(draw);
  }

  draw();
  return ({ name, data }) => {
    if (name === "stage" || name === "running" || name === "saving") {
      Object.assign(state, { stage: data.stage ?? name, done: 0, total: data.total ?? 0 });
      speak(`${STAGES[state.stage] ?? state.stage}.`);
      if (name === "saving") button?.remove();
    } else if (name === "progress") {
      Object.assign(state, data);
    } else if (name === "iteration") {
      state.points.push(data);
      state.last = data;
      state.done = Math.max(state.done, data.iter + 1);
      if (data.iter > 0 && data.iter % 10 === 0) speak(detail({ ...state, stage: "calibrating" }));
    } else if (name === "note" || name === "warning") {
      note(name, data.message);
    } else if (name === "end") {
      state.end = data.state;
      button?.remove();
      speak(`${ENDS[data.state]}.`);
    }
    soon();
  };
}

function detail({ stage, done, total, last }) {
  if (stage === "calibrating") {
    const most = total ? ` of at most ${count(total)}` : "";
    if (last === null) return `Iteration 0${most}`;
    return `Iteration ${count(last.iter)}${most}: largest exposure ${rate(last.max_exposure)}, ${some(last.items_over, "item")} over the cap`;
  }
  return total > 0 ? `${count(Math.min(done, total))} of ${count(total)} examinees` : "";
}
