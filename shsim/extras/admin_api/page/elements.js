// Elements are made here and nowhere else: whatever comes from the server goes in as text.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element; attributes of null or false are left out, functions are listeners ("onclick"). */
export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same of a picture. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** Put children in the place of those that are there. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat().filter((child) => child !== null));
}

/** Show a sentence where there is one, and hide the place where there is none. */
export function say(place, sentence) {
  place.textContent = sentence ?? "";
  place.hidden = !sentence;
}

/** Tell those who hear the page. */
export function speak(sentence) {
  byId("spoken").textContent = sentence;
}

/** A heading of a column that can be sorted by. */
export function sortable(words, state, key, { numeric = false, roomy = false } = {}, resort) {
  const sorted = state.key === key ? (state.down ? "descending" : "ascending") : null;
  const kind = [numeric && "number", roomy && "roomy"].filter(Boolean).join(" ");
  const button = el("button", { type: "button", class: "sort", "data-key": key }, words);
  button.addEventListener("click", () => {
    // Numbers are first wanted from the largest down.
    resort({ key, down: state.key === key ? !state.down : numeric });
  });
  return el("th", { scope: "col", class: kind || null, "aria-sort": sorted }, button);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}
