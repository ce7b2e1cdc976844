// <passkey-form options="/address/" act="get|create">: asks the device, then sends its answer
// as a plain form. Stays hidden where the browser knows no passkeys.
const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const toText = (bytes) => bytes && btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function readOptions(options) {
  options.challenge = toBytes(options.challenge);
  if (options.user) options.user.id = toBytes(options.user.id);
  for (const list of [options.excludeCredentials, options.allowCredentials]) {
    for (const one of list || []) one.id = toBytes(one.id);
  }
  return options;
}

function written(made) {
  const { response } = made;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  return JSON.stringify({
    id: made.id,
    rawId: toText(made.rawId),
    type: made.type,
    authenticatorAttachment: made.authenticatorAttachment || undefined,
    clientExtensionResults: made.getClientExtensionResults(),
    response: Object.fromEntries(parts.filter((part) => response[part]).map((part) => [part, toText(response[part])])),
  });
}

const SAID = {
  NotAllowedError: "The device was not unlocked in time, or you stopped it. Try again.",
  InvalidStateError: "This device has a passkey for you already.",
  SecurityError: "Passkeys work only at the address your administrator set up.",
};

customElements.define("passkey-form", class extends HTMLElement {
  connectedCallback() {
    if (!window.PublicKeyCredential) return;
    this.hidden = false;
    this.form = this.querySelector("form");
    this.problem = this.querySelector("[role=alert]");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
  }

  async ask() {
    const button = this.form.querySelector("button");
    button.disabled = true;
    this.problem.hidden = true;
    try {
      const answer = await fetch(this.getAttribute("options"), { headers: { Accept: "application/json" } });
      const options = await answer.json();
      if (options.go) return window.location.assign(options.go);
      if (!answer.ok) throw new Error(options.problem);
      const asked = { publicKey: readOptions(options.publicKey) };
      const made = await navigator.credentials[this.getAttribute("act")](asked);
      this.form.elements.credential.value = written(made);
      this.form.submit();
    } catch (error) {
      this.problem.textContent = SAID[error.name] || error.message || "That did not work. Try again.";
      this.problem.hidden = false;
      button.disabled = false;
    }
  }
});
