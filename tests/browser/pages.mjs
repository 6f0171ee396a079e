// Opens every kind of page in Chromium, on a phone and on a desk, light, dark and on paper. Fails on any violation of
// WCAG 2 A and AA that axe-core finds, any request that leaves the host, any error or blocked content, anything wider than
// the screen, and any link or field that Tab does not reach in its order with a visible focus. Saves screenshots.
//
// node tests/browser/pages.mjs NEWSFOLD MODULES SCREENSHOTS [PART OF A PAGE'S NAME]

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as world from './world.mjs';

const [binary, modules, screenshots] = process.argv.slice(2, 5).map((argument) => resolve(argument));
const only = process.argv[5] ?? '';
const require = createRequire(join(modules, 'index.js'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const SCREENS = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'];

const faults = [];
function tell(fault) {
  faults.push(fault);
  console.error(fault);
}
let opened = 0;
let rulesPassed = 0;

/** What can be reached by Tab, in order of the document. */
const FOCUSABLE = 'a[href], button, input, select, summary, [tabindex="0"]';

async function tabThrough(page, fault) {
  const expected = await page.evaluate((focusable) => {
    const all = [...document.querySelectorAll(focusable)].filter((element) => element.checkVisibility());
    all.forEach((element, place) => { element.dataset.place = place; });
    return all.length;
  }, FOCUSABLE);
  for (let place = 0; place < Math.min(expected, 80); place++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      const box = document.activeElement.getBoundingClientRect();
      return {
        place: Number(document.activeElement.dataset.place ?? -1),
        first: document.activeElement.className === 'skip',
        visible: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.right > 0 && box.bottom > 0,
      };
    });
    if (at.place !== place) return fault(`Tab number ${place} reaches element ${at.place}`);
    if (place === 0 && !at.first) return fault('the link to the content is not the first that Tab reaches');
    if (!at.visible) return fault(`the focus cannot be seen at element ${place}`);
  }
}

async function checkFolds(page, fault) {
  const folds = page.locator('summary');
  for (let place = 0; place < await folds.count(); place++) {
    const fold = folds.nth(place);
    if (!await fold.isVisible()) continue;
    await fold.focus();
    await page.keyboard.press('Enter');
    if (!await fold.evaluate((element) => element.parentElement.open)) fault(`Enter does not open fold ${place}`);
  }
}

/** The page, as far as somebody looks through it. */
async function save(page, name) {
  await page.evaluate(() => document.activeElement.blur());
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const { width } = page.viewportSize();
  const clip = { x: 0, y: 0, width, height: Math.min(height, 2000) };
  await page.screenshot({ path: join(screenshots, `${name}.png`), clip, fullPage: true });
}

/** What axe-core finds by these rules. */
async function violations(page, only, fault) {
  const found = await page.evaluate((runOnly) => axe.run(document, { runOnly, resultTypes: ['violations'] }), only);
  rulesPassed += found.passes.length;
  for (const { id, help, nodes } of found.violations) {
    fault(`axe: ${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`);
  }
}

/** How it is on paper: without the menu, and with all that is folded on the screen. */
async function print(page, name, fault) {
  await page.setViewportSize({ width: 794, height: 1123 });
  await page.emulateMedia({ media: 'print', colorScheme: 'light' });
  await page.evaluate(() => document.querySelectorAll('details').forEach((fold) => { fold.open = false; }));
  if (await page.locator('header nav').isVisible()) fault('the menu is printed');
  const hidden = await page.evaluate(() => [...document.querySelectorAll('details > :not(summary)')]
    .filter((element) => !element.checkVisibility({ contentVisibilityAuto: false })).length);
  if (hidden) fault(`${hidden} folded parts are not printed`);
  await save(page, `${name}-print`);
}

async function check(browser, base, path, name, status = 200) {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    const fault = (what) => tell(`${name} (${path}) on a ${screen}: ${what}`);
    const context = await browser.newContext({ viewport, colorScheme: 'light', reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.on('request', (request) => {
      if (!request.url().startsWith(`${base}/`)) fault(`asks for ${request.url()}`);
    });
    page.on('console', (message) => {
      const expected = status !== 200 && message.text().includes(`status of ${status}`);
      if (['error', 'warning'].includes(message.type()) && !expected) fault(`the console says ${message.text()}`);
    });
    page.on('pageerror', (error) => fault(`error ${error}`));
    const answer = await page.goto(base + path, { waitUntil: 'load' });
    opened++;
    if (answer.status() !== status) fault(`answers ${answer.status()}`);
    if ((await answer.text()).includes('secret')) fault('gives a secret away');
    if (await page.evaluate(() => document.scripts.length + document.querySelectorAll('[style], style').length)) {
      fault('has scripts or styles of its own');
    }
    await tabThrough(page, fault);
    await save(page, `${name}-${screen}`);
    await checkFolds(page, fault);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 1) fault(`is ${wide} pixels wider than the screen`);
    await page.evaluate(axe);
    await violations(page, RULES, fault);
    await page.emulateMedia({ colorScheme: 'dark' });
    await violations(page, ['color-contrast', 'link-in-text-block'], (what) => fault(`in the dark, ${what}`));
    await save(page, `${name}-${screen}-dark`);
    if (screen === 'desk') await print(page, name, fault);
    await context.close();
  }
}

async function main() {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  try {
    const [demo, trouble] = await Promise.all([world.demo(binary), world.trouble(binary)]);
    const pages = [
      [demo.base, '/', 'demo-front'],
      [demo.base, '/?outlets=3', 'demo-outlets'],
      [demo.base, '/?q=train&tag=world', 'demo-search'],
      [demo.base, demo.story, 'demo-story'],
      [demo.base, '/sources', 'demo-sources'],
      [demo.base, '/sources/1', 'demo-source'],
      [demo.base, '/health', 'demo-health'],
      [demo.base, '/feeds', 'demo-feeds'],
      [trouble.base, '/', 'front'],
      [trouble.base, '/?q=nothing+of+the+kind&outlets=4&lang=en', 'nothing'],
      [trouble.base, '/?q=***', 'signs'],
      [trouble.base, '/?page=7', 'older'],
      [trouble.base, '/?outlets=x', 'wrong', 400],
      [trouble.base, '/nowhere', 'nowhere', 404],
      [trouble.base, '/sources', 'sources'],
      [trouble.base, '/health', 'health'],
      [trouble.base, '/feeds', 'feeds'],
      ...trouble.stories.slice(0, 6).map((story, place) => [trouble.base, story, `story-${place + 1}`]),
      ...Array.from({ length: trouble.sources }, (_, place) => [trouble.base, `/sources/${place + 1}`, `source-${place + 1}`]),
    ];
    for (const [base, path, name, status] of pages.filter(([, , name]) => name.includes(only))) {
      await check(browser, base, path, name, status);
    }
    console.log(`${opened} pages opened, ${rulesPassed} rules of axe-core passed, ${faults.length} faults`);
  } finally {
    await browser.close();
    world.end();
  }
  process.exitCode = faults.length === 0 && opened > 0 ? 0 : 1;
}

await main();
