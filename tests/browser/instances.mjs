// Starts two instances of newsfold on loopback: the demo, and an instance with broken and hostile sources.

import { spawn, execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The password and the token of the hostile sources. No article of the demo contains it, unlike the word "secret". */
export const SECRET = 'Zq7secretW4';

const children = [];
const servers = [];

/** Stops all processes and servers. */
export function stopAll() {
  for (const child of children) child.kill('SIGINT');
  for (const server of servers) server.close();
}

/** Polls a condition until it holds, for at most two minutes. */
async function waitUntil(description, condition) {
  const deadline = Date.now() + 120_000;
  for (;;) {
    if (await condition().catch(() => false)) return;
    if (Date.now() > deadline) throw new Error(`timeout after two minutes, waiting until ${description}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A free port. */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts a server for one source, because a hold applies to all sources of a server. */
function startServer(answer) {
  return new Promise((resolve) => {
    const server = createServer(answer).listen(0, '127.0.0.1', () => {
      servers.push(server);
      resolve(server.address().port);
    });
  });
}

async function text(url) {
  const answer = await fetch(url);
  return answer.ok ? answer.text() : '';
}

/** Starts the demo, and waits until one of its stories has all eight outlets. */
export async function startDemo(binary) {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  children.push(spawn(binary, ['demo', '--listen', `127.0.0.1:${port}`], { stdio: ['ignore', 'pipe', 'inherit'] }));
  children.at(-1).stdout.resume();
  const largest = async () => (await text(`${base}/?outlets=8`)).match(/\/stories\/\w+/)?.[0];
  await waitUntil('a story of the demo has eight outlets', largest);
  return { base, story: await largest() };
}

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

// Undated items in the first document of a source would not be published.
const startedAt = new Date();

function rss(title, lang, items) {
  const item = ([guid, title, text, link]) => `<item><guid isPermaLink="false">${guid}</guid><title>${escape(title)}</title>
    <link>${escape(link ?? `https://news.example/${guid}`)}</link><description>${escape(text ?? '')}</description><pubDate>${startedAt.toUTCString()}</pubDate></item>`;
  return `<rss version="2.0"><channel><title>${escape(title)}</title><language>${lang}</language>${items.map(item).join('')}</channel></rss>`;
}

/** Starts newsfold with sources that pages must handle: hostile text, errors, holds, right-to-left script. */
export async function startHostile(binary) {
  let polls = 0;
  const grid = (title) => ['grid', title, 'Power went out in Veshna and in all the villages along the coast, and the repairs will take days.'];
  const feeds = [
    ['wire.example', () => rss('The Wire', 'en', [grid(polls++ < 2 ? 'Grid fails in the north' : 'Grid fails in the whole north, minister resigns')])],
    ['copy.example', () => rss('Copies & Sons', 'en', [grid('Grid fails in the north'), ['x', 'Museum opens its doors']])],
    ['echo.example', () => rss('Echo', 'en', [grid('Grid fails in the north')])],
    ['arabic.example', () => rss('الأخبار العربية', 'ar', [['1', 'المجلس البلدي يوافق على خطة المياه الجديدة للمدينة', 'يبدأ العمل في الربيع بعد سنوات من الانتظار']])],
    ['hostile.example', () => rss('<script>alert(1)</script>', 'zz', [
      ['1', '<img src=x onerror=alert(2)> "quoted" & \u202Ereversed', '<b style="x">bold</b> summary', 'javascript:alert(3)'],
      ['2', 'x'.repeat(300), 'y'.repeat(2000)],
      ['3', 'A', ''],
    ])],
    ['broken.example', () => '<rss><channel><title>Broken & bare<item><title>Half an item & no end</title><guid>1</guid>'],
    ['page.example', () => '<!doctype html><title>Not a feed</title><p>Hello'],
    ['gone.example', (answer) => { answer.statusCode = 410; return ''; }],
    ['throttled.example', (answer) => { answer.statusCode = 429; answer.setHeader('retry-after', '7200'); return ''; }],
    ['failing.example', (answer) => { answer.statusCode = 500; return ''; }],
  ];
  const folder = mkdtempSync(join(tmpdir(), 'newsfold-pages-'));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  writeFileSync(join(folder, 'config.toml'), `
[serve]
listen = "127.0.0.1:${port}"
[publish]
base_url = "${base}/"
title = "The folded news"
delay = "0s"
[[publish.feeds]]
name = "energy"
title = "Energy & <power>"
tags = ["energy", "climate"]
languages = ["en"]
query = "grid OR \\"power plant\\""
min_outlets = 2
max_age = "7d"
[poll]
interval = "2s"
average_interval = "2s"
[fetch]
min_origin_delay = "0s"
allowed_networks = ["127.0.0.0/8"]
[cluster]
recluster_interval = "0s"
`);
  const options = ['--config', join(folder, 'config.toml'), '--database', join(folder, 'news.db')];
  for (const [outlet, answer] of feeds) {
    const at = await startServer((request, response) => response.end(answer(response)));
    const url = `http://ann:${SECRET}@127.0.0.1:${at}/feed?token=${SECRET}`;
    execFileSync(binary, ['source', 'add', url, '--no-fetch', '--outlet', outlet, '--tag', outlet.length % 2 ? 'energy' : 'world', ...options]);
  }
  children.push(spawn(binary, ['serve', ...options], { stdio: ['ignore', 'ignore', 'pipe'] }));
  children.at(-1).stderr.resume();
  const revised = async () => {
    const story = (await text(`${base}/?q=grid`)).match(/\/stories\/\w+/)?.[0];
    return story && (await text(base + story)).includes('earlier headline') && story;
  };
  await waitUntil('a headline has been changed', revised);
  await waitUntil('every source has been polled', async () => !(await text(`${base}/sources`)).includes('>never<'));
  const stories = [...(await text(`${base}/`)).matchAll(/\/stories\/\w+/g)].map((match) => match[0]);
  const ids = [...new Set(stories)].map((path) => path.split('/').pop());
  // Each of these stories is the only story in its storyline. The story and its storyline have the same ID.
  for (const id of ids.slice(1, 5)) execFileSync(binary, ['story', 'move', id, ids[0], ...options]);
  const storyline = `/storylines/${ids[0]}`;
  await waitUntil('the storyline has five stories', async () => (await text(base + storyline)).includes('5 stories'));
  return { base, story: await revised(), stories: ids.map((id) => `/stories/${id}`), storyline, sources: feeds.length };
}
