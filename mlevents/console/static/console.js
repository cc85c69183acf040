// The function key stays in this tab's memory (sessionStorage) and travels in a header, never in an address.
"use strict";
(() => {
  const KEY = "mlevents.key", REFUSED = "mlevents.refused", shell = "/console", content = "/console-content";
  const root = document.documentElement.dataset.root;
  const keyed = () => document.documentElement.dataset.keyed === "yes";
  const storedKey = () => sessionStorage.getItem(KEY) || "";

  // Pages that need a key are fetched from where the Functions host asks for one.
  document.addEventListener("htmx:configRequest", (event) => {
    if (!keyed()) return;
    const { detail } = event, url = new URL(detail.path, location.href);
    if (url.origin !== location.origin) return;
    if (url.pathname.startsWith(`${root}${shell}/`)) {
      detail.path = root + content + url.pathname.slice((root + shell).length) + url.search;
    } else if (!url.pathname.startsWith(`${root}${content}/`)) return;
    detail.headers["x-functions-key"] = storedKey();
  });
  document.addEventListener("htmx:beforeHistoryUpdate", (event) => {
    const { history } = event.detail;
    history.path = history.path.replace(root + content, root + shell);
  });
  // An answer of 4xx or 5xx is a page too: it says what is wrong.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.status === 401 && keyed()) {
      sessionStorage.removeItem(KEY);
      sessionStorage.setItem(REFUSED, "yes");
      location.reload();
      event.detail.shouldSwap = false;
    } else if (xhr.status >= 400 && xhr.getResponseHeader("content-type")?.startsWith("text/html")) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-keep-key]");
    if (!form) return;
    event.preventDefault();
    sessionStorage.setItem(KEY, new FormData(form).get("key").trim());
    location.reload();
  });
  // Times are written in UTC; here they become the reader's own.
  const localize = (scope) => scope.querySelectorAll("time[datetime]").forEach((time) => {
    const moment = new Date(time.dateTime);
    if (!isNaN(moment)) time.title = moment.toLocaleString();
  });
  document.addEventListener("htmx:load", (event) => {
    localize(event.detail.elt);
    const open = document.querySelector("[data-open]");
    if (!open) return;
    document.querySelector("article.key").hidden = Boolean(storedKey());
    document.querySelector("form[data-keep-key]").hidden = false;  // without scripts it would send the key
    document.querySelector("[data-scriptless]").hidden = true;
    document.querySelector("[data-refused]").hidden = !sessionStorage.getItem(REFUSED);
    sessionStorage.removeItem(REFUSED);
    if (storedKey()) htmx.trigger(open, "open-with-key");
  });
  // A page that renews itself waits while something is chosen or written in it …
  document.addEventListener("htmx:beforeRequest", (event) => {
    const live = event.detail.elt;
    if (!live.matches("[data-live]")) return;
    const written = [...live.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue);
    if (written || document.hidden || live.querySelector("input:checked, :is(input, select, textarea):focus")) event.preventDefault();
  });
  // … and keeps what is opened in it, and where the keyboard is.
  let kept = null;
  const identify = (one) => [one.closest("[data-key]")?.dataset.key, one.tagName, one.getAttribute("href") ?? one.textContent.trim()].join("|");
  document.addEventListener("htmx:beforeSwap", (event) => {
    const live = event.detail.target;
    kept = null;
    if (!live.matches("[data-live]")) return;
    const opened = new Map([...live.querySelectorAll("summary")].map((one) => [identify(one), one.parentElement.open]));
    kept = { opened, focus: live.contains(document.activeElement) ? identify(document.activeElement) : "" };
  });
  document.addEventListener("htmx:load", (event) => {
    if (!kept || event.detail.elt.id !== "live") return;
    for (const one of event.detail.elt.querySelectorAll("summary, a, button, [tabindex]")) {
      const name = identify(one);
      if (one.tagName === "SUMMARY" && kept.opened.has(name)) one.parentElement.open = kept.opened.get(name);
      if (name === kept.focus) one.focus({ preventScroll: true });
    }
    kept = null;
  });
  document.addEventListener("change", (event) => {
    const all = event.target.closest("input[data-check-all]");
    if (all) document.querySelectorAll(`input[name="${all.dataset.checkAll}"]`).forEach((box) => { box.checked = all.checked; });
  });
})();
