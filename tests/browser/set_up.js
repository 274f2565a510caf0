// From the code on the sticker to the first recording at the CRM, and one more change after that.
"use strict";
const { asked, walk } = require("./walk.js");

walk(async ({ page, look, report }) => {
  const press = async name => {
    await page.getByRole("button", { name, exact: true }).click();
    await page.waitForLoadState();
  };
  const on = step => page.waitForURL(`**/setup${step}`);
  // Anything else leads to the set-up.
  await page.goto(asked.url + "/calls");
  await on("");
  await look("1-language");
  await press("English");
  await on("/password");
  await page.getByLabel("Code of this box").fill("aaaaa-aaaaa-aaaaa-aaaaa");
  const choose = async () => {
    await page.getByLabel("The password that you want").fill(asked.password);
    await page.getByLabel("The same once more").fill(asked.password);
    await press("Begin");
  };
  await choose();
  await page.getByText("This is not the code of this box").waitFor();
  await look("2-wrong-code");
  await page.getByLabel("Code of this box").fill(asked.code.toUpperCase().replaceAll("-", " "));
  await choose();
  await on("/network");
  await look("3-network");
  await press("Go on");
  await on("/clock");
  await page.getByLabel(/Time zone/).fill("Europe/Nowhere");
  await press("Go on");
  await look("4-clock-wrong");
  await page.getByLabel(/Time zone/).fill("Europe/Berlin");
  await press("Go on");
  await on("/pbx");
  await look("5-pbx");
  // A wrong key: what was typed stays, the secret is kept and not shown.
  await page.getByLabel("Address").fill(asked.pbx.url);
  await page.getByLabel("Client ID").fill(asked.pbx.client_id);
  await page.getByLabel("API key").fill("not the key");
  await press("Check and go on");
  await page.getByText("It did not work yet").waitFor();
  await look("5-pbx-refused");
  if (await page.getByLabel("Address").inputValue() !== asked.pbx.url) throw new Error("the address was not kept");
  if (await page.getByLabel("API key").inputValue() !== "") throw new Error("the secret was shown again");
  await page.getByLabel("API key").fill(asked.pbx.secret);
  await press("Check again");
  await page.getByText("only the key with this fingerprint").waitFor();
  await look("5-pbx-fingerprint");
  await press("It is this phone system: go on");
  await on("/target");
  await look("6-targets");
  await page.getByRole("link", { name: /^Webhook/ }).click();
  await page.getByLabel("Address").fill("ftp://x");
  await page.getByLabel("Signing secret").fill(asked.crm.secret);
  await press("Check and go on");
  await page.getByText("is no address").first().waitFor();
  await look("6-target-wrong");
  await page.getByLabel("Address").fill(asked.crm.url);
  await press("Check and go on");
  await on("/mqtt");
  if (asked.mqtt) {
    await look("7-mqtt");
    await page.getByLabel("Address").fill(asked.mqtt.url);
    await press("Check and go on");
  } else {
    await press("Go on without a broker");
  }
  await on("/test");
  await look("8-begins");
  await page.getByText("A call arrived").waitFor();
  await look("8-waits");
  await page.getByText("The first recording is where it belongs").waitFor({ timeout: 120000 });
  report.first_recording_ms = Date.now() - asked.began_ms;
  await page.getByText("checks are well").waitFor();
  await look("8-first-recording");
  await page.getByRole("link", { name: "Go on" }).click();
  await on("/done");
  await look("9-done");
  await press("Finish the set-up");
  await page.waitForURL(url => url.pathname === "/");
  await look("10-state");
  // The set-up is over.
  await page.goto(asked.url + "/setup/pbx");
  await page.waitForURL(url => url.pathname === "/");
  // The same forms, with what was typed.
  await page.goto(asked.url + "/settings");
  await look("11-settings");
  await page.goto(asked.url + "/settings/pbx");
  if (await page.getByLabel("Address").inputValue() !== asked.pbx.url) throw new Error("the address is not shown");
  await look("12-settings-pbx");
  await page.goto(asked.url + "/settings/clock");
  await page.getByLabel(/Time zone/).fill("Europe/Vienna");
  await press("Save");
  // The box begins anew; whoever is logged in stays so, and no request finds the door locked.
  const starts = () => require("fs").readFileSync(asked.log, "utf8").split("the page is at").length - 1;
  const end = Date.now() + 60000;
  for (let after = 0; after < 2; ) {
    await page.goto(asked.url + "/settings/clock");
    const value = await page.getByLabel(/Time zone/).inputValue();
    if (value !== "Europe/Vienna" || Date.now() > end) throw new Error(`after the change: ${value}, ${starts()} starts`);
    after += starts() >= 3;
  }
  await page.goto(asked.url + "/settings/restart");
  await look("13-restart");
});
