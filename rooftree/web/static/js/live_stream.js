// <live-stream>: the one stream of the page. Says so at every [data-live] mark: Live, or how stale.
// Named events of the stream arrive on this element; the parts of a page that
// depend on them re-read themselves by hx-trigger="lead from:#live".
const PATIENCE = 30; // seconds without the stream before the page calls itself stale

customElements.define("live-stream", class extends HTMLElement {
  connectedCallback() {
    this.lost = null;
    this.addEventListener("htmx:after:sse:connection", () => this.found());
    this.addEventListener("htmx:after:sse:message", () => this.found());
    for (const name of ["htmx:sse:error", "htmx:sse:close", "htmx:response:error", "htmx:error"]) {
      this.addEventListener(name, () => { this.lost ??= Date.now(); });
    }
    this.timer = setInterval(() => this.show(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  found() {
    this.lost = null;
    this.show();
  }

  show() {
    const age = this.lost ? Math.round((Date.now() - this.lost) / 1000) : 0;
    const stale = age >= PATIENCE;
    for (const mark of document.querySelectorAll("[data-live]")) {
      const old = age < 120 ? `${age} s` : `${Math.floor(age / 60)} min`;
      const words = stale ? `Stale, ${old} old` : "Live";
      if (mark.textContent !== words) mark.textContent = words;
      mark.classList.toggle("live--stale", stale);
    }
  }
});

// Rows that were not there before are told to screen readers, once.
const known = new Set();
const tell = (quietly) => {
  for (const row of document.querySelectorAll("[data-news]")) {
    if (known.has(row.id)) continue;
    known.add(row.id);
    if (!quietly) document.getElementById("news").textContent = row.dataset.news;
  }
};
document.addEventListener("DOMContentLoaded", () => tell(true));
document.addEventListener("htmx:after:swap", () => tell(false));
