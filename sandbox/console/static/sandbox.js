// What a page without scripts does on the next request: words beside a slider, and parts that renew themselves.
"use strict";
(() => {
  document.documentElement.classList.toggle("scripted", Boolean(window.htmx));
  document.addEventListener("input", (event) => {
    const slider = event.target.closest("input[type=range]");
    if (!slider) return;
    const words = slider.value < 0 ? slider.dataset.unset : slider.value + slider.dataset.unit;
    slider.closest(".slider").querySelector("output").textContent = words;
    slider.setAttribute("aria-valuetext", words);
  });
  const isInUse = (part) => part.contains(document.activeElement) || part.matches(":active") ||
    (!getSelection().isCollapsed && part.contains(getSelection().anchorNode));
  const chat = () => document.querySelector(".chat");
  const isAtEnd = () => !chat() || chat().scrollHeight - chat().scrollTop - chat().clientHeight < 40;
  const showLatest = () => { if (chat()) chat().scrollTop = chat().scrollHeight; };
  // A part in which somebody works or reads stays as it is; only the traffic in it is renewed.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const renewed = fragment.querySelector(`#${target.id}`);
    const isRead = target.id === "inbox" && (!isAtEnd() || renewed?.textContent === target.textContent);
    if (!isRead && !isInUse(target)) return;
    event.detail.shouldSwap = false;
    renewed?.querySelectorAll("[data-now]").forEach((now) => document.getElementById(now.id)?.replaceWith(now));
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => { if (event.detail.target.id === "inbox") showLatest(); });
  document.addEventListener("htmx:load", (event) => { if (event.detail.elt === document.body) showLatest(); });
  showLatest();
})();
