// Opens pages of `threadbare show --format html` in a headless Chromium, by its chromedriver: `node ci/test-page.mjs PAGE…`.
// Each is clicked through, searched and measured; screenshots land beside the pages.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import assert from "node:assert";

const MOST_BYTES = 2_000_000;
const MOST_MILLISECONDS = 2_000;
/** Milliseconds of the median frame while it scrolls by some rows each, on a slow machine without a graphics card. */
const MOST_FRAME = 100;
const ROWS_A_FRAME = 4;

const driver = spawn("chromedriver", ["--port=0"], { stdio: ["ignore", "pipe", "inherit"] });
const port = await new Promise((resolve, reject) => {
  driver.stdout.on("data", (text) => {
    const found = /successfully on port (\d+)/.exec(text);
    if (found) resolve(found[1]);
  });
  driver.on("error", reject);
  driver.on("exit", () => reject(new Error("chromedriver ended")));
});

async function call(method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
  const { value } = await answer.json();
  if (value?.error) throw new Error(`${path}: ${value.message}`);
  return value;
}

const sessions = new Set();
async function open(options) {
  const args = ["--headless=new", "--no-sandbox", "--disable-gpu", ...options];
  const capabilities = { browserName: "chrome", "goog:chromeOptions": { args }, "goog:loggingPrefs": { browser: "ALL" } };
  const { sessionId } = await call("POST", "/session", { capabilities: { alwaysMatch: capabilities } });
  const at = `/session/${sessionId}`;
  sessions.add(at);
  return {
    go: (url) => call("POST", `${at}/url`, { url }),
    run: (script, ...args) => call("POST", `${at}/execute/sync`, { script, args }),
    wait: (script, ...args) => call("POST", `${at}/execute/async`, { script, args }),
    keys: (text) => call("POST", `${at}/actions`, {
      actions: [{ type: "key", id: "keys", actions: [...text].flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]) }],
    }),
    log: () => call("POST", `${at}/se/log`, { type: "browser" }),
    shoot: async (path) => writeFileSync(path, Buffer.from(await call("GET", `${at}/screenshot`), "base64")),
    close: () => sessions.delete(at) && call("DELETE", at),
  };
}

const chosen = "return chosen.step";
const isInSight = "return [...document.querySelectorAll('.row.chosen')].some((row) => { const { top, bottom } = row.getBoundingClientRect(); const box = scroller.getBoundingClientRect(); return !row.hidden && top >= box.top && bottom <= box.bottom; })";

async function testPage(path) {
  const bytes = readFileSync(path).length;
  const url = pathToFileURL(path).href;
  const browser = await open(["--window-size=1400,900"]);
  await browser.go(url);
  const ready = await browser.run("return performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart");
  const steps = await browser.run("return count");
  assert(bytes < MOST_BYTES || steps > 10_000, `${bytes} bytes`);
  assert(ready < MOST_MILLISECONDS, `opened after ${ready} ms`);
  assert(await browser.run(isInSight), "the chosen step is in sight");
  assert(await browser.run("return document.querySelectorAll('.row').length < 120"), "only rows in sight are in the document");
  await browser.shoot(`${path}.wide.png`);

  // Keys.
  await browser.keys("g");
  const first = await browser.run(chosen);
  await browser.keys("j");
  assert((await browser.run(chosen)) > first, "j goes on");
  await browser.keys("k");
  assert.strictEqual(await browser.run(chosen), first);
  await browser.keys("n");
  assert(await browser.run("return steps.thread[chosen.step] !== steps.thread[view.rows[view.row[chosen.step] - 1]]"), "n goes to a switch");
  await browser.keys("G");
  assert.strictEqual(await browser.run(chosen), await browser.run("return view.rows.at(-1)"));
  assert(await browser.run(isInSight));

  // The search, from the keyboard.
  const word = await browser.run("return actionOf(chosen.step).split(' ')[0]");
  await browser.keys("g/");
  await browser.keys(`${word}\uE007`);
  assert(await browser.run("return hits.size > 0 && hits.has(chosen.step)"), `${word} is found`);
  await browser.keys("\uE00C");
  assert.strictEqual(await browser.run("return hits.size"), 0);

  // The address.
  const middle = await browser.run("return view.rows[view.rows.length >> 1]");
  await browser.go("about:blank");
  await browser.go(`${url}#step=${middle}`);
  assert.strictEqual(await browser.run(chosen), middle);
  assert(await browser.run(isInSight));

  // Clicks: a row, and every tab.
  const clicked = await browser.run("const row = [...document.querySelectorAll('.row')].filter((row) => !row.hidden)[3]; row.click(); return row.step");
  assert.strictEqual(await browser.run(chosen), clicked);
  assert.strictEqual(await browser.run("return location.hash"), `#step=${clicked}`);
  const tabs = await browser.run("return [...document.querySelectorAll('#tabs button')].map((tab) => tab.textContent)");
  for (const [index, name] of tabs.entries()) {
    await browser.run("document.querySelectorAll('#tabs button')[arguments[0]].click()", index);
    assert(await browser.run("return panel.textContent.length > 3"), `${name} shows something`);
    await browser.shoot(`${path}.${name.toLowerCase()}.png`);
  }

  // Scrolling.
  const frames = await browser.wait(`
    const far = arguments[0] * ROW;
    const done = arguments[1];
    const times = [];
    let last = performance.now();
    scroller.scrollTop = 0;
    function frame(now) {
      times.push(now - last);
      last = now;
      scroller.scrollTop += far;
      if (times.length < 60) requestAnimationFrame(frame); else done(times.slice(2).sort((a, b) => a - b));
    }
    requestAnimationFrame(frame);`, ROWS_A_FRAME);
  const median = frames[frames.length >> 1];
  assert(median < MOST_FRAME, `a frame takes ${median} ms`);
  const errors = (await browser.log()).filter(({ level }) => level === "SEVERE");
  assert.deepStrictEqual(errors, [], "nothing goes wrong, and nothing is forbidden by the page's policy");
  await browser.close();

  const phone = await open(["--window-size=390,844", "--blink-settings=preferredColorScheme=0"]);
  await phone.go(url);
  assert(await phone.run("return document.documentElement.scrollWidth <= innerWidth + 1"), "nothing is wider than a phone");
  await phone.shoot(`${path}.phone.png`);
  await phone.close();
  console.log(`${path}: ${steps} steps, ${bytes} bytes, opened in ${ready} ms, a frame takes ${median.toFixed(0)} ms`);
}

let status = 0;
try {
  for (const path of process.argv.slice(2)) await testPage(path);
} catch (error) {
  console.error(error);
  status = 1;
}
await Promise.allSettled([...sessions].map((at) => call("DELETE", at)));
driver.kill();
process.exit(status);
