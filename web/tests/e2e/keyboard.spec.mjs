// Through every screen without a mouse.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openPage, serviceInStep, startBrowser, startDemo, undecided, until } from './harness.mjs';

let demo;
let browser;
let view;
let page;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  view = await openPage(browser);
  page = view.page;
  await serviceInStep(demo);
  await undecided(demo);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const press = async (...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};
const focused = () =>
  page.evaluate(() => {
    const element = document.activeElement;
    const name = element?.getAttribute('aria-label') ?? element?.textContent ?? '';
    return { tag: element?.tagName ?? '', role: element?.getAttribute('role') ?? '', name: name.trim() };
  });

// Walks with Tab until the focus has been everywhere once; answers the names it stopped at.
async function tabThrough() {
  const seen = [];
  await page.evaluate(() => document.body.focus());
  for (let stop = 0; stop < 400; stop += 1) {
    await press('Tab');
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return null;
      const box = element.getBoundingClientRect();
      const visible = box.width > 0 && box.height > 0;
      const outlined = getComputedStyle(element).outlineStyle !== 'none';
      if (element === globalThis.walkedLast) return 'again'; // a date has several stops of its own
      globalThis.walkedLast = element;
      if (element.dataset.walked === 'yes') return null;
      element.dataset.walked = 'yes';
      const name = element.getAttribute('aria-label') ?? element.textContent ?? '';
      return { name: name.trim().slice(0, 40), visible, outlined };
    });
    if (at === null) return seen;
    if (at !== 'again') seen.push(at);
  }
  throw new Error('Tab does not come to an end');
}

describe('without a mouse', { timeout: 180_000 }, () => {
  it('the first Tab offers to skip to the content', async () => {
    await page.goto(demo.address);
    await page.locator('.card').first().waitFor();
    await press('Tab');
    assert.equal((await focused()).name, 'Skip to content');
    await press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
  });

  for (const [path, ready] of [
    ['/', '.card'],
    ['/orders', '.grid-body a'],
    ['/differences', '.difference'],
    ['/sources', '.gauges'],
    ['/jobs', '.job-table'],
    ['/cash', '.weeks tbody tr'],
    ['/ageing', '.age-bars, .empty'],
    ['/costs', '.costs-table tbody tr, .empty'],
    ['/finance', '.virtual, .empty'],
  ]) {
    it(`Tab reaches everything on ${path}, and one sees where one is`, async () => {
      await page.goto(demo.address + path);
      await page.locator(ready).first().waitFor();
      const stops = await tabThrough();
      assert.ok(stops.length > 8, `only ${stops.length} stops`);
      for (const stop of stops) assert.ok(stop.visible && stop.outlined, `${stop.name} cannot be seen with the focus`);
    });
  }

  it('g o, j, x, Enter: a list is read, selected and opened', async () => {
    await page.goto(demo.address);
    await page.locator('.card').first().waitFor();
    await press('g', 'o');
    await page.waitForURL(/\/orders$/);
    await page.locator('.grid-body a').first().waitFor();
    await press('j', 'x', 'j', 'x');
    await page.locator('.selection').waitFor();
    assert.match(await page.locator('.selection strong').textContent(), /^2 /);
    assert.equal((await focused()).role, 'gridcell');
    await press('Enter');
    await page.locator('.order-panel .headline-fact').first().waitFor();
    const first = await page.locator('.order-number').textContent();
    await press(']');
    await page.waitForFunction((number) => document.querySelector('.order-number')?.textContent !== number, first);
    await press('[');
    await page.waitForFunction((number) => document.querySelector('.order-number')?.textContent === number, first);
    await press('Escape');
    await page.locator('.order-panel').waitFor({ state: 'detached' });
  });

  it('a title sorts with Enter and becomes wider with Shift and an arrow', async () => {
    await press('Control+Home', 'ArrowUp');
    assert.equal((await focused()).role, 'columnheader');
    const width = () => page.evaluate(() => document.activeElement.getBoundingClientRect().width);
    const narrow = await width();
    await press('Shift+ArrowRight');
    await until('the column is wider', async () => (await width()) === narrow + 16);
    await press('Enter');
    await page.waitForURL(/sort=/);
  });

  it('f adds a filter, / searches, Back undoes', async () => {
    await page.goto(`${demo.address}/orders`);
    await page.locator('.grid-body a').first().waitFor();
    await press('f');
    await page.locator('.sheet .choice').first().waitFor();
    await press('Escape');
    await page.locator('.sheet').waitFor({ state: 'detached' });
    await press('/');
    await page.keyboard.type('a');
    await press('Enter');
    await page.waitForURL(/q=a/);
    await page.goBack();
    await page.waitForURL(/\/orders$/);
  });

  it('i asks where a value comes from, Escape comes back', async () => {
    await page.locator('.grid-body a').first().waitFor();
    await press('Tab');
    await page.locator('.grid-body a').first().evaluate((link) => link.closest('[role=gridcell]').focus());
    await press('Enter');
    await page.locator('.order-panel .headline-fact').first().waitFor();
    await press('i');
    await page.locator('.provenance-value').waitFor();
    await press('Escape');
    await page.locator('.provenance-value').waitFor({ state: 'detached' });
    assert.equal(await page.locator('.order-panel').count(), 1, 'the order stays open');
  });

  it('the palette goes anywhere', async () => {
    await press('Control+k');
    await page.locator('.palette input').waitFor();
    await page.keyboard.type('sources');
    await press('Enter');
    await page.waitForURL(/\/sources$/);
    await page.locator('.gauges').waitFor();
  });

  it('a source is paused, and u undoes it', async () => {
    const pause = page.getByRole('button', { name: 'Pause', exact: true }).first();
    await pause.focus();
    await press('Enter');
    await page.getByRole('button', { name: 'Resume', exact: true }).first().waitFor();
    await page.evaluate(() => document.activeElement?.blur());
    await press('u');
    await page.getByRole('button', { name: 'Pause', exact: true }).first().waitFor();
  });

  it('d changes the theme, ? lists the keys', async () => {
    await press('d');
    await page.locator('html[data-theme=light]').waitFor();
    await press('d');
    await page.locator('html[data-theme=dark]').waitFor();
    await press('?');
    await page.locator('.shortcut-sheet').waitFor();
    await press('Escape');
    await page.locator('.shortcut-sheet').waitFor({ state: 'detached' });
  });

  it('the browser had nothing to complain about', () => {
    assert.deepEqual(view.complaints, []);
  });
});
