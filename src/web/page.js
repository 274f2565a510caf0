"use strict";
// Shows times in the browser's zone and keeps the page up to date.
(() => {
  const main = document.querySelector("main"), lost = document.getElementById("lost");
  const tag = document.documentElement.lang, lang = tag === "en" ? "en-GB" : tag;
  const filled = (text, value) => text.replace("{0}", value);
  const format = exact => new Intl.DateTimeFormat(lang, Object.assign(
    { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }, exact && { year: "numeric", second: "2-digit" }));
  const short = format(), exact = format(true);
  const localize = root => root.querySelectorAll("time").forEach(t => {
    t.textContent = ("exact" in t.dataset ? exact : short).format(new Date(t.dateTime));
  });
  const zone = document.getElementById("zone");
  if (zone) zone.textContent = filled(zone.dataset.zone, Intl.DateTimeFormat().resolvedOptions().timeZone);
  localize(document);

  // Only what has changed is exchanged, never what somebody types into or has marked.
  const patch = (old, now) => {
    now.querySelectorAll("details[id]").forEach(d => {
      const known = document.getElementById(d.id);
      d.open = known ? known.open : d.open;
    });
    const focus = document.activeElement, inside = old.contains(focus);
    if (old.innerHTML === now.innerHTML || inside && /INPUT|TEXTAREA|SELECT/.test(focus.tagName)) return;
    const id = inside && (focus.id || focus.parentNode.id);
    old.className = now.className;
    old.innerHTML = now.innerHTML;
    const again = id && document.getElementById(id);
    if (again) (again.tagName === "DETAILS" ? again.firstElementChild : again).focus();
  };
  const swap = html => {
    lost.hidden = true;
    seen = Date.now();
    if (!getSelection().isCollapsed) return;
    const next = document.createElement("main");
    next.innerHTML = html;
    localize(next);
    const ids = root => [...root.children].map(c => c.id).join();
    if (ids(main) === ids(next)) [...main.children].forEach((old, n) => patch(old, next.children[n]));
    else main.replaceChildren(...next.childNodes);
  };
  let seen = Date.now();
  const fail = () => {
    if (Date.now() - seen < 15000) return;
    lost.textContent = filled(lost.dataset.lost, new Date(seen).toLocaleTimeString(lang));
    lost.hidden = false;
  };
  const poll = () => fetch(location.pathname + (location.search ? location.search + "&" : "?") + "auto").then(answer => {
    if (answer.redirected) return location.reload();
    if (!answer.ok) throw answer;
    return answer.text().then(text => swap(new DOMParser().parseFromString(text, "text/html").querySelector("main").innerHTML));
  }).catch(fail).finally(() => setTimeout(poll, pause));
  const pause = main.dataset.poll * 1000 || 10000;
  if (main.dataset.poll) return void setTimeout(poll, pause);

  if (!main.dataset.live) return;
  setInterval(fail, 5000);
  const stream = new EventSource(main.dataset.live);
  stream.addEventListener("main", event => swap(event.data));
  stream.addEventListener("same", () => { lost.hidden = true; seen = Date.now(); });
  stream.addEventListener("end", () => { stream.close(); location.reload(); });
  stream.onerror = () => {
    fail();
    if (stream.readyState === EventSource.CLOSED) poll();
  };
})();
