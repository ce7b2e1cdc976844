// <live-stream>: the one stream of the page. Says so at every [data-live] mark: Live, or how stale.
// Named events of the stream arrive on this element; the parts of a page that
// depend on them re-read themselves by hx-trigger="lead from:#live".
// We connect ourselves: htmx takes up a page before a slow extension has arrived, and never
// asks again for a stream whose first request failed. What breaks later htmx mends.
const PATIENCE = 30; // seconds without the stream before the page calls itself stale
const AGAIN = [1, 2, 5, 15, 60]; // seconds until a stream that never began is asked for again

customElements.define("live-stream", class extends HTMLElement {
  connectedCallback() {
    this.lost = Date.now();
    this.addEventListener("htmx:after:sse:connection", () => this.found());
    this.addEventListener("htmx:after:sse:message", () => this.found());
    for (const name of ["htmx:sse:error", "htmx:sse:close", "htmx:response:error", "htmx:error"]) {
      this.addEventListener(name, () => { this.lost ??= Date.now(); });
    }
    this.timer = setInterval(() => this.show(), 1000);
    setTimeout(() => this.connect(), 0); // after htmx, which waits as long, has its triggers
  }

  async connect(tries = 0) {
    if (!this.isConnected) return;
    await htmx.ajax("GET", this.dataset.address, { source: this }).catch(() => {});
    if (this.lost === null) return;
    const seconds = AGAIN[Math.min(tries, AGAIN.length - 1)];
    setTimeout(() => this.connect(tries + 1), seconds * 1000);
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
