// A source with a wrong password says so on the screen, and follows its ERP as soon as the file is put right.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { axeViolations, openPage, startBrowser, startFollowed } from './harness.mjs';

let plant;
let browser;
let view;
let page;

before(async () => {
  plant = await startFollowed({ orders: 40, password: 'not the one' });
  browser = await startBrowser();
  view = await openPage(browser);
  page = view.page;
});

after(async () => {
  await browser?.close();
  await plant?.stop();
});

const card = () => page.getByRole('article', { name: 'Source sap' });

describe('a source with a wrong password', { timeout: 60_000 }, () => {
  it('is shown with one sentence that says what to do', async () => {
    await page.goto(`${plant.address}/sources`);
    await card().getByText("The login of user 'manager' to company 'NORDWERK' was refused; correct user, password or company").waitFor();
    assert.deepEqual(await axeViolations(page), []);
  });

  it('follows its ERP when the file was put right, without a restart or a reload', async () => {
    await plant.changePassword('manager');
    await card().locator('.source-head', { hasText: 'in step' }).waitFor();
  });

  it('the browser had nothing to complain about', () => {
    assert.deepEqual(view.complaints, []);
  });
});
