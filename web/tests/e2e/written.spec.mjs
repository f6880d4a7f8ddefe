// What people write on an order: in place, by keyboard, with the way back, and two people who see each other.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { axeViolations, getJson, openPage, sizes, startBrowser, startDemo, until } from './harness.mjs';

let demo;
let browser;
let order;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  order = (await getJson(demo.address, '/api/v1/orders?open_amount=gt.0&limit=1')).data[0].order;
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const written = async () => {
  const { overlay } = await getJson(demo.address, `/api/v1/orders/${order}/overlay`);
  return Object.fromEntries(overlay.fields.map((one) => [one.field, one.value]));
};
const patch = (version, fields) =>
  fetch(`${demo.address}/api/v1/orders/${order}/overlay`, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json', 'If-Match': version },
    body: JSON.stringify(fields),
  });

describe('what people write on an order', { timeout: 180_000 }, () => {
  it('is edited in place without a mouse, shown with its author, and undone', async () => {
    const { page, close } = await openPage(browser);
    await page.goto(`${demo.address}/orders/${order}`);
    await page.getByRole('button', { name: 'Edit note' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('call first');
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.written form').count(), 0, 'Escape leaves the field');
    await page.getByRole('button', { name: 'Edit hold' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('paint is late');
    await page.keyboard.press('Enter');
    await until('the hold is shown', async () => (await page.locator('.written').innerText()).includes('paint is late'));
    assert.deepEqual(await written(), { hold: 'paint is late' });
    assert.match(await page.locator('.written').innerText(), /local admin/);
    await page.locator('.written summary').click();
    await page.getByRole('button', { name: /^Undo edit/ }).first().click();
    await until('the hold is gone', async () => (await written()).hold === undefined);
    await close();
  });

  it('shows both values where somebody else wrote first, and writes mine when I insist', async () => {
    const { page, close } = await openPage(browser);
    await page.goto(`${demo.address}/orders/${order}`);
    await page.getByRole('button', { name: 'Edit priority' }).click();
    await page.locator('.written select').selectOption('7');
    assert.equal((await patch('*', { priority: 3 })).status, 200);
    await page.getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog', { name: 'Somebody else wrote there' });
    await dialog.waitFor();
    assert.match(await dialog.innerText(), /3/);
    assert.equal((await written()).priority, '3', 'nothing was written yet');
    assert.deepEqual(await axeViolations(page), []);
    await page.getByRole('button', { name: 'Write mine' }).click();
    await until('mine stands', async () => (await written()).priority === '7');
    await close();
  });

  for (const theme of ['light', 'dark'])
    it(`has no violation on a phone, ${theme}, while a field is edited`, async () => {
      const { page, close } = await openPage(browser, { size: sizes.phone, theme });
      await page.goto(`${demo.address}/orders/${order}`);
      await page.getByRole('button', { name: 'Edit note' }).click();
      await page.locator('.written textarea').waitFor();
      await page.locator('.written summary').click();
      await page.locator('.written-edits li').first().waitFor();
      assert.deepEqual(await axeViolations(page), []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `the page is ${wide} px too wide`);
      await close();
    });
});
