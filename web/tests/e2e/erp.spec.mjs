// The demo's ERP beside its folder: how old and how far proven it is, where the two differ, and a person who decides.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { getJson, openPage, serviceInStep, startBrowser, startDemo, undecided, until } from './harness.mjs';

let demo;
let browser;
let view;
let page;
let erp; // the id of the ERP's source

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  view = await openPage(browser);
  page = view.page;
  erp = (await serviceInStep(demo)).id;
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const press = async (...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};

// What the server says of this difference now; nothing when the sources agree.
async function differenceNow({ order, field, line }) {
  const list = await getJson(demo.address, `/api/v1/differences?order=${encodeURIComponent(order)}&field=${field}&limit=1000`);
  return list.data.find((one) => one.line === line);
}

describe('an ERP beside the folder', { timeout: 180_000 }, () => {
  it('Today names the age of both and counts what differs', async () => {
    await page.goto(demo.address);
    await page.locator('.sources-line li', { hasText: new RegExp(`${erp}\\s*\\d+ (s|min) ago`) }).waitFor();
    await page.locator('.card', { hasText: 'Differences' }).waitFor();
  });

  it('Sources shows the streams, what they are verified by, their last syncs and calls', async () => {
    await press('g', 's');
    const card = page.getByRole('article', { name: `Source ${erp}` });
    await card.locator('.stream').first().waitFor();
    await card.locator('.source-head', { hasText: 'in step' }).waitFor();
    const orders = card.getByRole('region', { name: 'Stream orders', exact: true });
    await orders.locator('.verified').waitFor();
    await orders.getByText('Last syncs of orders').click();
    await orders.locator('tbody tr').first().waitFor();
    await card.getByText(/^Calls by kind/).click();
    await card.getByRole('region', { name: 'Calls by kind' }).locator('tbody tr').first().waitFor();
    await card.getByText('What this ERP can do').click();
  });

  it('it is synced now, paused, and runs again', async () => {
    const card = page.getByRole('article', { name: `Source ${erp}` });
    const source = async () => (await getJson(demo.address, '/api/v1/sources')).data.find((one) => one.id === erp);
    const count = (await source()).refresh.count;
    await card.getByRole('button', { name: 'Sync now' }).click();
    await until('another sync has ended', async () => (await source()).refresh.count > count);
    await card.getByRole('button', { name: 'Pause', exact: true }).click();
    await card.locator('.source-head', { hasText: 'paused' }).waitFor();
    await card.getByRole('button', { name: 'Resume', exact: true }).click();
    await card.locator('.source-head', { hasText: 'in step' }).waitFor();
  });

  it('x lets the other side count, the row stays, u takes it back', async () => {
    await undecided(demo);
    await press('g', 'd');
    const rows = page.locator('.difference');
    await rows.first().waitFor();
    await press('j');
    const active = page.locator('.difference.is-active');
    const order = await active.locator('.difference-order').textContent();
    const title = await active.locator('.difference-field').textContent();
    const counted = await active.locator('.side[aria-pressed=true] .side-source').textContent();
    const row = (await getJson(demo.address, `/api/v1/differences?order=${encodeURIComponent(order)}&decided=0&limit=1000`)).data[0];
    await press('x');
    await page.locator('.toast', { hasText: order }).waitFor();
    await page.waitForFunction((old) => !document.querySelector('.difference.is-active .side[aria-pressed=true] .side-source')?.textContent.startsWith(old), counted.split(',')[0]);
    assert.equal(await active.locator('.difference-order').textContent(), order, `the row of ${title} stays`);
    await until('the server has the decision', async () => (await differenceNow(row))?.decided_by);
    await press('u');
    await until('the rule counts again', async () => (await differenceNow(row))?.decided_by === null);
  });

  it('the order shows both values and where each comes from, and one is chosen there', async () => {
    const row = await undecided(demo);
    const other = row.values.find((value) => value.source !== row.counts).source;
    await page.goto(`${demo.address}/orders/${encodeURIComponent(row.order)}`);
    const part = page.locator('.order-differences');
    await part.waitFor();
    assert.ok((await page.locator('.facts .origin').count()) > 0, 'values say where they come from');
    const item = part.locator('li').nth((await getJson(demo.address, `/api/v1/orders/${encodeURIComponent(row.order)}`)).order.differences.findIndex((one) => one.field === row.field && one.line === row.line));
    await item.locator('.side', { hasText: other }).click();
    await item.getByRole('button', { name: /^Take back/ }).waitFor();
    assert.equal((await differenceNow(row))?.counts, other);
    await item.getByRole('button', { name: /^Take back/ }).click();
    await item.getByRole('button', { name: /^Take back/ }).waitFor({ state: 'detached' });
    await until('the rule counts again', async () => (await differenceNow(row))?.decided_by === null);
  });

  it('the panel of a value names the source it comes from', async () => {
    await press('i');
    await page.locator('.provenance-value .origin').first().waitFor();
    await press('Escape');
  });

  it('the browser had nothing to complain about', () => {
    assert.deepEqual(view.complaints, []);
  });
});
