// <hot-keys>: j and k move through a list, / finds, ? helps; c t e a press the chosen row's button.
// Single keys can be turned off (WCAG 2.1.4); the choice stays in this browser.
const OFF = "rooftree-keys-off";

customElements.define("hot-keys", class extends HTMLElement {
  connectedCallback() {
    this.listen = (event) => this.press(event);
    document.addEventListener("keydown", this.listen);
    this.keep = () => this.chooseAgain();
    document.addEventListener("htmx:after:swap", this.keep);
    this.control = document.querySelector("[data-keys-switch]");
    this.control?.addEventListener("click", () => this.turn());
    this.control?.setAttribute("aria-checked", String(!localStorage.getItem(OFF)));
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.listen);
    document.removeEventListener("htmx:after:swap", this.keep);
  }

  turn() {
    if (localStorage.getItem(OFF)) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
    this.control.setAttribute("aria-checked", String(!localStorage.getItem(OFF)));
  }

  press(event) {
    if (localStorage.getItem(OFF) || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog[open], [contenteditable]")) return;
    const rows = [...document.querySelectorAll("[data-row]")];
    const chosen = rows.findIndex((row) => row.hasAttribute("aria-current"));
    if (event.key === "j") this.choose(rows, chosen, chosen + 1);
    else if (event.key === "k") this.choose(rows, chosen, chosen - 1);
    else if (event.key === "/") document.getElementById("palette").showModal();
    else if (event.key === "?") document.getElementById("keys").showModal();
    else if (!this.act(rows[chosen], event.key)) return;
    event.preventDefault();
  }

  choose(rows, from, to) {
    if (!rows[to]) return;
    this.chosen = rows[to].id;
    rows[from]?.removeAttribute("aria-current");
    rows[to].setAttribute("aria-current", "true");
    rows[to].querySelector("a, button")?.focus();
    rows[to].scrollIntoView({ block: "nearest" });
  }

  // A list that re-reads itself comes with the server's choice; the reader's own goes first.
  chooseAgain() {
    const row = this.chosen && document.getElementById(this.chosen);
    if (!row || row.hasAttribute("aria-current")) return;
    document.querySelector("[data-row][aria-current]")?.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
  }

  // `a` takes the lead that is offered; the other keys mean the chosen row, or else the page.
  act(row, key) {
    const named = `[data-key="${CSS.escape(key)}"]`;
    const button = row?.querySelector(named) ?? document.querySelector(named);
    button?.click();
    return Boolean(button);
  }
});
