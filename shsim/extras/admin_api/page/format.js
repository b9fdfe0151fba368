// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

/** A whole number with its thousands apart; one too long for a double is its digits already. */
export const count = (value) => (typeof value === "string" ? value : whole.format(value));

/** A rate, or k, with the places that the summaries have. */
export const rate = (value) => (value === null || value === undefined ? "–" : value.toFixed(4));

export const percent = (value) =>
  value === null || value === undefined ? "–" : `${(100 * value).toFixed(1)}%`;

/** A number as it was typed. */
export const plain = (value) => String(value);

export const some = (number, one, several = `${one}s`) =>
  `${count(number)} ${number === 1 ? one : several}`;

/** A time in this computer's zone, and in UTC for whoever points at it. */
export function time(element, iso, { short = false } = {}) {
  const date = new Date(iso);
  element.textContent = (short ? clock : when).format(date);
  element.setAttribute("datetime", date.toISOString());
  element.title = `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return element;
}

/** How long until a time, roughly. */
export function ahead(milliseconds) {
  const minutes = Math.round(milliseconds / 60000);
  if (minutes < 1) return "in less than a minute";
  if (minutes < 120) return `in ${some(minutes, "minute")}`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `in ${some(hours, "hour")}` : `in ${some(Math.round(hours / 24), "day")}`;
}

/** How whether a cap is held looks; null where too few examinees tell. */
export function tone(held) {
  if (held === null) return "care";
  return held ? "good" : "bad";
}
