// <lead-form>: one long form becomes three steps, and what was shown is measured.
// Without this script the form works as one page and the server vouches alone.
customElements.define("lead-form", class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.steps = [...this.form.querySelectorAll("[data-ask-step]")];
    this.box = this.form.elements.consent;
    this.isPreview = "preview" in this.dataset; // of a draft: nothing leaves the page
    this.before = Number(this.form.elements.seconds_on_page.value) || 0;
    this.note("shown");
    this.form.noValidate = true;
    this.build();
    this.watch();
    const wrong = this.form.querySelector('[aria-invalid="true"], .field__error:not([hidden])');
    const note = this.form.querySelector("[data-note]");
    this.show(wrong ? this.steps.findIndex((step) => step.contains(wrong)) : 0);
    if (wrong) this.focusOn(wrong.closest("[data-name]"));
    else if (note) note.focus();
  }

  build() {
    const { back, next } = this.dataset;
    this.bar = Object.assign(document.createElement("div"), { className: "ask__bar", ariaHidden: "true" });
    this.bar.append(...this.steps.map(() => document.createElement("i")));
    this.steps[0].before(this.bar);
    for (const step of this.steps) {
      const count = Object.assign(document.createElement("span"), { className: "ask__count" });
      count.textContent = ` · ${this.dataset.step} ${this.steps.indexOf(step) + 1} ${this.dataset.of} ${this.steps.length}`;
      step.querySelector("legend").append(count);
      step.classList.add("ask__step--alone");
    }
    this.reach = this.steps.findIndex((step) => step.querySelector("#email"));
    if (this.reach < this.steps.length - 1) {
      const keep = Object.assign(document.createElement("p"), { className: "ask__hint", textContent: this.dataset.keep });
      this.steps[this.reach].append(keep);
    }
    this.send = this.form.querySelector(".ask__send");
    this.forth = this.button(next, "button button--primary button--big ask__send", () => this.go(1));
    this.back = this.button(back, "button button--big", () => this.go(-1));
    this.send.before(this.back, this.forth);
  }

  button(label, className, act) {
    const made = Object.assign(document.createElement("button"), { type: "button", className, textContent: label });
    made.addEventListener("click", act);
    return made;
  }

  // What the visitor did and when, in seconds; never what was typed.
  note(what) {
    const { steps } = this.form.elements;
    const line = `${this.seconds()} ${what}`;
    steps.value = [steps.value, line].filter(Boolean).join(";").slice(0, 900);
  }

  seconds() {
    return this.before + Math.round(performance.now() / 1000);
  }

  show(at) {
    if (at !== this.at) this.note(`step ${at + 1}`);
    this.at = at;
    const isLast = at === this.steps.length - 1;
    this.steps.forEach((step, number) => { step.hidden = number !== at; });
    [...this.bar.children].forEach((part, number) => part.classList.toggle("is-done", number <= at));
    this.back.hidden = at === 0;
    this.forth.hidden = isLast;
    this.send.hidden = !isLast;
  }

  go(by) {
    if (by > 0 && !this.isComplete(this.steps[this.at])) return;
    if (by > 0 && this.at === this.reach) this.keep();
    this.show(this.at + by);
    this.steps[this.at].querySelector("legend").focus();
  }

  // Says what is missing as a sentence, and puts the focus on the first of it.
  isComplete(step) {
    const asked = [...step.querySelectorAll('[data-missing]:not([data-missing=""])')];
    const missing = asked.filter((field) => {
      const inputs = [...field.querySelectorAll("input, select")];
      const isEmpty = !inputs.some((input) => (input.type === "radio" ? input.checked : input.value.trim()));
      this.say(field, isEmpty ? field.dataset.missing : "");
      return isEmpty;
    });
    const email = step.querySelector("#email");
    if (email && !email.value.trim() && !step.querySelector("#phone").value.trim()) {
      missing.push(email.closest("[data-name]"));
      this.say(missing.at(-1), this.dataset.reach);
    }
    if (missing.length) this.focusOn(missing[0]);
    return !missing.length;
  }

  // They went on, as the page says: their answers so far reach us, and while the page is open
  // and seen it says so. What is on a step they have not gone on from stays here.
  keep() {
    this.tell();
    this.sign ??= setInterval(() => {
      if (document.visibilityState === "visible") this.tell();
    }, 15000);
  }

  tell() {
    if (this.isLeaving || this.isPreview) return;
    this.form.elements.seconds_on_page.value = this.seconds();
    const body = new FormData(this.form);
    this.steps.slice(Math.max(this.reach + 1, this.at)).forEach((step) => {
      step.querySelectorAll("[name]").forEach((input) => body.delete(input.name));
    });
    fetch(`${location.pathname}draft/`, { method: "POST", body, keepalive: true }).catch(() => {});
  }

  say(field, sentence) {
    const error = field.querySelector(".field__error");
    error.hidden = !sentence;
    error.querySelector("span").textContent = sentence;
    for (const input of field.querySelectorAll("input, select")) {
      if (sentence) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }

  focusOn(field) {
    field?.querySelector("input, select, textarea")?.focus();
  }

  watch() {
    const { elements } = this.form;
    const touched = new Set(elements.fields_touched.value.split(",").filter(Boolean));
    let ticks = Number(elements.ticks.value) || 0;
    elements.box_at_load.value ||= this.box.checked ? "ticked" : "unticked";
    this.form.addEventListener("input", (event) => {
      if (!touched.has(event.target.name)) this.note(`field ${event.target.name}`);
      touched.add(event.target.name);
      elements.fields_touched.value = [...touched].join(",");
      const field = event.target.closest("[data-name]");
      if (field) this.say(field, "");
    });
    this.box.addEventListener("change", () => {
      ticks += 1;
      elements.ticks.value = ticks;
      this.note(this.box.checked ? "ticked" : "unticked");
      elements.checked_at.value = this.box.checked ? new Date().toISOString() : "";
      this.measure();
    });
    this.form.addEventListener("keydown", (event) => {
      const isLine = event.key === "Enter" && event.target.matches("input:not([type=checkbox]), select");
      if (!isLine || this.at === this.steps.length - 1) return;
      event.preventDefault();
      this.go(1);
    });
    this.form.addEventListener("submit", (event) => this.leave(event));
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  }

  leave(event) {
    if (this.isLeaving || !this.isComplete(this.steps[this.at]) || this.isPreview) {
      event.preventDefault();
      return;
    }
    this.form.elements.seconds_on_page.value = this.seconds();
    if (!this.isMeasured) {
      event.preventDefault();
      // Not from within this event: a form that is being submitted cannot be submitted again.
      this.measure().finally(() => setTimeout(() => this.form.requestSubmit()));
      return;
    }
    this.isLeaving = true;
    clearInterval(this.sign);
    this.note("sent");
  }

  // What stood before the visitor's eyes: the words, their size, contrast and whether shown.
  async measure() {
    this.isMeasured = true;
    const { elements } = this.form;
    const text = this.querySelector("#consent-text");
    const style = getComputedStyle(text);
    const box = text.getBoundingClientRect();
    const isThere = !text.checkVisibility || text.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    elements.font_px.value = parseFloat(style.fontSize);
    elements.contrast.value = contrast(text).toFixed(1);
    elements.visible.value = isThere && box.width > 100 && box.height > 10 ? "yes" : "no";
    if (!crypto.subtle) return;
    const words = new TextEncoder().encode(text.textContent.trim().split(/\s+/).join(" "));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", words));
    elements.shown_sha256.value = [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
});

// WCAG contrast of an element's text on what lies under it, in whatever color space.
function contrast(element) {
  const under = [];
  for (let one = element; one; one = one.parentElement) under.unshift(getComputedStyle(one).backgroundColor);
  const page = matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#fff";
  const ground = luminance([page, ...under]);
  const ink = luminance([page, ...under, getComputedStyle(element).color]);
  return (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
}

function luminance(layers) {
  const brush = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  for (const layer of layers) {
    brush.fillStyle = layer;
    brush.fillRect(0, 0, 1, 1);
  }
  const [red, green, blue] = [...brush.getImageData(0, 0, 1, 1).data].map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// A frame on another site learns how high this page is, and nothing else.
if (parent !== window) {
  document.body.classList.add("public--framed");
  new ResizeObserver(() => {
    const height = document.querySelector("main").scrollHeight + document.querySelector("footer").scrollHeight;
    parent.postMessage({ rooftreeHeight: height + 90 }, "*");
  }).observe(document.querySelector("main"));
}
