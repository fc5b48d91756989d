// What makes the pages quick; all of them work without it.
"use strict";

// A link or form marked data-swap replaces the element of that id with the one of the page it leads to. What was asked for last
// counts, in whatever order answers come.
const asked = new Map();
async function swap(id, address, push) {
  const mine = (asked.get(id) || 0) + 1;
  asked.set(id, mine);
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== asked.get(id)) return;
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

// What is typed into a field marked data-find is looked for at once; what is found takes the place of the element data-into.
document.querySelectorAll("[data-find]").forEach((field) => {
  const { find, into } = field.dataset;
  let timer = 0;
  let asked = 0;
  const look = async () => {
    const mine = ++asked;
    const address = new URL(find, location.href);
    const chosen = document.querySelector(`#${into} input:checked`);
    address.searchParams.set("q", field.value);
    if (chosen) address.searchParams.set("model_id", chosen.value);
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" } });
      const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(into);
      if (fresh && mine === asked) document.getElementById(into).replaceWith(document.adoptNode(fresh));
    } catch {
      // no network now: the next letter, or the button
    }
  };
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 250); });
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); look(); } });
  const button = field.form.querySelector("button[name=find]");
  button.type = "button"; // Enter in another field sends the form, and does not search
  button.addEventListener("click", look);
});

addEventListener("popstate", () => location.reload());
addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => delete form.dataset.sent));

// An element marked data-live is shown anew while somebody looks at it: by the stream that data-stream names, else by looking
// at the page again every so many seconds.
function show(element, content) {
  const fresh = new DOMParser().parseFromString(content, "text/html").body;
  if (fresh.innerHTML === element.innerHTML || element.querySelector("details[open], form :focus")) return; // not under a finger
  const scrolled = [...element.querySelectorAll(".scroller")].map((one) => one.scrollLeft);
  element.replaceChildren(...fresh.childNodes);
  element.querySelectorAll(".scroller").forEach((one, number) => { one.scrollLeft = scrolled[number]; });
}

async function renew(element) {
  try {
    const answer = await fetch(element.dataset.live, { headers: { Accept: "text/html" } });
    const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(element.id);
    if (fresh) show(element, fresh.innerHTML);
  } catch {
    // no network now: the next time
  }
}

function follow(element) {
  let stream = null;
  let timer = 0;
  const look = () => { timer ||= setInterval(() => { if (!document.hidden) renew(element); }, 1000 * Number(element.dataset.every)); };
  const listen = () => {
    if (document.hidden) {
      if (stream) stream.close();
      stream = null;
      return;
    }
    if (timer) renew(element);
    if (timer || stream) return;
    stream = new EventSource(element.dataset.stream);
    stream.onmessage = (event) => show(element, event.data);
    stream.addEventListener("over", () => { stream.close(); document.removeEventListener("visibilitychange", listen); });
    stream.onerror = () => { if (stream && stream.readyState === EventSource.CLOSED) { stream = null; look(); } };
  };
  if (!element.dataset.stream) look();
  document.addEventListener("visibilitychange", listen);
  listen();
}

document.querySelectorAll("[data-live]").forEach(follow);

// A timeline that is wider than the screen is shown from a little before now.
for (const now of document.querySelectorAll(".scroller .now")) {
  const scroller = now.closest(".scroller");
  scroller.scrollLeft += now.getBoundingClientRect().left - scroller.getBoundingClientRect().left - scroller.clientWidth / 2;
}
