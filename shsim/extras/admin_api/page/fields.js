// The settings of a calibration, as fields of a form.

import { el } from "./elements.js";

const choice = (...values) => ({ kind: "choice", values });

/** Name of the API's field, words, hint, kind. `main` ones are always sent. */
export const MAIN = [
  { name: "tau", words: "Cap (tau)", hint: "Largest share of tests that may show an item.", kind: "number", value: "0.2", step: "any" },
  { name: "test_len", words: "Items a test", kind: "whole", value: "25" },
  { name: "theta_dist", words: "Ability of examinees", hint: "normal:MU,SD, uniform:LO,HI or fixed:X", kind: "text", value: "normal:0,1" },
  { name: "ability", words: "Items are ranked by", hint: "True ability, or how it is estimated.", ...choice("true", "eap", "map", "mle", "wle"), value: "true" },
  { name: "rejection", words: "A rejected item", hint: "position: it may come again at the next. examinee: it is out for the test.", ...choice("position", "examinee"), value: "position" },
  { name: "method", words: "Method", hint: "damped is the rule of the first script.", ...choice("classical", "exact", "damped"), value: "classical" },
];

export const MORE = [
  { name: "n", words: "Examinees (n)", hint: "In each iteration.", kind: "whole" },
  { name: "iters", words: "Most iterations (iters)", kind: "whole" },
  { name: "verify_n", words: "To verify by (verify_n)", kind: "whole" },
  { name: "seed", words: "Seed", hint: "Empty: drawn.", kind: "whole" },
  { name: "floor", words: "Smallest k (floor)", kind: "number" },
  { name: "ceil", words: "Largest k (ceil)", kind: "number" },
  { name: "alpha", words: "First step (alpha)", kind: "number" },
  { name: "decay", words: "Their decay", kind: "number" },
  { name: "target", words: "Target, of tau", kind: "number" },
  { name: "tol", words: "Tolerance (tol)", kind: "number" },
  { name: "scale", words: "Scale (D)", hint: "1.7 or 1: as a were estimated.", kind: "number" },
  { name: "nodes", words: "Nodes of theta", kind: "whole" },
  { name: "prior", words: "Prior of eap and map", kind: "text" },
  { name: "start", words: "First estimate (start)", kind: "number" },
  { name: "se_stop", words: "End at error (se_stop)", hint: "Then “Items a test” is not sent.", kind: "number" },
  { name: "min_len", words: "Fewest items (min_len)", kind: "whole" },
  { name: "max_len", words: "Most items (max_len)", kind: "whole" },
  { name: "blueprint", words: "Blueprint", hint: '{"10": {"least": 5, "most": 8}}, by topic', kind: "json", wide: true },
  { name: "restart", words: "Start from k = 1, not from the k in force", kind: "flag", wide: true },
  { name: "explain", words: "Say what the cap costs (takes longer)", kind: "flag", wide: true },
];

const ALL = [...MAIN, ...MORE];

/** A field with its label, its hint and room for what is wrong with it. */
export function fieldOf(spec) {
  const id = `set-${spec.name}`;
  const hint = spec.hint ? el("span", { class: "hint", id: `${id}-hint` }, spec.hint) : null;
  const wrong = el("span", { class: "wrong", id: `${id}-wrong`, hidden: true });
  const described = [hint?.id, wrong.id].filter(Boolean).join(" ");
  const common = { id, name: spec.name, "aria-describedby": described };
  if (spec.kind === "flag") {
    return el("div", { class: "field wide" }, el("label", { for: id }, el("input", { ...common, type: "checkbox" }), spec.words), wrong);
  }
  return el("div", { class: spec.wide ? "field wide" : "field" }, el("label", { for: id }, spec.words), control(spec, common), hint, wrong);
}

function control(spec, common) {
  if (spec.kind === "choice") {
    const options = spec.values.map((value) => el("option", { value, selected: value === spec.value }, value));
    return el("select", common, options);
  }
  if (spec.kind === "json") return el("textarea", { ...common, rows: 3, spellcheck: "false" });
  const numeric = spec.kind !== "text";
  // Not type=number: what it cannot read it hides, and we want to say what is wrong.
  return el("input", { ...common, type: "text", inputmode: numeric ? (spec.kind === "whole" ? "numeric" : "decimal") : null, autocomplete: "off", spellcheck: "false", value: spec.value });
}

/** What a form says as the API's request, and what is wrong by field. */
export function read(form) {
  const [body, wrong] = [{}, new Map()];
  for (const spec of ALL) {
    const field = form.elements[spec.name];
    if (spec.kind === "flag") {
      if (field.checked) body[spec.name] = true;
      continue;
    }
    const text = field.value.trim();
    if (text === "") {
      if (spec.value !== undefined) wrong.set(spec.name, "This is needed.");
      continue;
    }
    try {
      body[spec.name] = valueOf(spec.kind, text);
    } catch (fault) {
      wrong.set(spec.name, fault.message);
    }
  }
  if ("se_stop" in body) delete body.test_len;
  return { body, wrong };
}

function valueOf(kind, text) {
  if (kind === "whole" || kind === "number") {
    const plain = kind === "whole" ? text.replace(/[\s,_’']/g, "") : text;
    const value = Number(plain);
    if (!Number.isFinite(value)) throw new Error("This is no number.");
    if (kind === "whole" && !Number.isSafeInteger(value)) throw new Error("This is no whole number, or too large a one.");
    return value;
  }
  if (kind === "json") {
    try {
      return JSON.parse(text);
    } catch {
      throw new Error("This is no JSON.");
    }
  }
  return text;
}

/** Mark the fields that are wrong; those that are not lose their mark. */
export function mark(form, wrong) {
  for (const { name } of ALL) {
    const [field, place] = [form.elements[name], document.getElementById(`set-${name}-wrong`)];
    const sentence = wrong.get(name) ?? null;
    field.toggleAttribute("aria-invalid", false);
    if (sentence !== null) field.setAttribute("aria-invalid", "true");
    place.textContent = sentence ?? "";
    place.hidden = sentence === null;
  }
  const first = ALL.find(({ name }) => wrong.has(name));
  if (first === undefined) return;
  if (MORE.includes(first)) form.querySelector("details").open = true;
  form.elements[first.name].focus();
}

/** Put the main settings of a past calibration into the form. */
export function prefill(form, settings) {
  const known = {
    tau: settings.tau,
    test_len: settings.length,
    theta_dist: settings.theta,
    ability: settings.ability,
    rejection: settings.rejection,
    method: settings.method,
    // Those that have a default, and change the test that is simulated.
    scale: settings.scale === 1.7 ? null : settings.scale,
    se_stop: settings.se_stop,
    min_len: settings.min_len,
    max_len: settings.se_stop === null ? null : settings.length,
    prior: settings.prior,
    start: settings.start,
    blueprint: null,
  };
  for (const { name, value } of ALL) {
    const found = known[name];
    const field = form.elements[name];
    if (field.type === "checkbox") field.checked = false;
    else field.value = found === null || found === undefined || String(found).startsWith("file:") ? (value ?? "") : String(found);
  }
}
