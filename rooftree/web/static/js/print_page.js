// Print the page on a press of a button marked data-print.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
