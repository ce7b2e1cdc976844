// Tick boxes of a list: count what is ticked, tick a whole page, and keep ticks when a list reloads.
const ticked = new Set();
const boxes = () => [...document.querySelectorAll(".tickbox[name=lead]")];

function showCount() {
  const rest = document.querySelector("[data-tick-rest]");
  const all = document.querySelector("[data-tick-all]");
  const count = document.querySelector("[data-tick-count]");
  const number = boxes().filter((box) => box.checked).length;
  if (all) all.checked = number > 0 && number === boxes().length;
  if (count) count.textContent = rest?.checked ? "All selected" : `${number} selected`;
}

document.addEventListener("change", (event) => {
  if (!event.target.matches(".tickbox")) return;
  if (event.target.matches("[data-tick-all]")) for (const box of boxes()) box.checked = event.target.checked;
  ticked.clear();
  for (const box of boxes()) if (box.checked) ticked.add(box.value);
  showCount();
});

document.addEventListener("reset", (event) => {
  if (event.target.id !== "bulk") return;
  ticked.clear();
  setTimeout(showCount);
});

document.addEventListener("htmx:after:swap", () => {
  if (!ticked.size) return;
  for (const box of boxes()) box.checked = ticked.has(box.value);
  showCount();
});
