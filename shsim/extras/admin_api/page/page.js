// The page as a whole: who is signed in, which exam, which view.

import { get } from "./api.js";
import { buildCalibrate, leaveCalibrate, showCalibrate } from "./calibrate.js";
import { dismiss } from "./dialog.js";
import { byId, el, fill, say } from "./elements.js";
import { leaveItems, showItems } from "./items.js";
import { leaveRuns, showRuns } from "./runs.js";
import { begin } from "./session.js";

const VIEWS = { items: showItems, calibrate: showCalibrate, runs: showRuns };
const EXAM = "shsim.exam";

async function enter() {
  const exams = await get("/exams").catch((problem) => {
    say(byId("connection"), problem.sentence ?? problem.message);
    return null;
  });
  if (exams === null) return;
  const select = byId("exam");
  const options = exams.map(({ exam_code: code, items }) => {
    const option = el("option", {}, `${code} (${items})`);
    option.value = code;
    return option;
  });
  fill(select, ...options);
  select.disabled = exams.length === 0;
  const last = sessionStorage.getItem(EXAM);
  if (exams.some(({ exam_code: code }) => code === last)) select.value = last;
  show();
}

function leave() {
  dismiss();
  leaveItems();
  leaveCalibrate();
  leaveRuns();
  say(byId("connection"), null);
}

/** Show the view that the address names. */
function show() {
  const exam = byId("exam").value;
  const named = location.hash.slice(1);
  const view = named in VIEWS ? named : "items";
  byId("no-exam").hidden = exam !== "";
  for (const name of Object.keys(VIEWS)) byId(name).hidden = exam === "" || name !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (exam !== "") void VIEWS[view](exam);
}

byId("exam").addEventListener("change", () => {
  sessionStorage.setItem(EXAM, byId("exam").value);
  show();
});
addEventListener("hashchange", () => {
  if (byId("signed-in").hidden) return;
  show();
  document.querySelector("main section:not([hidden]) h1[tabindex]")?.focus();
});
buildCalibrate();
await begin(enter, leave);
