// Whatever somebody writes into a document, an address or a name is text on every screen, and a formula in no sheet.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { getJson, openPage, startBrowser, startDemo, unzip, until } from './harness.mjs';

const hit = 'globalThis.hit=1';
const nasty = [
  `<script>${hit}</script>`,
  `<img src=x onerror=${hit}>`,
  `"><svg onload=${hit}>`,
  `' onmouseover='${hit}`,
  `javascript:${hit}`,
  `{{constructor.constructor('${hit}')()}}`,
  `</title><script>${hit}</script>`,
];
const text = nasty.join(' ');
const number = '990077';

let demo;
let browser;

before(async () => {
  demo = await startDemo({ orders: 60 });
  browser = await startBrowser();
  const folder = join(demo.data, 'orders', 'Open');
  await mkdir(folder, { recursive: true });
  const order = {
    DocNum: number,
    DocDate: '2026-10-01',
    DocDueDate: '2026-10-02',
    CardCode: `=1+1${nasty[1]}`,
    CardName: `=cmd|' /C calc'!A0 ${text}`,
    NumAtCard: `@SUM(1) ${nasty[0]}`,
    Comments: `+1 ${text}`,
    SalesPersonCode: `-1 ${nasty[2]}`,
    DocCurrency: 'EUR',
    UpdateDate: '2026-11-01',
    UpdateTime: '08:00:00',
    DocumentLines: [
      { LineNum: 0, ItemCode: `\t=2+2${nasty[1]}`, ItemDescription: text, MeasureUnit: nasty[0], WarehouseCode: nasty[2], Quantity: 4, UnitPrice: 25, DiscountPercent: 0, LineTotal: 100, RemainingOpenQuantity: 4, LineStatus: 'bost_Open' },
    ],
  };
  await writeFile(join(folder, `${number}.json`), JSON.stringify(order));
  await until('the order is there', async () => (await fetch(`${demo.address}/api/v1/orders/${number}`)).status === 200);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

describe('What is stored', { timeout: 120_000 }, () => {
  const places = [
    ['the list', () => `/orders?q=${number}`, '.grid-body [role=row]:not([hidden])'],
    ['one order', () => `/orders/${number}`, '.headline-fact'],
    ['the order beside the list', () => `/orders?q=${number}&panel=${number}`, '.order-panel .headline-fact'],
    ['groups', () => '/orders?group=customer', '.table tbody tr'],
    ['today', () => '/', '.card'],
    ['sources', () => '/sources', '.gauges'],
    ['a search', () => `/orders?q=${encodeURIComponent(nasty[1])}`, '.chip, .empty, .summary'],
    ['an address', () => `/orders/${encodeURIComponent(nasty[1])}`, '.problem'],
  ];
  for (const [name, path, ready] of places)
    it(`stays text in ${name}`, async () => {
      const view = await openPage(browser);
      await view.page.goto(demo.address + path());
      await view.page.locator(ready).first().waitFor();
      assert.equal(await view.page.evaluate(() => globalThis.hit), undefined);
      assert.equal(await view.page.locator('main img, main script, main [onerror], main [onload], main [onmouseover], a[href^="javascript:"]').count(), 0);
      assert.ok(!view.complaints.some((one) => /Content Security Policy/i.test(one)), view.complaints.join('\n'));
      await view.close();
    });

  it('is no formula in exports', async () => {
    const csv = await (await fetch(`${demo.address}/api/v1/orders.csv?q=${number}`)).text();
    const cells = csv.split('\n')[1];
    assert.match(cells, /'=cmd/);
    for (const start of ['=', '@', '-1 ', '+']) assert.ok(!cells.split(',').some((cell) => cell.replace(/^"/, '').startsWith(start)), cells);
    const book = Buffer.from(await (await fetch(`${demo.address}/api/v1/orders.xlsx?q=${number}`)).arrayBuffer());
    assert.ok(!unzip(book, 'xl/worksheets/sheet1.xml').includes('<f>'));
    const answer = await getJson(demo.address, `/api/v1/orders/${number}`);
    assert.ok(answer.order.customer_name.includes(nasty[0]), 'JSON tells what is there');
  });
});
