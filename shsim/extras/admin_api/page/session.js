// Who is signed in: the token is kept in this tab alone.

import { authorize, get } from "./api.js";
import { byId, el, fill, say } from "./elements.js";
import { ahead, time } from "./format.js";

const KEPT = "shsim.token";

/** Who is signed in, or null: `subject`, `roles`, `expires`. */
let principal = null;
let entered = async () => {};
let left = () => {};
let clock = null;

export const mayChange = () => principal !== null && principal.roles.includes("admin");

/** Ask for a token, or take the one that this tab has. */
export async function begin(onEntered, onLeft) {
  entered = onEntered;
  left = onLeft;
  byId("sign-in-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  byId("sign-out").addEventListener("click", () => signOut("You have signed out."));
  const kept = sessionStorage.getItem(KEPT);
  if (kept === null) show(null);
  else await signIn(kept);
}

async function submit() {
  const field = byId("token");
  // What is pasted may be the header's whole value, or broken into lines.
  const text = field.value.replace(/^\s*(authorization:\s*)?bearer\s+/i, "").replace(/\s+/g, "");
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)) {
    show("That is no token. Paste the three parts with the dots between them.");
    return;
  }
  const button = byId("sign-in-form").querySelector("button");
  button.disabled = true;
  try {
    await signIn(text);
    // The field that had the focus is gone.
    document.querySelector("main section:not([hidden]) h1[tabindex]")?.focus();
  } finally {
    button.disabled = false;
  }
}

async function signIn(text) {
  authorize(text);
  try {
    principal = await get("/me");
  } catch (problem) {
    forget();
    show(problem.message);
    return;
  }
  authorize(text, (problem) => signOut(problem.message));
  sessionStorage.setItem(KEPT, text);
  byId("token").value = "";
  byId("sign-in").hidden = true;
  byId("signed-in").hidden = false;
  tell();
  clearInterval(clock);
  clock = setInterval(tell, 5000);
  await entered();
}

/** Forget the token, and say why. */
function signOut(reason) {
  if (principal === null) return;
  forget();
  left();
  show(reason);
}

function forget() {
  principal = null;
  clearInterval(clock);
  authorize(null);
  sessionStorage.removeItem(KEPT);
}

function show(reason) {
  byId("signed-in").hidden = true;
  byId("sign-in").hidden = false;
  say(byId("sign-in-reason"), reason);
  byId("token").setAttribute("aria-invalid", String(reason !== null && byId("token").value !== ""));
  byId("token").focus();
}

/** Who, as what, until when. */
function tell() {
  const remaining = Date.parse(principal.expires) - Date.now();
  if (remaining <= 0) {
    signOut("The token has expired.");
    return;
  }
  const until = time(el("time"), principal.expires, { short: remaining < 12 * 3600e3 });
  const role = mayChange() ? "admin" : "viewer";
  fill(byId("who"), `${principal.subject}, ${role}, until `, until, el("span", { class: "roomy" }, ` (${ahead(remaining)})`));
}
