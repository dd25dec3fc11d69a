/** The API key of this tab: asked for when the service wants one, kept until the tab is closed. */

import { fill, h } from "./dom.js";

const PLACE = "sip-key";
let asking = null;

/** The key, or null. */
export const currentKey = () => sessionStorage.getItem(PLACE);

/** Headers that send the key. */
export const keyHeaders = () => (currentKey() ? { Authorization: `Bearer ${currentKey()}` } : {});

/** Ask for a key, once however many requests need it; false when the person gives none. */
export function askForKey(reason) {
  asking ??= showDialog(reason).finally(() => (asking = null));
  return asking;
}

/** Forget the key. */
export const forgetKey = () => sessionStorage.removeItem(PLACE);

function showDialog(reason) {
  const input = h("input", { id: "key", type: "password", autocomplete: "off", required: true, spellcheck: "false" });
  const dialog = h("dialog", { "aria-labelledby": "key-title" });
  return new Promise((resolve) => {
    const close = (given) => {
      dialog.close();
      dialog.remove();
      resolve(given);
    };
    const form = h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          sessionStorage.setItem(PLACE, input.value.trim());
          close(true);
        },
      },
      h("h2", { id: "key-title" }, "This service asks for a key"),
      h("p", {}, reason),
      h("label", { for: "key" }, "API key (sip_…)"),
      input,
      h("p", { class: "help" }, "Kept in this tab alone, until it is closed."),
      h(
        "div",
        { class: "actions" },
        h("button", { class: "main" }, "Use this key"),
        h("button", { type: "button", onclick: () => close(false) }, "Cancel"),
      ),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close(false);
    });
    fill(dialog, form);
    document.body.append(dialog);
    dialog.showModal();
  });
}
