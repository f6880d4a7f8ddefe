// How fast the screens are for a person: paint, blocking and layout shift on the demo company, scrolling and typing over
// 100,000 orders. Real program, real browser, no throttling.
//
//   node tests/bench/web_vitals.mjs [--loads 5] [--live-seconds 30] [--orders 100000] [--json]
//
// Prints one line per bar; exit 1 when one is short. `--json` prints the same as one JSON list for ./dev bench.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { binary, getJson, openPage, startBrowser, startDemo, until } from '../e2e/harness.mjs';

const { values } = parseArgs({
  options: {
    loads: { type: 'string', default: '5' },
    'live-seconds': { type: 'string', default: '30' },
    orders: { type: 'string', default: '100000' },
    json: { type: 'boolean', default: false },
  },
});
const rows = []; // { name, unit, value, bar }
const report = (name, unit, value, bar) => {
  rows.push({ name, unit, value: Math.round(value * 1000) / 1000, bar });
  if (!values.json) console.log(`${value <= bar ? 'pass ' : 'short'} ${name.padEnd(44)} ${value.toFixed(3).padStart(9)} ${unit} (bar ${bar})`);
};
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const percentile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))];

// Runs in the page before anything else: remembers what the browser measures.
const observe = () => {
  const seen = { lcp: 0, cls: 0, long: [] };
  globalThis.vitals = seen;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (seen.lcp = entry.startTime))).observe({ type: 'largest-contentful-paint', buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => !entry.hadRecentInput && (seen.cls += entry.value))).observe({ type: 'layout-shift', buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => seen.long.push([entry.startTime, entry.duration]))).observe({ type: 'longtask', buffered: true });
};

// Time to interactive as Lighthouse defines it, over the first two seconds: after the first paint and the last long task.
const measure = () => {
  const fcp = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity;
  const { lcp, cls, long } = globalThis.vitals;
  const loaded = performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd;
  const scripts = performance.getEntriesByType('resource').filter((one) => /\.js$/.test(new URL(one.name).pathname));
  return {
    fcp,
    lcp,
    cls,
    tti: Math.max(fcp, loaded, ...long.map(([start, duration]) => start + duration)),
    tbt: long.filter(([start, duration]) => start + duration > fcp).reduce((sum, [, duration]) => sum + Math.max(0, duration - 50), 0),
    chart: performance.getEntriesByName('first chart')[0]?.startTime ?? null,
    scriptBytes: scripts.reduce((sum, one) => sum + one.encodedBodySize, 0),
  };
};

async function loadOnce(browser, address, path, ready) {
  const view = await openPage(browser);
  await view.page.addInitScript(observe);
  await view.page.goto(address + path);
  await view.page.locator(ready).first().waitFor();
  await view.page.waitForTimeout(2000);
  const found = await view.page.evaluate(measure);
  return { ...found, view };
}

async function paintOfDemo(browser) {
  const demo = await startDemo({ orders: 3000 });
  try {
    for (const [name, path, ready] of [
      ['today', '/', '.card'],
      ['orders', '/orders', '.grid-body [role=row]:not([hidden])'],
      ['cash', '/cash', '.balance-line'],
    ]) {
      const loads = [];
      await (await loadOnce(browser, demo.address, path, ready)).view.close(); // the browser's own first start is not ours
      for (let at = 0; at < Number(values.loads); at += 1) {
        const one = await loadOnce(browser, demo.address, path, ready);
        await one.view.close();
        loads.push(one);
      }
      const of = (key) => median(loads.map((one) => one[key]));
      report(`${name}: first contentful paint`, 's', of('fcp') / 1000, 0.6);
      report(`${name}: largest contentful paint`, 's', of('lcp') / 1000, 0.9);
      report(`${name}: time to interactive`, 's', of('tti') / 1000, 1.0);
      report(`${name}: total blocking time`, 'ms', of('tbt'), 50);
      if (loads[0].chart !== null) report(`${name}: first chart painted`, 's', of('chart') / 1000, 0.5);
      report(`${name}: script of the route, compressed`, 'KB', of('scriptBytes') / 1000, 45);
    }
    await layoutShiftUnderChanges(browser, demo);
  } finally {
    await demo.stop();
  }
}

// Changes twenty order files a second beside the demo's own ticking.
async function layoutShiftUnderChanges(browser, demo) {
  const list = await getJson(demo.address, '/api/v1/orders?format=json&limit=200&sort=-due,order');
  const places = { '/': '.card', '/orders': '.grid-body [role=row]:not([hidden])', '/cash': '.balance-line' };
  const views = await Promise.all(Object.entries(places).map(([path, ready]) => loadOnce(browser, demo.address, path, ready)));
  const end = Date.now() + Number(values['live-seconds']) * 1000;
  let changes = 0;
  while (Date.now() < end) {
    const file = join(demo.data, 'orders', list.data[changes % list.data.length].path);
    const text = await readFile(file, 'utf8').catch(() => null); // the ERP moved it
    if (text !== null) await writeFile(file, `${text.trimEnd().replace(/("UnitPrice":\s*)"?[\d.]+"?/, `$1${((changes * 7) % 900) + 1}.5`)}\n`);
    changes += 1;
    await new Promise((done) => setTimeout(done, 50));
  }
  for (const [at, name] of ['today', 'orders', 'cash'].entries()) {
    const found = await views[at].view.page.evaluate(measure);
    report(`${name}: layout shift, ${changes} live changes`, '', found.cls, 0.02);
    await views[at].view.close();
  }
}

