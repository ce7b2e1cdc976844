// <count-down seconds="74" of="120">: ticks the words, drains the ring, changes state.
// The server sends the due time; the page only shows it. Counted by the clock, not by ticks:
// a hidden tab ticks late.
customElements.define("count-down", class extends HTMLElement {
  static observedAttributes = ["seconds"];

  connectedCallback() {
    this.timer = setInterval(() => this.tick(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  attributeChangedCallback() {
    this.due = Date.now() + Number(this.getAttribute("seconds")) * 1000;
  }

  tick() {
    const left = Math.round((this.due - Date.now()) / 1000);
    const total = Number(this.getAttribute("of")) || 120;
    const seconds = Math.abs(left);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const words = this.querySelector("[data-words]");
    const ring = this.querySelector("circle + circle");
    if (words) words.textContent = left < 0 ? `${clock} late` : clock;
    if (ring) ring.setAttribute("stroke-dasharray", `${Math.max(0, left / total) * 100} 100`);
    this.classList.toggle("clock--soon", left >= 0 && left <= total / 2);
    this.classList.toggle("clock--late", left < 0);
  }
});
