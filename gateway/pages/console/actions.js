// The buttons of one connection: one for each action that it allows. Only a response changes what is shown.

import { el } from "./dom.js";

const NAMES = { request: "Request", accept: "Accept", reject: "Reject", cancel: "Cancel request", remove: "Remove" };
const CONFIRMED = new Set(["remove"]);
const MAIN = new Set(["accept", "request"]);

/** A button for each action of the connection. A press calls `act(connection, action, button)`; Remove asks once more. */
export function actionButtons(connection, act) {
  return connection.actions.map((action) => {
    const whom = `${connection.user_id} on ${connection.platform}`;
    const button = el("button", {
      type: "button", class: MAIN.has(action) ? "" : "second", "data-action": action, "aria-label": `${NAMES[action]}: ${whom}`,
    }, NAMES[action]);
    let isConfirmed = !CONFIRMED.has(action);
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      if (isConfirmed) act(connection, action, button);
      isConfirmed = true;
      if (CONFIRMED.has(action)) {
        button.textContent = `${NAMES[action]}?`;
        button.setAttribute("aria-label", `Press again to ${action}: ${whom}`);
      }
    });
    return button;
  });
}

/** Marks these buttons as busy, or as ready again. They keep the focus meanwhile. */
export function setBusy(buttons, isBusy) {
  for (const button of buttons) button.setAttribute("aria-disabled", String(isBusy));
}