// ---- a long list

const head = 'OrderNo,CustomerCode,CustomerName,OrderDate,DueDate,Currency,LineNo,ItemCode,Quantity,OpenQuantity,UnitPrice,LineTotal,Tax';

async function writeOrders(folder, count) {
  const perFile = 1000;
  for (let first = 0; first < count; first += perFile) {
    const lines = [head];
    for (let order = first; order < Math.min(count, first + perFile); order += 1) {
      const day = String(1 + (order % 28)).padStart(2, '0');
      const customer = (order * 7919) % 800;
      const quantity = 1 + (order % 9);
      lines.push(`SO${100000 + order},C${customer},Customer ${customer} Ltd,2026-0${1 + (order % 6)}-${day},2026-0${4 + (order % 6)}-${day},EUR,1,ITEM-${order % 5000},${quantity},${order % 3},2.50,${(quantity * 2.5).toFixed(2)},0.00`);
    }
    await mkdir(join(folder, 'Open'), { recursive: true });
    await writeFile(join(folder, 'Open', `orders-${first}.csv`), `${lines.join('\r\n')}\r\n`);
  }
}

async function startServer(orders, data) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_')));
  const program = spawn(binary, ['serve', '--data', data, '--orders', orders, '--listen', '127.0.0.1:0'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  program.stderr.on('data', (part) => (said += part));
  const address = await until('the server says its address', () => /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? new Promise((done) => setTimeout(done, 20)).then(() => null), 60_000);
  return { address, stop: () => new Promise((done) => program.on('exit', done) && program.kill('SIGTERM')) };
}

async function scroll(page) {
  const box = await page.locator('.grid').first().boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.evaluate(() => {
    const frames = [];
    let last = performance.now();
    const tick = (time) => {
      frames.push(time - last);
      last = time;
      globalThis.frameRequest = requestAnimationFrame(tick);
    };
    globalThis.frames = frames;
    globalThis.frameRequest = requestAnimationFrame(tick);
  });
  for (let turn = 0; turn < 400; turn += 1) {
    await page.mouse.wheel(0, turn % 100 < 90 ? 120 : -600); // a notch of the wheel, and quick ways back
    await page.waitForTimeout(16);
  }
  return page.evaluate(() => {
    cancelAnimationFrame(globalThis.frameRequest);
    return globalThis.frames.slice(2);
  });
}

// From the key to the frame in which the list of that text stands.
async function type(page, text) {
  const times = [];
  await page.locator('#search').focus();
  for (const letter of text) {
    await page.evaluate(() => {
      globalThis.painted = new Promise((done) => {
        let start = 0;
        document.querySelector('#search').addEventListener('keydown', () => (start = performance.now()), { once: true, capture: true });
        const watch = new MutationObserver(() => {
          if (start === 0) return;
          watch.disconnect();
          requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
        });
        watch.observe(document.querySelector('.grid-body'), { subtree: true, childList: true, characterData: true, attributes: true });
      });
    });
    await page.keyboard.press(letter);
    times.push(await page.evaluate(() => globalThis.painted));
    await page.waitForTimeout(250);
  }
  return times;
}

async function longList(browser) {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-vitals-'));
  const count = Number(values.orders);
  await writeOrders(join(folder, 'orders'), count);
  const server = await startServer(join(folder, 'orders'), join(folder, 'data'));
  try {
    await until('all orders are read', async () => (await getJson(server.address, '/api/v1/orders?limit=1')).total === count || new Promise((done) => setTimeout(done, 200)).then(() => false), 180_000);
    const view = await openPage(browser);
    await view.page.goto(`${server.address}/orders`);
    await view.page.locator('.grid-body [role=row]:not([hidden])').first().waitFor();
    await view.page.waitForTimeout(500);
    const frames = await scroll(view.page);
    report(`scrolling ${count} orders: frame p95`, 'ms', percentile(frames, 0.95), 17);
    report(`scrolling ${count} orders: longest frame`, 'ms', Math.max(...frames), 50);
    await view.page.evaluate(() => document.querySelector('.grid').scrollTo(0, 0));
    const times = [...(await type(view.page, '10423')), ...(await type(view.page, '7'))];
    report(`typing over ${count} orders: key to paint, median`, 'ms', median(times), 100);
    report(`typing over ${count} orders: key to paint, longest`, 'ms', Math.max(...times), 100);
    if (view.complaints.length > 0) throw new Error(view.complaints.join('\n'));
    await view.close();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const browser = await startBrowser();
try {
  await paintOfDemo(browser);
  await longList(browser);
} finally {
  await browser.close();
}
if (values.json) console.log(JSON.stringify(rows));
process.exitCode = rows.every((row) => row.value <= row.bar) ? 0 : 1;
