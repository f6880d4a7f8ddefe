// The cash screens against the real program: figures are the server's, every one opens its documents and these add up to it,
// keys and tables, the state in the address, what is entered and imported, scenarios, live figures, paper.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { getJson, openPage, sizes, startBrowser, startDemo, until } from './harness.mjs';

let demo;
let browser;
let view;
let page;

before(async () => {
  demo = await startDemo({ orders: 300 });
  browser = await startBrowser();
  view = await openPage(browser);
  page = view.page;
  await until('the demo has told of its money', async () => (await getJson(demo.address, '/api/v1/cash')).weeks.some((week) => week.receipts.minor > 0), 60_000);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const api = (path) => getJson(demo.address, `/api/v1${path}`);
const amount = ({ minor, currency }) => {
  const digits = String(Math.abs(minor)).padStart(3, '0');
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${minor < 0 ? '\u2212' : ''}${whole}.${digits.slice(-2)} ${currency}`;
};
const open = async (path, ready = '.weeks tbody tr') => {
  await page.goto(demo.address + path);
  await page.locator(ready).first().waitFor();
};
const put = async (kind, number, body, headers = {}) => {
  const response = await fetch(`${demo.address}/api/v1/finance/${kind}/${encodeURIComponent(number)}`, { method: 'PUT', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });
  assert.ok(response.ok, `${response.status} ${await response.clone().text()}`);
  return response.json();
};
const dayAfter = (day, days) => new Date(Date.parse(`${day}T12:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
const dialog = () => page.locator('dialog[open]');

describe('the forecast', { timeout: 180_000 }, () => {
  it('shows the figures of the server, and each opens documents that add up to it', async () => {
    await open('/cash');
    const answer = await api('/cash');
    const at = answer.weeks.findIndex((week) => week.receipts.minor > 0);
    const week = answer.weeks[at];
    const cell = page.locator('.weeks tbody').nth(at).locator('td a').nth(1); // opening, in, out, closing
    await until('the cell is the figure', async () => (await cell.getAttribute('title')) === amount((await api('/cash')).weeks[at].receipts));
    const figure = await cell.getAttribute('title');
    await cell.click();
    await dialog().locator('[role=row]').nth(1).waitFor();
    assert.match(await dialog().locator('p').first().innerText(), new RegExp(`together ${figure.replaceAll('.', '\\.')}`));
    assert.match(new URL(page.url()).search, new RegExp(`of=${week.start}\\.\\.${week.end}&direction=in`));
    const items = await api(`/cash/items?from=${week.start}&to=${week.end}&direction=in&limit=1000`);
    assert.equal(await dialog().getByRole('table').getAttribute('aria-rowcount'), String(items.count + 1));
    await dialog().locator('[role=row] a').first().click();
    await page.waitForURL(/\/(orders|finance)/);
    await page.goBack();
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    assert.equal(new URL(page.url()).search, '');
  });

  it('is read by keyboard: a cursor on the chart that is said, documents by Enter, tables by t', async () => {
    await open('/cash', '.chart-picture');
    const chart = page.locator('.chart-picture').first();
    await chart.focus();
    await page.keyboard.press('End');
    const said = page.locator('.balance-panel [role=status]');
    const last = (await api('/cash')).days.at(-1);
    await until('the last day is said', async () => (await said.textContent()).includes(amount(last.closing)));
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    await page.keyboard.press('t');
    await page.locator('.balance-panel table').waitFor();
    assert.equal(await page.locator('.balance-panel tbody tr').count(), (await api('/cash')).days.length);
    assert.match(page.url(), /table=1/);
    await page.keyboard.press('t');
    await page.locator('.balance-panel svg').first().waitFor();
  });

  it('keeps its whole state in the address', async () => {
    await open('/cash');
    await page.getByRole('switch', { name: /^Forecast/ }).uncheck();
    await page.getByRole('radio', { name: 'Pessimistic' }).check({ force: true });
    await page.getByRole('combobox', { name: 'Weeks' }).selectOption('8');
    await page.locator('.weeks tbody').nth(7).waitFor();
    await page.locator('.week-button').nth(1).click();
    await page.locator('.week-part').first().waitFor();
    assert.match(new URL(page.url()).search, /^\?weeks=8&view=pessimistic&layers=balance,invoiced,delivered,ordered,planned&week=\d{4}-\d{2}-\d{2}$/);
    await page.reload();
    await page.locator('.week-part').first().waitFor();
    assert.equal(await page.locator('.weeks tbody').count(), 8);
    assert.equal(await page.getByRole('switch', { name: /^Forecast/ }).isChecked(), false);
    await page.goBack();
    await page.waitForURL((url) => !url.search.includes('weeks=8'));
  });

  it('follows what is posted without being asked, and keeps what is open', async () => {
    await open('/cash');
    const { today, currency, weeks } = await api('/cash');
    const at = weeks.findIndex((week) => week.start > today);
    await page.locator('.week-button').nth(at).click();
    const paid = page.locator('.weeks tbody').nth(at).locator('tr').first().locator('td a').nth(2);
    const before = await paid.getAttribute('title');
    const began = Date.now();
    await put('cost', 'E2E-1', { posted: dayAfter(weeks[at].start, 1), category: 'Surprise', amount: '12345.67', currency, comment: '', account: '' });
    await page.waitForFunction(([element, text]) => element.getAttribute('title') !== text, [await paid.elementHandle(), before], { timeout: 5000 });
    console.log(`a cost that was written is on the open screen after ${Date.now() - began} ms`);
    await until('the part is there', async () => (await page.locator('.week-part').allInnerTexts()).some((text) => /Surprise[^]*12,346/.test(text)));
    assert.equal(await paid.getAttribute('title'), amount((await api('/cash')).weeks[at].payments));
    assert.match(page.url(), /week=/);
  });

  it('is one A4 page on paper', async () => {
    await open('/cash');
    const pdf = await page.pdf({ preferCSSPageSize: true });
    assert.equal(pdf.toString('latin1').match(/\/Type \/Page\b/g).length, 1);
  });

  // How fast that is on a quiet machine: tests/bench/web_vitals.mjs.
  it('paints its first chart on a cold load, and says when', async () => {
    const times = [];
    for (let load = 0; load < 4; load += 1) {
      const cold = await openPage(browser);
      await cold.page.goto(`${demo.address}/cash`);
      await cold.page.locator('path.balance-line').waitFor();
      times.push(await cold.page.evaluate(() => Math.round(performance.getEntriesByName('first chart')[0].startTime)));
      await cold.close();
    }
    const best = Math.min(...times.slice(1));
    console.log(`first chart painted after ${times.join(', ')} ms (the browser's own start is in the first)`);
    assert.ok(best <= 5000, `${times.join(', ')} ms`);
  });
});

describe('what is entered', { timeout: 180_000 }, () => {
  it('a cost is entered, found among its documents, changed and removed with the way back', async () => {
    const { today, currency } = await api('/cash');
    await open('/costs', '.costs-table tbody tr, .empty');
    await page.getByRole('button', { name: 'Enter a cost' }).click();
    await dialog().getByLabel('Number').fill('E2E-2');
    await dialog().getByLabel('Day', { exact: true }).fill(today);
    await dialog().getByLabel('Category', { exact: true }).fill('Window cleaning');
    await dialog().getByLabel('Amount').fill('120,50');
    await dialog().getByLabel('Currency').fill(currency.toLowerCase());
    await page.keyboard.press('Enter');
    const row = page.locator('.costs-table tr', { hasText: 'Window cleaning' });
    await row.waitFor();
    await row.locator('.figure-link').first().click();
    await dialog().getByRole('link', { name: 'Cost E2E-2' }).click();
    await dialog().getByLabel('Amount').fill('99');
    await dialog().getByRole('button', { name: 'Save' }).click();
    await until('it is changed', async () => (await api('/finance/cost/E2E-2')).document.amount.minor === 9900);
    await open('/finance?kind=cost&doc=E2E-2', 'dialog[open]');
    await page.getByRole('button', { name: 'Remove' }).click();
    await until('it is gone', async () => (await fetch(`${demo.address}/api/v1/finance/cost/E2E-2`)).status === 404);
    await page.locator('.toasts').getByRole('button', { name: 'Undo' }).click();
    await until('it is back', async () => (await fetch(`${demo.address}/api/v1/finance/cost/E2E-2`)).status === 200);
  });

  it('a file shows what it would do, marks what is doubtful, is taken as one and undone as one', async () => {
    const file = 'Datum;Kategorie;Betrag;Währung;Nummer\n13.10.2026;Reise;1.234,50;EUR;F1\n14.10.2026;Reise;12,00;EUR;F2\n31.06.2026;Reise;5,00;EUR;F3\n';
    await open('/finance?kind=cost', '.virtual, .empty');
    await page.getByRole('button', { name: 'Import a file' }).click();
    await dialog().locator('input[type=file]').setInputFiles({ name: 'kosten.csv', mimeType: 'text/csv', buffer: Buffer.from(file) });
    const rows = dialog().getByRole('table', { name: 'Rows of the file' });
    await rows.waitFor();
    const text = await rows.innerText();
    assert.match(text, /new[\s\S]*1234\.50/);
    assert.match(text, /refused/);
    assert.equal((await fetch(`${demo.address}/api/v1/finance/cost/F1`)).status, 404, 'a preview writes nothing');
    await dialog().getByRole('button', { name: /^Take 2 rows/ }).last().click();
    await until('it is taken', async () => (await fetch(`${demo.address}/api/v1/finance/cost/F1`)).status === 200);
    await page.getByRole('button', { name: 'Undo the import of kosten.csv' }).click();
    await until('it is undone', async () => (await fetch(`${demo.address}/api/v1/finance/cost/F1`)).status === 404);
  });

  it('a scenario is made, compared and sent as a link', async () => {
    const customer = (await api('/cash/items?direction=in&limit=1')).items[0].party;
    await open('/scenarios', '.empty, .scenario-list');
    await page.getByRole('button', { name: 'Make a scenario' }).click();
    await dialog().getByLabel('Customer code').fill(customer);
    await dialog().getByLabel('Days later').fill('30');
    await page.keyboard.press('Enter');
    await page.locator('.scenario-row').waitFor();
    await page.getByRole('region', { name: 'Scenarios side by side' }).waitFor();
    assert.match(await page.locator('.scenario-row').innerText(), new RegExp(`customer ${customer} pays 30 days later`));
    await page.getByRole('link', { name: 'See it as curves' }).click();
    await page.locator('.other-line-0[d]').first().waitFor();
    assert.match(page.url(), /\/cash\?scenario=/);
  });
});

describe('who owes us, and how they pay', { timeout: 180_000 }, () => {
  it('a cell of the ageing opens documents that add up to it', async () => {
    await open('/ageing', '.age-bars, .empty');
    const answer = await api('/ageing?side=receivables');
    const row = answer.rows[0];
    await page.getByLabel('Find').fill(row.name || row.key);
    await page.locator('.lazy').last().scrollIntoViewIfNeeded(); // the table lies below the fold
    await page.locator('.virtual-all [role=row]').first().waitFor();
    const total = page.locator('.virtual-all [role=row]').first().locator('.figure-link').last();
    await total.click();
    await dialog().locator('[role=row]').nth(1).waitFor();
    assert.match(await dialog().locator('p').first().innerText(), new RegExp(amount(row.total).replaceAll('.', '\\.')));
    await page.keyboard.press('Escape');
    await page.getByLabel('Days', { exact: true }).fill('15,45');
    await page.waitForURL(/buckets=15,45/);
    await page.getByText('16–45 days').first().waitFor();
    await page.getByLabel('Days', { exact: true }).fill('45,15');
    await page.getByText('rising days').waitFor();
    assert.match(page.url(), /buckets=15,45/, 'what makes no sense is not asked');
  });

  it('a customer has a profile, an order its money', async () => {
    const invoice = (await api('/ageing/items?side=receivables&limit=1')).items[0];
    await open(`/customers/${encodeURIComponent(invoice.party)}/payments`, '.money-sentence');
    assert.match(await page.locator('.money-sentence').innerText(), /\w/);
    const order = (await api('/orders?open_amount=gt.0&limit=1')).data[0].order;
    await open(`/orders/${order}`, '.order-money dl');
    const answer = await api(`/orders/${order}/money`);
    assert.match(await page.locator('.order-money').innerText(), new RegExp(amount(answer.states.open).replace(` ${answer.currency}`, '').replaceAll('.', '\\.')));
  });
});

describe('on a phone', { timeout: 60_000 }, () => {
  it('the bar has five entries, and More opens Cash', async () => {
    const phone = await openPage(browser, { size: sizes.phone });
    await phone.page.goto(demo.address);
    await phone.page.locator('.card').first().waitFor();
    assert.equal(await phone.page.locator('.rail > *').count(), 5);
    await phone.page.getByRole('button', { name: 'More', exact: true }).click();
    await phone.page.getByRole('link', { name: 'Cash' }).click();
    await phone.page.locator('path.balance-line').waitFor();
    assert.ok((await phone.page.evaluate(() => document.documentElement.scrollWidth)) <= sizes.phone.width);
    await phone.close();
  });

  it('the browser had nothing to complain about', () => {
    assert.deepEqual(view.complaints.filter((text) => !/404/.test(text)), []);
  });
});
