// Shows the buttons that need a passkey where the browser knows passkeys, and tells when one was not used.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  if (!window.PublicKeyCredential) return;
  for (const part of document.querySelectorAll(".needs-script")) part.hidden = false;
});

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const trouble = document.getElementById("passkey-trouble");
  if (trouble) trouble.hidden = false;
});
