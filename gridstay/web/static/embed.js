// Puts a facility's free and paid times into somebody else's page:
// <script src="https://HOST/embed.js" data-facility="salon" async></script>
(() => {
  const script = document.currentScript;
  const { facility, service = "", lang = "", height = "420" } = script.dataset;
  if (!facility) return;
  const address = new URL(`/embed/${encodeURIComponent(facility)}`, script.src);
  if (service) address.searchParams.set("service", service);
  if (lang) address.searchParams.set("lang", lang);
  const frame = document.createElement("iframe");
  Object.assign(frame, { src: address.href, title: script.dataset.title || facility, loading: "lazy", height });
  Object.assign(frame.style, { border: "0", width: "100%", maxWidth: "42rem", display: "block" });
  script.after(frame);
})();
