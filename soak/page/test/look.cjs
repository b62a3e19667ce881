// look.cjs PAGE FOLDER BROWSER: opens the page in a browser without a screen, wide and narrow, light and dark; saves a
// picture of each in FOLDER, and prints as JSON what it saw. Needs playwright-core in NODE_PATH.
"use strict";
const { chromium } = require("playwright-core");

const views = [
  { name: "light", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { name: "phone-light", colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true },
  { name: "phone-dark", colorScheme: "dark", viewport: { width: 390, height: 844 }, isMobile: true },
];

// Runs in the page.
function measure() {
  const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const part = (c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const contrast = (element) => {
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(element))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const texts = [...document.querySelectorAll("h1, h2, h3, p, td, th, summary, pre, strong, .u-legend th")];
  const drawn = [...document.querySelectorAll("canvas")].map((canvas) => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const colours = new Set();
    for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] > 0) colours.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]);
    return colours.size;
  });
  return {
    charts: Number(document.body.dataset.charts), points: Number(document.body.dataset.points), colours_of_charts: drawn,
    ground: light(rgb(getComputedStyle(document.body).backgroundColor)), least_contrast: Math.min(...texts.map(contrast)),
    faintest: texts.map((element) => [contrast(element), element.outerHTML.slice(0, 80)]).sort((a, b) => a[0] - b[0])[0],
    wider_than_screen: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    wider_than_box: Math.max(...[...document.querySelectorAll(".chart")].map((box) => box.scrollWidth - box.clientWidth)),
    text: document.body.innerText,
  };
}

(async () => {
  const [page, folder, browserPath] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
  const seen = [];
  for (const { name, ...options } of views) {
    const context = await browser.newContext(options);
    const tab = await context.newPage();
    const errors = [], outside = [];
    tab.on("console", (message) => { if (["error", "warning"].includes(message.type())) errors.push(message.text()); });
    tab.on("pageerror", (error) => errors.push(String(error)));
    tab.on("request", (request) => { if (!/^(file|data):/.test(request.url())) outside.push(request.url()); });
    await context.setOffline(true);
    await tab.goto("file://" + page);
    await tab.waitForFunction(() => document.body.dataset.charts !== undefined, null, { timeout: 20000 });
    // A picture of all makes the window larger, and the plots with it: what a reader gets is measured before.
    seen.push({ name, errors, outside, ...(await tab.evaluate(measure)) });
    await tab.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    await context.close();
  }
  await browser.close();
  console.log(JSON.stringify(seen));
})().catch((error) => { console.error(error); process.exit(1); });
