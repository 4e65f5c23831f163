// Turns on what nhsuk-frontend adds for browsers with JavaScript. Every page works without it.
import { initAll } from "/assets/nhsuk-frontend.js";

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
initAll();
