// What every walk through the page in a real browser shares: a phone, screenshots, axe-core, and a report at the end.
//
// A walk is started by tests/browser.rs with one argument, a JSON with what it must know; it prints one JSON line.
"use strict";
const fs = require("fs");
const path = require("path");
const asked = JSON.parse(process.argv[2]);
const need = name => require(path.join(asked.modules, name));
const { chromium } = need("playwright-core");
const axe = fs.readFileSync(path.join(asked.modules, "axe-core", "axe.min.js"), "utf8");

exports.asked = asked;

exports.walk = async steps => {
  const report = { took_ms: 0, pages: [], foreign: [], wide: [], trouble: [] };
  const browser = await chromium.launch({ executablePath: asked.chromium, args: ["--no-sandbox"] });
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: asked.width || 390, height: 844 },
    deviceScaleFactor: 1.5,
    javaScriptEnabled: asked.script !== false,
    colorScheme: asked.dark ? "dark" : "light",
    locale: asked.locale || "en-GB",
    bypassCSP: false,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  page.on("request", request => {
    const to = new URL(request.url());
    if (to.protocol !== "data:" && to.origin !== new URL(asked.url).origin) report.foreign.push(request.url());
  });
  page.on("pageerror", error => report.trouble.push(String(error)));
  page.on("console", message => {
    const said = message.text();
    // While the box begins anew nobody answers for a moment, and a form that is refused has a status that says so.
    if (message.type() === "error" && !/Failed to load resource|net::ERR/.test(said)) report.trouble.push(said);
  });
  // A look at the page as it is: a picture, its width, and what axe-core finds serious.
  const look = async name => {
    fs.mkdirSync(asked.pictures, { recursive: true });
    await page.screenshot({ path: path.join(asked.pictures, `${name}.png`), fullPage: true });
    const seen = { name, path: new URL(page.url()).pathname, serious: [] };
    if (asked.script !== false) {
      const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      if (width[0] > width[1]) report.wide.push(`${name}: ${width[0]} of ${width[1]}`);
      // The page's own policy lets no script in but its own; the debugger's may.
      const session = await context.newCDPSession(page);
      await session.send("Runtime.evaluate", { expression: axe });
      const run = await session.send("Runtime.evaluate", {
        expression: "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations.map(v => [v.id, v.impact, v.nodes.map(n => n.target.join(' '))])))",
        awaitPromise: true, returnByValue: true,
      });
      const found = JSON.parse(run.result.value || "[]");
      seen.serious = found.filter(([, impact]) => impact === "serious" || impact === "critical").map(v => v.join(" "));
      seen.minor = found.length - seen.serious.length;
    }
    report.pages.push(seen);
  };
  const began = Date.now();
  try {
    await steps({ page, context, look, report });
  } catch (error) {
    report.trouble.push(`${page.url()}: ${error}`);
    await page.screenshot({ path: path.join(asked.pictures, "trouble.png"), fullPage: true }).catch(() => {});
    report.text = await page.locator("body").innerText().catch(() => "");
  }
  report.took_ms = Date.now() - began;
  await browser.close();
  console.log(JSON.stringify(report));
};
