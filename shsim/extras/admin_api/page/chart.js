// Pictures: the course of the largest exposure, and histograms.

import { svg } from "./elements.js";
import { count, plain } from "./format.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [520, 200, 44, 24, 14, 8];

const across = (share) => LEFT + share * (WIDTH - LEFT - RIGHT);
const up = (share) => HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP);

const frame = (label, ...parts) =>
  svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, ...parts);

/** A round number at or over a value: 1, 2 or 5 times a power of ten. */
function roundOver(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= value * 0.9999);
}

function scale(top, words) {
  const marks = [0, 0.5, 1].map((share) => [
    svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: up(share), y2: up(share) }),
    svg("text", { x: LEFT - 6, y: up(share) + 4, "text-anchor": "end" }, words(share * top)),
  ]);
  return marks.flat();
}

/** Largest exposure after each iteration, and the cap, if known. `points`: `{iter, max_exposure}`. */
export function courseChart(points, tau, most) {
  const top = roundOver(Math.max(tau * 1.5, 0.1, ...points.map((point) => point.max_exposure)));
  const last = points.at(-1);
  const end = Math.max(10, last?.iter ?? 0, most && most <= 30 ? most : 0);
  const at = (point) => [across(point.iter / end), up(point.max_exposure / top)].map((v) => v.toFixed(1));
  const label = last
    ? `Largest exposure by iteration: ${last.max_exposure.toFixed(4)} after iteration ${last.iter}${tau === null ? "" : `; the cap is ${tau}`}.`
    : "Largest exposure by iteration: none yet.";
  return frame(
    label,
    scale(top, (value) => plain(Number(value.toFixed(3)))),
    tau === null ? [] : [
      svg("line", { class: "cap", x1: LEFT, x2: WIDTH - RIGHT, y1: up(tau / top), y2: up(tau / top) }),
      svg("text", { class: "cap-words", x: WIDTH - RIGHT, y: up(tau / top) + 14, "text-anchor": "end" }, `cap ${tau}`),
    ],
    svg("polyline", { class: "curve", points: points.map((point) => at(point).join(",")).join(" ") }),
    last ? svg("circle", { class: "dot", cx: at(last)[0], cy: at(last)[1], r: 4 }) : null,
    svg("text", { x: LEFT, y: HEIGHT - 6 }, "0"),
    svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, `iteration ${end}`),
  );
}

/** How many values lie in each of equal bins from 0 to `top`; the last bin has its upper end. */
export function bins(values, top, number) {
  const found = Array(number).fill(0);
  for (const value of values) found[Math.min(number - 1, Math.floor((value / top) * number))] += 1;
  return found;
}

/** Histograms side by side in each bin. `series`: `{kind: "before" | "after", values}`. */
export function histogram(label, series, { top, number = 10, cap = null }) {
  const counted = series.map(({ kind, values }) => ({ kind, bins: bins(values, top, number) }));
  const most = roundOver(Math.max(1, ...counted.flatMap((each) => each.bins)));
  const wide = (across(1) - across(0)) / number;
  const bars = counted.flatMap(({ kind, bins: heights }, place) =>
    heights.map((height, bin) => {
      const each = (wide - 4) / counted.length;
      const range = `${plain(Number(((bin * top) / number).toFixed(3)))} to ${plain(Number((((bin + 1) * top) / number).toFixed(3)))}`;
      return svg(
        "rect",
        { class: kind, x: across(0) + bin * wide + 2 + place * each, width: Math.max(1, each - 1), y: up(height / most), height: up(0) - up(height / most) },
        svg("title", {}, `${range}: ${count(height)}`),
      );
    }),
  );
  const line = cap === null || cap > top ? [] : [
    svg("line", { class: "cap", x1: across(cap / top), x2: across(cap / top), y1: TOP - 4, y2: up(0) }),
    svg("text", { class: "cap-words", x: across(cap / top) + (cap / top > 0.7 ? -5 : 5), y: TOP + 4, "text-anchor": cap / top > 0.7 ? "end" : "start" }, `cap ${cap}`),
  ];
  return frame(
    label,
    scale(most, (value) => (Number.isInteger(value) ? count(value) : "")),
    bars,
    line,
    [0, 0.5, 1].map((share) =>
      svg("text", { x: across(share), y: HEIGHT - 6, "text-anchor": ["start", "middle", "end"][share * 2] }, plain(Number((share * top).toFixed(3))))),
  );
}
