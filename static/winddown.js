// Tells when a live page has stopped being live, and announces a countdown's thresholds. Everything works without it.
"use strict";

(() => {
  const banner = document.getElementById("stale");
  if (!banner) return;

  const fresh = (yes) => { banner.hidden = yes; };
  document.body.addEventListener("htmx:sendError", () => fresh(false));
  document.body.addEventListener("htmx:responseError", () => fresh(false));
  document.body.addEventListener("htmx:timeout", () => fresh(false));
  document.body.addEventListener("htmx:afterSwap", () => {
    fresh(true);
    const said = document.getElementById("announcement");
    const now = document.querySelector("[data-announce]");
    if (said && now && said.textContent !== now.dataset.announce) said.textContent = now.dataset.announce;
  });
})();
