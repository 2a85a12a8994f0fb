// Which theme: before the first paint. This choice is all that the page ever keeps.
try {
  const kept = localStorage.getItem("sapwood-theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch { /* a browser that keeps nothing: the system's theme */ }
