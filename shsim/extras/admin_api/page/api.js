// Requests to the admin API: with the token, answered by values or by a Problem.

import { byId, say, speak } from "./elements.js";

export const PREFIX = "/v1/admin/exposure";

/** Milliseconds to the next try; the last holds for all that follow. */
const WAITS = [500, 1000, 2000, 4000];

/** An answer that is an error (RFC 9457), or none at all (status 0). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.title = body.title ?? "";
    this.errors = body.errors ?? [];
    this.body = body;
  }

  /** What a person reads. */
  get sentence() {
    const incident = this.body.incident ? ` (incident ${this.body.incident} in its log)` : "";
    return this.title ? `${this.title}: ${this.message}${incident}` : this.message + incident;
  }
}

let token = null;
let refused = () => {};

/** Send this token from now on; `onRefused` is called with the Problem of a 401. */
export function authorize(text, onRefused = () => {}) {
  token = text;
  refused = onRefused;
}

/** The value that a GET answers. It is tried again for as long as the server is out of reach. */
export async function get(path, { signal } = {}) {
  return valueOf(await patiently(path, {}, signal));
}

/** The value and the headers. */
export async function getPage(path, { signal } = {}) {
  const response = await patiently(path, {}, signal);
  return { value: await valueOf(response), headers: response.headers };
}

/** The response to a GET, to be read as it comes. */
export const open = (path, headers, signal) => patiently(path, headers, signal);

/** The value that a POST answers; it is sent once, since nobody knows what a lost one did. */
export async function post(path, body) {
  const response = await once(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return valueOf(response);
}

async function patiently(path, headers, signal) {
  for (let tries = 0; ; tries += 1) {
    try {
      const response = await once(path, { headers, signal });
      if (tries > 0) reached();
      return response;
    } catch (problem) {
      if (!(problem instanceof Problem) || (problem.status !== 0 && problem.status !== 503)) {
        if (tries > 0) reached();
        throw problem;
      }
      lost(problem);
    }
    await pause(WAITS[Math.min(tries, WAITS.length - 1)], signal);
  }
}

async function once(path, { headers = {}, ...rest }) {
  let response;
  try {
    response = await fetch(PREFIX + path, {
      ...rest,
      headers: { ...headers, Authorization: `Bearer ${token}` },
      // The token is all that admits; no other credential is ever sent along.
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
    });
  } catch (fault) {
    if (rest.signal?.aborted) throw fault;
    throw new Problem(0, { detail: "The server cannot be reached." });
  }
  if (response.ok) return response;
  const problem = new Problem(response.status, await described(response));
  if (response.status === 401) refused(problem);
  throw problem;
}

async function described(response) {
  try {
    return JSON.parse(await response.text());
  } catch {
    return { title: response.statusText, detail: `The server answered ${response.status}.` };
  }
}

async function valueOf(response) {
  try {
    return exact(await response.text());
  } catch (fault) {
    if (fault instanceof SyntaxError) throw new Problem(response.status, { detail: "The answer cannot be read." });
    throw fault.name === "AbortError" ? fault : new Problem(0, { detail: "The answer was cut short." });
  }
}

const LONG = /[:[,]\s*-?\d{16,}\s*[,}\]]/;
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON whose whole numbers keep every digit: ids are bigint, and a double holds 15 digits. */
export function exact(text) {
  const kept = LONG.test(text) ? text.replace(TOKENS, (t) => (/^-?\d{16,}$/.test(t) ? `"${t}"` : t)) : text;
  return JSON.parse(kept);
}

/** Wait, or until the computer is online again. */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal?.removeEventListener("abort", done);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}

function lost(problem) {
  say(byId("connection"), `${problem.message} Trying again…`);
}

function reached() {
  if (byId("connection").hidden) return;
  say(byId("connection"), null);
  speak("Connected again.");
}
