// The one dialog: it asks before anything is changed.

import { byId, fill, say } from "./elements.js";

/**
 * Ask. `act` is awaited while the dialog stands; what it throws is shown in it, and may bring
 * another question (`again`: the new words of the button). Resolves to what `act` gave, or null.
 */
export function confirm({ title, body, yes, act, again = () => null }) {
  const dialog = byId("dialog");
  const [agree, refuse] = [byId("dialog-yes"), byId("dialog-no")];
  byId("dialog-title").textContent = title;
  fill(byId("dialog-body"), ...body);
  say(byId("dialog-problem"), null);
  agree.textContent = yes;
  agree.hidden = false;
  refuse.textContent = "Cancel";
  return new Promise((resolve) => {
    let answer = null;
    let busy = false;
    const form = dialog.querySelector("form");
    const submit = async (event) => {
      event.preventDefault();
      if (busy) return;
      busy = agree.disabled = refuse.disabled = true;
      try {
        answer = await act();
        dialog.close();
      } catch (problem) {
        say(byId("dialog-problem"), problem.sentence ?? problem.message);
        const words = again(problem);
        agree.hidden = words === null;
        if (words !== null) agree.textContent = words;
        else refuse.textContent = "Close";
      } finally {
        busy = agree.disabled = refuse.disabled = false;
      }
      if (dialog.open) refuse.focus();
    };
    const close = () => dialog.close();
    const cancel = (event) => {
      if (busy) event.preventDefault();
    };
    const closed = () => {
      form.removeEventListener("submit", submit);
      refuse.removeEventListener("click", close);
      dialog.removeEventListener("cancel", cancel);
      resolve(answer);
    };
    form.addEventListener("submit", submit);
    refuse.addEventListener("click", close);
    dialog.addEventListener("cancel", cancel);
    dialog.addEventListener("close", closed, { once: true });
    dialog.showModal();
    refuse.focus();
  });
}

/** Close it, whatever it asks: whoever was to answer has been signed out. */
export function dismiss() {
  if (byId("dialog").open) byId("dialog").close();
}
