// Every screen, light and dark, desk and phone: no violation of WCAG 2.2 AA that a machine can find, nothing cut off.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { axeViolations, getJson, openPage, serviceInStep, sizes, startBrowser, startDemo, undecided } from './harness.mjs';

let demo;
let browser;
let order;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  await serviceInStep(demo);
  order = (await getJson(demo.address, '/api/v1/orders?open_amount=gt.0&limit=1')).data[0].order;
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const row = '.grid-body [role=row]:not([hidden])';
const screens = [
  { name: 'Today', path: () => '/', ready: '.card' },
  { name: 'Orders', path: () => '/orders', ready: row },
  { name: 'Orders, filtered', path: () => '/orders?late=true&q=a&sort=-due', ready: '.chip' },
  { name: 'Orders, nothing found', path: () => '/orders?q=nosuchorderanywhere', ready: '.empty' },
  { name: 'Orders, grouped', path: () => '/orders?group=customer', ready: '.table tbody tr' },
  { name: 'Order', path: () => `/orders/${order}`, ready: '.history, .documents' },
  { name: 'Order that does not exist', path: () => '/orders/000000', ready: '.problem', complains: true },
  { name: 'Order beside the list', path: () => `/orders?panel=${order}`, ready: '.order-panel .headline-fact', only: 'desktop' },
  { name: 'Order whose sources differ', path: async () => `/orders/${(await undecided(demo)).order}`, ready: '.order-differences' },
  { name: 'Differences', path: () => '/differences', ready: '.difference' },
  { name: 'Differences, none', path: () => '/differences?field=nosuchvalue', ready: '.empty' },
  { name: 'Sources', path: () => '/sources', ready: '.gauges' },
  { name: 'Sources, an ERP in full', path: () => '/sources', ready: '.stream', then: (page) => page.locator('details').evaluateAll((all) => all.forEach((one) => (one.open = true))), seen: 'details[open] tbody tr' },
  { name: 'Cash', path: () => '/cash', ready: '.weeks tbody tr' },
  { name: 'Cash, charts as tables', path: () => '/cash?table=1', ready: '.balance-panel tbody tr' },
  { name: 'Cash, the documents of a figure', path: async () => `/cash?of=${(await getJson(demo.address, '/api/v1/cash')).weeks[0].start}..2027-12-31`, ready: 'dialog[open] [role=row]' },
  { name: 'Ageing', path: () => '/ageing', ready: '.age-bars, .empty' },
  { name: 'Ageing, payables as a table', path: () => '/ageing?side=payables&table=1', ready: '.money-body .table, .empty' },
  { name: 'Costs', path: () => '/costs', ready: '.costs-table tbody tr, .empty' },
  { name: 'Scenarios', path: () => '/scenarios', ready: '.scenario-list, .empty' },
  { name: 'Scenarios, making one', path: () => '/scenarios', ready: '.scenario-list, .empty', then: (page) => page.getByRole('button', { name: 'Make a scenario' }).click(), seen: '.scenario-change' },
  { name: 'Documents', path: () => '/finance?kind=invoice', ready: '.virtual, .empty' },
  { name: 'Documents, entering one', path: () => '/finance?kind=cost', ready: '.virtual, .empty', then: (page) => page.getByRole('button', { name: 'Enter', exact: true }).click(), seen: '.entry-fields' },
  { name: 'How a customer pays', path: async () => `/customers/${(await getJson(demo.address, '/api/v1/ageing/items?side=receivables&limit=1')).items[0].party}/payments`, ready: '.money-sentence' },
  { name: 'Jobs, none yet', path: () => '/jobs', ready: '.job-table' },
  { name: 'Filter menu', path: () => '/orders', ready: row, then: (page) => page.getByRole('button', { name: 'Filter', exact: true }).click(), seen: '.choices' },
  { name: 'Export menu', path: () => '/orders', ready: row, then: (page) => page.getByRole('button', { name: 'Export' }).click(), seen: '.exports' },
  { name: 'Where it comes from', path: () => `/orders/${order}`, ready: '.headline-fact', then: (page) => page.keyboard.press('i'), seen: '.provenance-value' },
  { name: 'Palette', path: () => '/', ready: '.card', then: (page) => page.keyboard.press('Control+k'), seen: '.palette li' },
  { name: 'Shortcuts', path: () => '/', ready: '.card', then: (page) => page.keyboard.press('?'), seen: '.shortcut-sheet' },
];

for (const [device, size] of Object.entries(sizes)) {
  for (const theme of ['light', 'dark']) {
    describe(`on a ${device === 'desktop' ? 'desk' : 'phone'}, ${theme}`, { timeout: 180_000 }, () => {
      for (const screen of screens) {
        if (screen.only !== undefined && screen.only !== device) continue;
        it(screen.name, async () => {
          const view = await openPage(browser, { size, theme, reducedMotion: 'reduce' });
          await view.page.goto(demo.address + (await screen.path()));
          await view.page.locator(screen.ready).first().waitFor();
          if (screen.then !== undefined) {
            await screen.then(view.page);
            await view.page.locator(screen.seen).first().waitFor();
          }
          assert.deepEqual(await axeViolations(view.page), []);
          const width = await view.page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(width <= size.width, `the page is ${width} px wide`);
          if (screen.complains !== true) assert.deepEqual(view.complaints, []);
          await view.close();
        });
      }
    });
  }
}
