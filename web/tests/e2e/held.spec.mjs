// A sync that would remove much: it is shown, rejected and accepted, with the keyboard alone.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { getJson, openPage, startBrowser, startFollowed, until } from './harness.mjs';

let plant; // the program and the ERP it follows
let browser;
let view;
let page;
const orders = 120;
const removed = 50;

before(async () => {
  plant = await startFollowed({ orders });
  browser = await startBrowser();
  view = await openPage(browser);
  page = view.page;
  await until('the ERP was read', async () => (await total()) === orders, 60_000);
});

after(async () => {
  await browser?.close();
  await plant?.stop();
});

const total = async () => (await getJson(plant.address, '/api/v1/orders?limit=1')).total;
const source = async () => (await getJson(plant.address, '/api/v1/sources')).data.find((one) => one.id === 'sap');
const held = () => page.getByRole('article', { name: 'Held sync of sap' });

// Tab after Tab until the element has the focus: what a person without a mouse does.
async function tabTo(locator, steps = 80) {
  for (let step = 0; step < steps; step += 1) {
    if (await locator.evaluate((element) => element === document.activeElement).catch(() => false)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('the keyboard does not get there');
}

async function decide(button, yes) {
  await tabTo(held().getByRole('button', { name: button }));
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByText(`${removed} of ${orders} orders would go`).waitFor();
  await tabTo(dialog.getByRole('button', { name: yes }));
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
}

describe('a sync that would remove much', { timeout: 60_000 }, () => {
  it('is shown with its numbers, and nothing has changed', async () => {
    await plant.tell(`/deed?what=remove&count=${removed}`);
    await plant.act('refresh');
    await until('the sync is held', async () => (await source()).state === 'held');
    await page.goto(`${plant.address}/sources`);
    await held().waitFor();
    await held().getByText('Nothing was changed.').waitFor();
    await held().getByText(`${removed} example`).waitFor();
    assert.equal(await total(), orders);
  });

  it('rejected, what is here stays, and the next look holds it again', async () => {
    const count = (await source()).refresh.count;
    await decide('Reject: keep what is here', 'Reject, keep what is here');
    await until('it was looked at again', async () => (await source()).refresh.count > count && (await source()).state === 'held');
    assert.equal(await total(), orders);
  });

  it('accepted, the orders leave the screen and the notice goes', async () => {
    await held().waitFor();
    await decide('Accept: the ERP is right', 'Accept, take it over');
    await held().waitFor({ state: 'detached' });
    await until('the orders are gone', async () => (await total()) === orders - removed);
    await until('the source is in step', async () => (await source()).state === 'polling');
  });

  it('the browser had nothing to complain about', () => {
    assert.deepEqual(view.complaints, []);
  });
});
