// Server-sent events by fetch: EventSource cannot send a token.

import { open } from "./api.js";

/** The server sends a comment every 15 seconds; a connection that is silent so long is dead. */
const SILENCE = 40000;

/** The events of a calibration, to the last; a connection that breaks is made again. */
export async function* eventsOf(id, signal) {
  let last = null;
  for (;;) {
    const attempt = new AbortController();
    const stop = () => attempt.abort(signal.reason);
    signal.addEventListener("abort", stop);
    try {
      const headers = { Accept: "text/event-stream" };
      if (last !== null) headers["Last-Event-ID"] = last;
      const response = await open(`/calibrations/${id}/events`, headers, attempt.signal);
      for await (const event of parsed(watched(response.body, attempt))) {
        last = event.id ?? last;
        yield event;
        if (event.name === "end") return;
      }
    } catch (fault) {
      // A break in the stream is a TypeError or our own abort; a Problem is an answer.
      if (signal.aborted || !(fault instanceof TypeError || fault.name === "AbortError")) throw fault;
    } finally {
      signal.removeEventListener("abort", stop);
      attempt.abort();
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function* watched(body, attempt) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const timer = setTimeout(() => attempt.abort(), SILENCE);
    try {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    } finally {
      clearTimeout(timer);
    }
  }
}

async function* parsed(texts) {
  let rest = "";
  for await (const text of texts) {
    const blocks = (rest + text).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = read(block);
      if (event !== null) yield event;
    }
  }
}

function read(block) {
  const fields = { event: "message", data: [] };
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at < 1) continue; // a comment
    const name = line.slice(0, at);
    const value = line.slice(at + 1).replace(/^ /, "");
    if (name === "data") fields.data.push(value);
    else fields[name] = value;
  }
  if (fields.data.length === 0) return null;
  return { name: fields.event, id: fields.id ?? null, data: JSON.parse(fields.data.join("\n")) };
}
