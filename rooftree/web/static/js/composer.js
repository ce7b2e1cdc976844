// The composer: a tapped snippet goes into the text, Ctrl or Cmd with Enter sends, numbers are copied.
document.addEventListener("click", (event) => {
  const snippet = event.target.closest("[data-snippet]");
  const box = snippet?.closest("form")?.querySelector("textarea");
  if (!box || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const before = box.value.trimEnd();
  box.value = [before, snippet.dataset.snippet].filter(Boolean).join("\n");
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.target.closest?.("[data-composer]")?.requestSubmit();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  document.getElementById("news").textContent = `Copied ${button.dataset.copy}`;
  button.classList.add("is-copied");
  setTimeout(() => button.classList.remove("is-copied"), 2000);
});
