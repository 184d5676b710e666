// What a page does beside being read: puts the focus where it helps, keeps a double press one press, locks itself.
// Everything works without this file.
"use strict";
(() => {
  const focus = document.querySelector("[data-focus]");
  if (focus) focus.focus();

  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  // A page that is gone back to can be sent again.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  for (const link of document.querySelectorAll(".summary a")) {
    link.addEventListener("click", (event) => {
      const field = document.getElementById(link.hash.slice(1));
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.scrollIntoView({ block: "center" });
    });
  }

  const print = document.querySelector("[data-print]");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }

  const lock = document.getElementById("lock");
  const after = Number(document.body.dataset.lockAfter) * 1000;
  if (!lock || !after) return;
  const draft = document.querySelector("form[data-draft]");
  const lockNow = () => {
    if (draft) {
      draft.action = "/lock";
      draft.submit();
    } else {
      lock.submit();
    }
  };
  lock.addEventListener("submit", (event) => {
    if (!draft) return;
    event.preventDefault();
    lockNow();
  });
  let last = Date.now();
  for (const kind of ["keydown", "pointerdown", "scroll"]) {
    addEventListener(kind, () => { last = Date.now(); }, { passive: true });
  }
  setInterval(() => { if (Date.now() - last >= after) lockNow(); }, 1000);
})();
