// What makes the pages quick; all of them work without it.
"use strict";

// A link or form marked data-swap replaces the element of that id with the one of the page it leads to.
async function swap(id, address, push) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(id);
  const old = document.getElementById(id);
  if (!answer.ok || !fresh || !old) {
    location.assign(address);
    return;
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.focus || document.activeElement.id : "";
  const strip = old.querySelector(".days");
  const scrolled = strip ? strip.scrollLeft : 0;
  old.replaceWith(document.adoptNode(fresh));
  if (push) history.pushState({ swap: id }, "", answer.url);
  const freshStrip = fresh.querySelector(".days");
  if (freshStrip) freshStrip.scrollLeft = scrolled;
  const again = focused && (document.getElementById(focused) || fresh.querySelector(`[data-focus="${CSS.escape(focused)}"]`));
  if (again) again.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  swap(link.dataset.swap, link.href, true);
});

function asQuery(form, submitter) {
  const address = new URL(form.getAttribute("action") || location.pathname, location.href);
  address.search = new URLSearchParams(new FormData(form, submitter)).toString();
  return address.href;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.swap) {
    event.preventDefault();
    swap(form.dataset.swap, asQuery(form, event.submitter), true);
    return;
  }
  if (form.dataset.sent) event.preventDefault(); // a second tap does not send it twice
  form.dataset.sent = "yes";
});

// A field marked data-now sends its form as soon as it is changed; data-preview shows what it would lead to, beside it.
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form) return;
  if ("now" in event.target.dataset) form.requestSubmit();
  const preview = event.target.closest("[data-preview]");
  if (preview) {
    const address = new URL(preview.dataset.previewAt, location.href);
    for (const [name, value] of new FormData(form)) if (name !== "token") address.searchParams.set(name, value);
    swap(preview.dataset.preview, address.href, false);
  }
});

addEventListener("popstate", () => location.reload());
addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => delete form.dataset.sent));

// An element marked data-live is fetched anew every so many seconds while somebody looks at it.
async function renew(element) {
  try {
    const answer = await fetch(element.dataset.live, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(element.id);
      const now = document.getElementById(element.id);
      if (fresh && now && fresh.innerHTML !== now.innerHTML) now.replaceChildren(...fresh.childNodes);
    }
  } catch {
    // no network now: the next time
  }
}

for (const element of document.querySelectorAll("[data-live]")) {
  setInterval(() => { if (!document.hidden) renew(element); }, 1000 * Number(element.dataset.every || 5));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) renew(element); });
}
