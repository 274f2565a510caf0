// Every page that links lead to, as somebody sees it: on four screens, in the dark, in German, with longer words and
// from right to left; by keyboard alone; without scripts. Nothing may be wider than its screen, lie over something
// else, be too small for a finger or out of a keyboard's reach, and axe-core must find nothing serious.
//
// Started by tests/browser.rs with one argument, a JSON with what it must know; prints one JSON line.
"use strict";
const fs = require("fs");
const path = require("path");
const asked = JSON.parse(process.argv[2]);
const need = name => require(path.join(asked.modules, name));
const { chromium } = need("playwright-core");
const axe = fs.readFileSync(path.join(asked.modules, "axe-core", "axe.min.js"), "utf8");

const phone = { width: 360, height: 640 }, narrow = { width: 320, height: 640 }, desktop = { width: 1280, height: 800 };
const VIEWS = [
  { name: "desktop", viewport: desktop, axe: true, keys: true },
  { name: "tablet", viewport: { width: 768, height: 1024 } },
  { name: "phone", viewport: phone, axe: true, keys: true },
  { name: "narrow", viewport: narrow },
  { name: "dark", viewport: desktop, dark: true, axe: true },
  { name: "german", viewport: narrow, locale: "de-DE", axe: true },
  { name: "german-desktop", viewport: desktop, locale: "de-DE" },
  { name: "longer", viewport: narrow, locale: "en-XA" },
  { name: "longer-desktop", viewport: desktop, locale: "en-XA" },
  { name: "mirrored", viewport: phone, locale: "ar-XB" },
  { name: "mirrored-desktop", viewport: desktop, locale: "ar-XB" },
];

const report = { took_ms: 0, pages: [], foreign: [], wide: [], trouble: [] };

// Runs in the page: what is wrong with its layout. The debugger may look where the page's own policy lets no script in.
const LAYOUT = `(() => {
  const wrong = [], root = document.documentElement;
  if (root.scrollWidth > innerWidth) {
    const wide = [...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll,.away,pre") &&
      (e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1)).slice(-3);
    wrong.push("wide: " + root.scrollWidth + " of " + innerWidth + " " + wide.map(e => e.outerHTML.slice(0, 120)).join(" | "));
  }
  const hidden = e => !e || e.closest(".away,[hidden],option,svg,head") || !e.checkVisibility({ visibilityProperty: true });
  const clipped = e => { for (; e; e = e.parentElement) if (/inset/.test(getComputedStyle(e).clipPath)) return true; return false; };
  // Two texts on one spot. What scrolls in its own box lies behind nothing.
  const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.data.trim() || hidden(node.parentElement) || clipped(node.parentElement) || node.parentElement.closest(".scroll,pre,#lost")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) if (r.width > 1) texts.push([r, node]);
  }
  for (let i = 0; i < texts.length; i++) for (let j = i + 1; j < texts.length; j++) {
    const [a, one] = texts[i], [b, two] = texts[j];
    if (one === two) continue;
    const w = Math.min(a.right, b.right) - Math.max(a.left, b.left), h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (w > 3 && h > Math.min(a.height, b.height) / 2) wrong.push("over each other: " + one.data.trim().slice(0, 40) + " | " + two.data.trim().slice(0, 40));
  }
  // Targets for a finger (WCAG 2.5.8): 24 by 24, but for links within a sentence.
  for (const e of document.querySelectorAll("a[href],button,input:not([type=hidden]),select,textarea,summary")) {
    if (hidden(e) || clipped(e) || e.matches("[tabindex='-1']")) continue;
    const r = e.getBoundingClientRect();
    const within = e.tagName === "A" && getComputedStyle(e).display === "inline";
    const label = e.labels && e.labels[0] && e.labels[0].getBoundingClientRect();
    const size = label && /checkbox|radio/.test(e.type) ? Math.max(r.height, label.height) : r.height;
    if (!within && (size < 23.5 || r.width < 23.5)) wrong.push("small: " + Math.round(r.width) + "x" + Math.round(r.height) + " " + e.outerHTML.slice(0, 100));
  }
  return JSON.stringify(wrong);
})()`;

const AXE = `axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } }).then(r =>
  JSON.stringify(r.violations.filter(v => v.impact === "serious" || v.impact === "critical")
    .map(v => v.id + " " + v.nodes.map(n => n.target.join(" ")).join(", "))))`;

// Runs in the page: what the keyboard must reach, each with a mark, and what has it now.
const REACH = `(() => {
  const all = [...document.querySelectorAll("a[href],button:not(:disabled),input:not([type=hidden]):not(:disabled),select,textarea,summary,audio[controls],[tabindex='0']")]
    .filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.matches("[tabindex='-1']") &&
      !(e.type === "radio" && !e.checked && document.querySelector("input[name='" + e.name + "']:checked")));
  all.forEach((e, n) => e.setAttribute("data-walk", n));
  return all.length;
})()`;
const FOCUS = `(() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const s = getComputedStyle(e), r = e.getBoundingClientRect();
  const seen = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 || e.tagName === "AUDIO";
  const over = r.bottom <= 0 || r.top >= innerHeight;
  return JSON.stringify([e.getAttribute("data-walk"), seen, over, e.outerHTML.slice(0, 100)]);
})()`;

// Addresses that differ in a number or a query alone are one page.
const kind = address => new URL(address).pathname.replace(/\d+/g, "N");

