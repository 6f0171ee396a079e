// Opens every kind of page in Chromium at phone and desktop size, in light and dark mode, and in print. Fails on
// violations of WCAG 2 A and AA that axe-core finds, requests to other hosts, errors and blocked content, content wider
// than the screen, and elements that Tab does not reach in document order with a visible focus. Saves screenshots.
//
// Usage: node tests/browser/pages.mjs NEWSFOLD MODULES SCREENSHOTS [NAME]
// With NAME, the script checks only pages whose names contain NAME.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as instances from './instances.mjs';

const [binary, modules, screenshots] = process.argv.slice(2, 5).map((argument) => resolve(argument));
const only = process.argv[5] ?? '';
const require = createRequire(join(modules, 'index.js'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const SCREENS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'];

const faults = [];
function report(fault) {
  faults.push(fault);
  console.error(fault);
}
let opened = 0;
let rulesPassed = 0;

/** The elements that Tab must reach, in document order. */
const FOCUSABLE = 'a[href], button, input, select, summary, [tabindex="0"]';

async function tabThrough(page, fault) {
  const expected = await page.evaluate((focusable) => {
    const all = [...document.querySelectorAll(focusable)].filter((element) => element.checkVisibility());
    all.forEach((element, index) => { element.dataset.index = index; });
    return all.length;
  }, FOCUSABLE);
  for (let index = 0; index < Math.min(expected, 80); index++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      const box = document.activeElement.getBoundingClientRect();
      return {
        index: Number(document.activeElement.dataset.index ?? -1),
        isSkipLink: document.activeElement.className === 'skip',
        visible: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.right > 0 && box.bottom > 0,
      };
    });
    if (at.index !== index) return fault(`Tab ${index} reaches element ${at.index}`);
    if (index === 0 && !at.isSkipLink) return fault('Tab does not reach the skip link first');
    if (!at.visible) return fault(`the focus is not visible at element ${index}`);
  }
}

async function checkFolds(page, fault) {
  const folds = page.locator('summary');
  for (let index = 0; index < await folds.count(); index++) {
    const fold = folds.nth(index);
    if (!await fold.isVisible()) continue;
    const isOpen = () => fold.evaluate((element) => element.parentElement.open);
    const before = await isOpen();
    await fold.focus();
    await page.keyboard.press('Enter');
    if (await isOpen() === before) fault(`Enter does not open or close fold ${index}`);
    if (before) await page.keyboard.press('Enter');
  }
}

/** Saves a screenshot of the first 2,000 pixels. */
async function save(page, name) {
  await page.evaluate(() => document.activeElement.blur());
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const { width } = page.viewportSize();
  const clip = { x: 0, y: 0, width, height: Math.min(height, 2000) };
  await page.screenshot({ path: join(screenshots, `${name}.png`), clip, fullPage: true });
}

/** Reports the violations of these rules that axe-core finds. */
async function violations(page, only, fault) {
  const found = await page.evaluate((runOnly) => axe.run(document, { runOnly, resultTypes: ['violations'] }), only);
  rulesPassed += found.passes.length;
  for (const { id, help, nodes } of found.violations) {
    fault(`axe: ${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`);
  }
}

/** Checks the print layout: no menu, and folded parts are expanded, except the evidence. */
async function print(page, name, fault) {
  await page.setViewportSize({ width: 794, height: 1123 });
  await page.emulateMedia({ media: 'print', colorScheme: 'light' });
  await page.evaluate(() => document.querySelectorAll('details').forEach((fold) => { fold.open = false; }));
  if (await page.locator('header nav').isVisible()) fault('the navigation menu is printed');
  const hidden = await page.evaluate(() => [...document.querySelectorAll('details:not(form *, .evidence) > :not(summary)')]
    .filter((element) => !element.checkVisibility({ contentVisibilityAuto: false })).length);
  if (hidden) fault(`${hidden} folded parts are not printed`);
  await save(page, `${name}-print`);
}

async function check(browser, base, path, name, status = 200) {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    const fault = (what) => report(`${name} (${path}) on a ${screen}: ${what}`);
    const context = await browser.newContext({ viewport, colorScheme: 'light', reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.on('request', (request) => {
      if (!request.url().startsWith(`${base}/`)) fault(`requests ${request.url()}`);
    });
    page.on('console', (message) => {
      const expected = status !== 200 && message.text().includes(`status of ${status}`);
      if (['error', 'warning'].includes(message.type()) && !expected) fault(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => fault(`error ${error}`));
    const response = await page.goto(base + path, { waitUntil: 'load' });
    opened++;
    if (response.status() !== status) fault(`responds with ${response.status()}`);
    if ((await response.text()).includes(instances.SECRET)) fault('contains a secret');
    if (await page.evaluate(() => document.scripts.length + document.querySelectorAll('[style], style').length)) {
      fault('contains inline scripts or styles');
    }
    await tabThrough(page, fault);
    await save(page, `${name}-${screen}`);
    await checkFolds(page, fault);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 1) fault(`is ${wide} pixels wider than the screen`);
    await page.evaluate(axe);
    await violations(page, RULES, fault);
    await page.emulateMedia({ colorScheme: 'dark' });
    await violations(page, ['color-contrast', 'link-in-text-block'], (what) => fault(`in dark mode, ${what}`));
    await save(page, `${name}-${screen}-dark`);
    if (screen === 'desktop') await print(page, name, fault);
    await context.close();
  }
}

async function main() {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  try {
    const [demo, hostile] = await Promise.all([instances.startDemo(binary), instances.startHostile(binary)]);
    const pages = [
      [demo.base, '/', 'demo-index'],
      [demo.base, '/?outlets=3', 'demo-outlets'],
      [demo.base, '/?q=train&tag=world', 'demo-search'],
      [demo.base, demo.story, 'demo-story'],
      [demo.base, demo.story.replace('stories', 'storylines'), 'demo-storyline'],
      [demo.base, '/sources', 'demo-sources'],
      [demo.base, '/sources/1', 'demo-source'],
      [demo.base, '/health', 'demo-health'],
      [demo.base, '/feeds', 'demo-feeds'],
      [demo.base, '/feeds/top', 'demo-feed'],
      [hostile.base, '/', 'index'],
      [hostile.base, '/?q=nothing+of+the+kind&outlets=4&lang=en', 'nothing'],
      [hostile.base, '/?q=***', 'no-words'],
      [hostile.base, '/?page=7', 'older'],
      [hostile.base, '/?outlets=x', 'invalid', 400],
      [hostile.base, '/nowhere', 'not-found', 404],
      [hostile.base, '/sources', 'sources'],
      [hostile.base, '/sources?show=problems', 'sources-with-problems'],
      [hostile.base, '/health', 'health'],
      [hostile.base, '/feeds', 'feeds'],
      [hostile.base, '/feeds/energy', 'feed-without-stories'],
      [hostile.base, hostile.storyline, 'storyline'],
      ...hostile.stories.slice(0, 6).map((story, index) => [hostile.base, story, `story-${index + 1}`]),
      ...Array.from({ length: hostile.sources }, (_, index) => [hostile.base, `/sources/${index + 1}`, `source-${index + 1}`]),
    ];
    for (const [base, path, name, status] of pages.filter(([, , name]) => name.includes(only))) {
      await check(browser, base, path, name, status);
    }
    console.log(`${opened} pages opened, ${rulesPassed} rules of axe-core passed, ${faults.length} faults`);
  } finally {
    await browser.close();
    instances.stopAll();
  }
  process.exitCode = faults.length === 0 && opened > 0 ? 0 : 1;
}

await main();
