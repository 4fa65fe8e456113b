// Drives the console page in Debian's Chromium.
//
//   web/build.sh node "$PWD/tests/web/console_driver.mjs" URL COMMAND…
//
// Commands run in order; each prints one line of JSON, the first that fails
// ends the run with status 1.  In values \n, \t and \\ are understood.
//
//   wait-for-state=connected   until the page is in that state
//   wait-for-text=TEXT         until the server's screen shows TEXT
//   wait-for-gone=TEXT         until it does not
//   wait-for-page=TEXT         until the page itself says TEXT
//   wait-for-picture           until the screen has more than one colour
//   type=TEXT                  on the keyboard, into the screen
//   press=KEY                  one key by its name, such as Control+Alt+Delete
//   paste=TEXT                 by the page's dialog "Type text"
//   password=TEXT              by the page's dialog for one-time passwords
//   click=SELECTOR
//   text                       what the screen shows
//   page                       what the page says
//   pixel=X,Y                  a pixel's red, green, blue
//   value=EXPRESSION           of JavaScript in the page
//   screenshot=FILE            a PNG of the page
//   axe                        serious and critical findings of axe-core
//   open=URL                   go to another address
//   theme=dark|light
//
// Environment: CHROMIUM (/usr/bin/chromium), LIMIT (seconds for all, 60),
// WAIT (seconds for one wait, 30), FONT (a video BIOS to take the font from).
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { loadFont, readScreen } from "./readscreen.mjs";

const web = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = web("playwright-core");
const [url, ...commands] = process.argv.slice(2);
if (!url) {
  console.error("usage: console_driver.mjs URL COMMAND…");
  process.exit(2);
}
const LIMIT = Number(process.env.LIMIT ?? 60) * 1000;
const WAIT = Number(process.env.WAIT ?? 30) * 1000;
const say = (line) => console.log(JSON.stringify(line));

// nothing below may outlive this
const watchdog = setTimeout(() => {
  say({ error: `not done within ${LIMIT / 1000} s` });
  process.exit(3);
}, LIMIT);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
});
const page = await browser.newPage({ viewport: { width: 1000, height: 640 } });
page.setDefaultTimeout(WAIT);
const problems = [];
page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
page.on("console", (message) => {
  // the failure of a websocket to open is always reported so, and expected by some tests
  if (message.type() === "error" && !/WebSocket connection|Failed when connecting/.test(message.text())) {
    problems.push(message.text());
  }
});

let font;
const screen = async () => page.evaluate(readScreen, (font ??= loadFont(process.env.FONT)));
const body = () => page.evaluate(() => document.body.innerText);

async function until(what, look) {
  const end = Date.now() + WAIT;
  for (;;) {
    if (await look()) return true;
    if (Date.now() > end) throw new Error(`waited ${WAIT / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

// As hands do it: Shift is held for what needs it, or the machine sees the plain key.
async function strike(character) {
  const key = { "\n": "Enter", "\t": "Tab" }[character] ?? character;
  const shift = /^[A-Z~!@#$%^&*()_+{}|:"<>?]$/.test(character);
  if (shift) await page.keyboard.down("Shift");
  await page.keyboard.press(key, { delay: 20 });
  if (shift) await page.keyboard.up("Shift");
  await new Promise((resolve) => setTimeout(resolve, 20));
}

const DO = {
  "wait-for-state": (state) =>
    until(`state ${state}`, () => page.evaluate((wanted) => document.body.dataset.state === wanted, state)),
  "wait-for-text": async (text) => {
    await until(`"${text}" on the screen`, async () => ((await screen())?.text ?? "").includes(text));
    return (await screen()).text;
  },
  "wait-for-gone": (text) =>
    until(`"${text}" to go from the screen`, async () => !((await screen())?.text ?? text).includes(text)),
  // a page that is being left has no text
  "wait-for-page": (text) => until(`"${text}" on the page`, async () => (await body().catch(() => "")).includes(text)),
  "wait-for-picture": async () => {
    await until("a picture", async () => ((await screen())?.colours ?? 0) > 1);
    const { width, height, colours } = await screen();
    return { width, height, colours };
  },
  type: async (text) => {
    await page.focus("#screen canvas");
    for (const character of text) await strike(character);
  },
  press: async (key) => {
    await page.focus("#screen canvas");
    await page.keyboard.press(key, { delay: 40 });
  },
  paste: async (text) => {
    await page.click("#type");
    await page.fill("#typing-text", text);
    await page.click("#typing-send");
  },
  password: async (text) => {
    await page.fill("#asking-password", text);
    await page.press("#asking-password", "Enter");
  },
  click: (selector) => page.click(selector),
  text: async () => (await screen())?.text ?? null,
  page: body,
  pixel: (at) =>
    page.evaluate((place) => {
      const [x, y] = place.split(",").map(Number);
      const canvas = document.querySelector("#screen canvas");
      return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data].slice(0, 3);
    }, at),
  value: (expression) => page.evaluate(expression),
  screenshot: async (path) => void (await page.screenshot({ path })),
  axe: async () => {
    await page.evaluate(readFileSync(web.resolve("axe-core/axe.min.js"), "utf8"));
    const found = await page.evaluate(() => window.axe.run());
    return found.violations
      .filter((one) => one.impact === "serious" || one.impact === "critical")
      .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
  },
  open: async (address) => void (await page.goto(address)),
  theme: (colorScheme) => page.emulateMedia({ colorScheme }),
};

let status = 0;
try {
  await page.goto(url);
  for (const command of commands) {
    const [name, ...rest] = command.split("=");
    const escapes = { "\\n": "\n", "\\t": "\t", "\\\\": "\\" };
    const value = rest.join("=").replace(/\\[nt\\]/g, (found) => escapes[found]);
    if (!DO[name]) throw new Error(`no such command: ${name}`);
    say({ command: name, value: (await DO[name](value)) ?? null });
  }
} catch (error) {
  const seen = await Promise.all([body().catch(() => null), screen().catch(() => null)]);
  say({ error: error.message, page: seen[0], screen: seen[1] });
  status = 1;
}
say({ problems });
await Promise.race([browser.close(), new Promise((resolve) => setTimeout(resolve, 5000))]);
clearTimeout(watchdog);
process.exit(status);
