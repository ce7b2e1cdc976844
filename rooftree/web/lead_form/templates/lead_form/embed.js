// Inserts the form after this script and fits the frame to the height of its page.
// Passes on utm parameters and click IDs, which the page in the frame can't see.
(() => {
  const script = document.currentScript;
  const address = new URL("./", script.src);
  const language = script.dataset.lang || document.documentElement.lang.slice(0, 2);
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (/^(utm_\w+|gclid|gbraid|wbraid|fbclid|msclkid|ttclid|li_fat_id)$/.test(name)) {
      address.searchParams.set(name, value);
    }
  }
  if (["en", "es"].includes(language)) address.searchParams.set("lang", language);
  address.searchParams.set("page", location.href.slice(0, 1000));
  address.searchParams.set("referrer", document.referrer.slice(0, 1000));

  const frame = document.createElement("iframe");
  frame.src = address.href;
  frame.title = script.dataset.title || "Home loan request";
  frame.style.width = "100%";
  frame.style.border = "0";
  frame.style.height = "46rem";
  frame.style.colorScheme = "normal";
  script.after(frame);

  addEventListener("message", (event) => {
    const isOurs = event.source === frame.contentWindow && event.origin === address.origin;
    const height = isOurs && Number(event.data?.rooftreeHeight);
    if (height > 0) frame.style.height = `${Math.min(height, 5000)}px`;
  });
})();
