// One process for all of them, so that they share one browser.
import "./cards.mjs";
import "./faults.mjs";
import "./checklist.mjs";
import "./access.mjs";
import "./react.mjs";
import "./guide.mjs";