async function main() {
  const browser = await chromium.launch({
    executablePath: asked.chromium,
    // No other host is there.
    args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"],
  });
  const open = async (view, storageState) => {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true, viewport: view.viewport, colorScheme: view.dark ? "dark" : "light",
      locale: view.locale || "en-GB", javaScriptEnabled: !view.plain, storageState,
      extraHTTPHeaders: view.locale ? { "Accept-Language": view.locale } : {},
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    page.setDefaultTimeout(60000);
    page.on("request", request => {
      const to = new URL(request.url());
      if (to.protocol !== "data:" && to.origin !== new URL(asked.url).origin) report.foreign.push(request.url());
    });
    page.on("pageerror", error => report.trouble.push(`${page.url()}: ${error}`));
    page.on("console", message => {
      if (message.type() === "error" && !/Failed to load resource|net::ERR/.test(message.text())) report.trouble.push(`${page.url()}: ${message.text()}`);
    });
    return { context, page, session: await context.newCDPSession(page) };
  };
  const evaluate = async (session, expression) => {
    const run = await session.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (run.exceptionDetails) throw new Error(JSON.stringify(run.exceptionDetails.exception));
    return run.result.value;
  };
  const look = async ({ page, session }, view, who, name) => {
    const where = `${view.name} ${who} ${name}`;
    const folder = path.join(asked.pictures, view.name);
    fs.mkdirSync(folder, { recursive: true });
    const file = `${who}-${name.replace(/^\//, "").replace(/[^A-Za-z0-9]+/g, "-") || "first"}.png`;
    await page.screenshot({ path: path.join(folder, file), fullPage: true });
    const seen = { name: where, path: new URL(page.url()).pathname, serious: [] };
    report.pages.push(seen);
    for (const wrong of JSON.parse(await evaluate(session, LAYOUT))) report.wide.push(`${where}: ${wrong}`);
    if (view.axe) {
      await evaluate(session, axe);
      seen.serious = JSON.parse(await evaluate(session, AXE));
    }
    if (view.keys) await keys({ page, session }, where);
  };
  const keys = async ({ page, session }, where) => {
    const all = await evaluate(session, REACH), reached = new Set();
    await evaluate(session, "document.activeElement && document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)");
    for (let n = 0; n < all * 2 + 20; n++) {
      await page.keyboard.press("Tab");
      const now = await evaluate(session, FOCUS);
      if (!now) { if (reached.size >= all) break; continue; }
      const [mark, seen, over, html] = JSON.parse(now);
      if (!seen) report.wide.push(`${where}: focus can't be seen: ${html}`);
      if (over) report.wide.push(`${where}: focus is out of sight: ${html}`);
      if (mark !== null) reached.add(mark);
      if (reached.size >= all) break;
    }
    if (reached.size < all) {
      const left = await evaluate(session, `JSON.stringify([...document.querySelectorAll("[data-walk]")].filter(e => !${JSON.stringify([...reached])}.includes(e.getAttribute("data-walk"))).map(e => e.outerHTML.slice(0, 90)))`);
      // What a live update has exchanged meanwhile bears no mark any more.
      if (left !== "[]") report.wide.push(`${where}: the keyboard does not reach ${left}`);
    }
  };
  const logIn = async (view, person) => {
    const box = await open(view);
    await box.page.goto(asked.url + "/login");
    await box.page.fill("#name", person.name);
    await box.page.fill("#password", person.password);
    await box.page.locator("form[action='/login'] button").click();
    await box.page.waitForURL(url => !url.pathname.startsWith("/login"));
    const state = await box.context.storageState();
    await box.context.close();
    return state;
  };
  // All pages that links lead to, one of each kind.
  const found = async state => {
    const { page, context } = await open(VIEWS[0], state);
    const known = new Map(), left = [asked.url + "/"];
    while (left.length && known.size < 60) {
      const at = left.shift();
      if (known.has(kind(at))) continue;
      const answer = await page.goto(at, { waitUntil: "domcontentloaded" }).catch(() => null);
      if (!answer || !/html/.test(answer.headers()["content-type"] || "")) { known.set(kind(at), null); continue; }
      known.set(kind(at), at);
      known.set(kind(page.url()), at);
      left.push(...await page.$$eval("a[href]:not([download])", all => all.map(a => a.href)));
      for (let n = left.length - 1; n >= 0; n--) if (!left[n].startsWith(asked.url)) left.splice(n, 1);
    }
    await context.close();
    return [...new Set([...known.values()].filter(Boolean))].map(at => at.slice(asked.url.length));
  };

  const whoms = [];
  for (const person of asked.people) {
    const state = await logIn(VIEWS[0], person);
    whoms.push({ who: person.who, state, paths: [...await found(state), ...(person.more || [])] });
  }
  const only = asked.views ? VIEWS.filter(view => asked.views.includes(view.name)) : VIEWS;
  for (const view of only) {
    const nobody = await open(view);
    for (const at of asked.outside) {
      await nobody.page.goto(asked.url + at);
      await look(nobody, view, "nobody", at);
    }
    await nobody.context.close();
    for (const { who, state, paths } of whoms) {
      const box = await open(view, state);
      for (const at of paths) {
        await box.page.goto(asked.url + at);
        await look(box, view, who, at);
      }
      await box.context.close();
    }
  }
  // Without scripts: logging in, every page, and its words.
  const plain = { name: "plain", viewport: phone, plain: true };
  const { who, paths } = whoms[0];
  const state = await logIn(plain, asked.people[0]);
  const box = await open(plain, state);
  for (const at of paths) {
    await box.page.goto(asked.url + at);
    const words = await box.page.locator("body").innerText();
    if (await box.page.locator("h1").count() !== 1 || words.length < 60) report.trouble.push(`${at} without scripts: ${words.slice(0, 100)}`);
    report.pages.push({ name: `plain ${who} ${at}`, path: at, serious: [] });
  }
  await browser.close();
}

const began = Date.now();
main().catch(error => report.trouble.push(String(error && error.stack || error))).finally(() => {
  report.took_ms = Date.now() - began;
  console.log(JSON.stringify(report));
  process.exit(0);
});
