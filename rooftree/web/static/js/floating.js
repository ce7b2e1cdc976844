// What floats: dialogs opened by [data-dialog], toasts that leave by themselves, a palette with arrows.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (!opener) return;
  const dialog = document.getElementById(opener.dataset.dialog);
  if (!dialog) return;
  event.preventDefault();
  opener.closest("[popover]")?.hidePopover();
  dialog.showModal();
});

document.addEventListener("click", (event) => {
  if (event.target.matches("dialog")) event.target.close(); // the backdrop
  event.target.closest("[data-close]")?.closest("dialog")?.close();
});

document.addEventListener("keydown", (event) => {
  if (!event.target.closest(".palette") || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  const stops = [...event.target.closest(".palette").querySelectorAll("input, a")];
  const next = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  stops[Math.max(0, Math.min(stops.length - 1, next))].focus();
  event.preventDefault();
});

const STAYS = 6000; // milliseconds; longer while it is hovered or focused

customElements.define("toast-note", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      if (event.target.closest("button:not([data-keep])")) this.remove();
    });
    for (const name of ["pointerenter", "focusin"]) {
      this.addEventListener(name, () => { if (!this.dataset.seconds) clearTimeout(this.timer); });
    }
    for (const name of ["pointerleave", "focusout"]) {
      this.addEventListener(name, () => this.wait());
    }
    this.wait();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  wait() {
    clearTimeout(this.timer);
    if (this.dataset.seconds) this.countDown();
    else this.timer = setTimeout(() => this.remove(), STAYS);
  }

  // An act that can be undone says for how long, and leaves when its time is over.
  countDown() {
    this.until ??= Date.now() + Number(this.dataset.seconds) * 1000;
    const left = Math.ceil((this.until - Date.now()) / 1000);
    if (left <= 0) return this.remove();
    this.querySelector("[data-left]").textContent = ` · ${left} s`;
    this.timer = setTimeout(() => this.countDown(), 250);
  }
});

// What a reader unfolded or opened stays open when its part of the page refreshes.
window.htmx?.config.morphIgnore.push("open");

// A form that was accepted empties itself and closes its dialog; a refused one keeps every word.
document.addEventListener("htmx:after:request", (event) => {
  if (event.target.matches?.("input, textarea")) return; // a draft is kept; nothing was sent
  const form = event.target.closest?.("form");
  const status = event.detail?.ctx?.response?.status ?? 500;
  if (!form || status >= 400) return;
  if (form.matches("[data-clear]")) form.reset();
  for (const typed of form.matches("[data-composer]") ? form.querySelectorAll("[name=body], [name=subject]") : []) {
    typed.value = typed.defaultValue = ""; // not the draft that the page came with
    form.querySelector("[role=alert]").replaceChildren();
  }
  if (!form.matches("[data-closes]")) return;
  form.closest("dialog")?.close();
  form.closest("[popover]:popover-open")?.hidePopover();
});

// A call is dialled by the phone; meanwhile the lead's page opens, where its outcome is one tap.
document.addEventListener("htmx:after:request", (event) => {
  const form = event.target.closest?.("form");
  const to = event.detail?.ctx?.response?.headers?.get("HX-Redirect") ?? "";
  if (!to.startsWith("tel:")) return;
  const then = form?.dataset.then;
  if (then) setTimeout(() => { location.href = then; }, 300);
  else document.body.dispatchEvent(new Event("reread"));
});

// What is explained in place is asked for when its popover opens.
document.addEventListener("toggle", (event) => {
  if (event.newState === "open") event.target.dispatchEvent(new Event("opened"));
}, true);

// An act that never reached the server says so: nothing is lost without a word.
document.addEventListener("htmx:error", (event) => {
  if (!event.target.closest?.("form")) return;
  const toast = document.createElement("toast-note");
  toast.className = "toast";
  toast.textContent = "No connection, so nothing was sent. What you typed is still here.";
  document.getElementById("toasts")?.append(toast);
});
