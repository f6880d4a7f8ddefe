// The first quarter of an hour of a planner: open, filter, sort, open an order, see where a value comes from, change its
// file and watch, break a file and mend it, export.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { getJson, openPage, serviceInStep, startBrowser, startDemo, unzip, until } from './harness.mjs';

let demo;
let browser;
let view;
let page;
let chosen; // an open order whose only document is a JSON file

// The demo's ERP goes on working; a file that a person has touched it leaves alone.
async function claim(row) {
  const file = join(demo.data, 'orders', row.path);
  try {
    await writeFile(file, `${await readFile(file, 'utf8')}\n`, { flag: 'r+' });
  } catch (error) {
    if (error.code === 'ENOENT') return null; // the ERP moved it at this moment
    throw error;
  }
  const { order } = await getJson(demo.address, `/api/v1/orders/${row.order}`);
  return order.path === row.path ? file : null;
}

async function chooseOrder() {
  const list = await getJson(demo.address, '/api/v1/orders?format=json&open_amount=gt.0&flagged=false&limit=100&sort=order');
  for (const row of list.data) {
    const { order } = await getJson(demo.address, `/api/v1/orders/${row.order}`);
    const line = order.lines_data.findIndex((one) => one.open_amount.minor > 0 && Number(one.open_quantity) >= 2);
    if (order.documents.length !== 1 || line < 0) continue;
    const file = await claim(row);
    if (file !== null) return { row, line, file };
  }
  throw new Error('The demo company has no open order with one JSON document that its ERP does not know.');
}

before(async () => {
  demo = await startDemo({ orders: 3000 }); // most orders are in the ERP too, whose values would count
  browser = await startBrowser();
  view = await openPage(browser);
  page = view.page;
  await serviceInStep(demo);
  chosen = await chooseOrder();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const rows = () => page.locator('.grid-body [role=row]:not([hidden])');

describe('a planner looks for the first time', { timeout: 180_000 }, () => {
  it('opens the page and sees today', async () => {
    await page.goto(demo.address);
    await page.getByRole('heading', { name: 'Today' }).waitFor();
    await page.locator('.card').first().waitFor();
    await page.locator('.freshness').getByText(/live|all fresh/).waitFor();
  });

  it('filters the orders, and Back undoes the filter', async () => {
    await page.getByRole('navigation').getByRole('link', { name: 'Orders' }).click();
    await rows().first().waitFor();
    await page.keyboard.press('f');
    await page.getByRole('button', { name: 'Status', exact: true }).click();
    await page.locator('.filter-form input').fill(chosen.row.status);
    await page.keyboard.press('Enter');
    await page.waitForURL(/status=/);
    const { total } = await getJson(demo.address, `/api/v1/orders?status=${encodeURIComponent(chosen.row.status)}&limit=1`);
    assert.ok(total > 0);
    await page.locator('.chip').waitFor();
    await page.goBack();
    await page.locator('.chip').waitFor({ state: 'detached' });
  });

  it('sorts by open amount, largest first', async () => {
    const title = page.getByRole('columnheader', { name: /^Open amount/ });
    await title.click();
    await page.waitForURL(/sort=open_amount/);
    await title.click();
    await page.waitForURL(/sort=-open_amount/);
    await page.locator('[role=columnheader][aria-sort=descending]').waitFor();
    const largest = await getJson(demo.address, '/api/v1/orders?sort=-open_amount&limit=1');
    await page.getByRole('link', { name: largest.data[0].order, exact: true }).first().waitFor();
  });

  it('searches and opens the order beside the list', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type(chosen.row.order);
    await page.keyboard.press('Enter');
    await page.waitForURL(/q=/);
    await page.getByRole('link', { name: chosen.row.order, exact: true }).first().click();
    await page.locator('.order-panel .headline-fact').first().waitFor();
    assert.equal(await page.locator('.order-panel .order-number').textContent(), chosen.row.order);
  });

  it('sees the file and the place a value comes from', async () => {
    await page.getByRole('button', { name: 'Where does the open amount come from?' }).click();
    const dialog = page.getByRole('dialog', { name: 'Where this comes from' });
    await dialog.locator('.input').first().waitFor();
    const text = await dialog.textContent();
    assert.ok(text.includes(chosen.row.path), `the file is named: ${text}`);
    assert.match(text, /line \d+/);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  it('sees a changed file without a reload', async () => {
    const shown = page.locator('.order-panel .headline-fact').first().locator('.amount');
    const amountBefore = await shown.textContent();
    await page.evaluate(() => (globalThis.notReloaded = true));
    const document = JSON.parse(await readFile(chosen.file, 'utf8'));
    const line = document.DocumentLines[chosen.line];
    line.RemainingOpenQuantity = 1;
    delete line.OpenAmount;
    const started = Date.now();
    await writeFile(chosen.file, JSON.stringify(document, null, 2));
    await page.waitForFunction(
      (old) => document.querySelector('.order-panel .headline-fact .amount')?.textContent !== old,
      amountBefore,
    );
    console.log(`  file to screen: ${Date.now() - started} ms`);
    assert.equal(await page.evaluate(() => globalThis.notReloaded), true);
    const { order } = await getJson(demo.address, `/api/v1/orders/${chosen.row.order}`);
    assert.equal(order.lines_data[chosen.line].open_quantity, '1');
  });

  it('sees a broken file as a rejection, mends it and replays it', async () => {
    const good = await readFile(chosen.file, 'utf8');
    await page.getByRole('navigation').getByRole('link', { name: 'Sources' }).click();
    await page.getByRole('heading', { name: /^Rejections/ }).waitFor();
    await writeFile(chosen.file, good.slice(0, Math.floor(good.length / 2)));
    const row = page.locator(`tr[data-path="${chosen.row.path}"]`).first();
    await row.waitFor();
    assert.notEqual((await row.locator('.reason').textContent()).trim(), '');
    const kept = await getJson(demo.address, `/api/v1/orders/${chosen.row.order}`);
    assert.equal(kept.order.lines_data[chosen.line].open_quantity, '1', 'the last good content stays');
    await row.getByRole('button', { name: /^Replay/ }).click();
    await page.getByText('is being read again').first().waitFor();
    await writeFile(chosen.file, good);
    await row.waitFor({ state: 'detached' });
  });

  it('exports all rows of the filter, as many as the list says', async () => {
    await page.goto(`${demo.address}/orders?open_amount=gt.0&sort=due`);
    await rows().first().waitFor();
    const take = async (name) => {
      await page.keyboard.press('e');
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name, exact: true }).click(),
      ]);
      assert.match(download.suggestedFilename(), /^orders_\d{4}-\d{2}-\d{2}/);
      return readFile(await download.path());
    };
    // The demo company goes on selling: count only when nothing changed in between.
    await until('CSV and XLSX have as many rows as the list', async () => {
      const first = await getJson(demo.address, '/api/v1/orders?open_amount=gt.0&limit=1');
      const csv = (await take('CSV')).toString('utf8').trimEnd().split(/\r?\n/);
      const xlsx = unzip(await take('XLSX'), 'xl/worksheets/sheet1.xml');
      const last = await getJson(demo.address, '/api/v1/orders?open_amount=gt.0&limit=1');
      if (first.as_of !== last.as_of) return false;
      assert.match(csv.at(-1), new RegExp(`^# rows: ${first.total},`));
      assert.equal(csv.length - 2, first.total);
      assert.equal((xlsx.match(/<row /g) ?? []).length - 1, first.total);
      return true;
    }, 60_000);
  });

  it('the browser had nothing to complain about', () => {
    assert.deepEqual(view.complaints, []);
  });
});
