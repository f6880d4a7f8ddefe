// The Excel round trip on the Orders screen: a sheet is taken, written into, brought back; exactly what changes is shown, with
// what is refused and where somebody else wrote; it is written as one and undone as one.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';

import { axeViolations, getJson, openPage, sizes, startBrowser, startDemo, until } from './harness.mjs';
import { pack, unpack } from './zip.mjs';

let demo;
let browser;

before(async () => {
  demo = await startDemo({ orders: 120 });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const sheetName = 'xl/worksheets/sheet1.xml';

// A workbook with its first sheet's cells to type into.
class Sheet {
  constructor(book) {
    this.files = unpack(book);
    this.xml = this.files.get(sheetName).toString('utf8');
    const head = /<row r="1".*?<\/row>/s.exec(this.xml)[0];
    this.columns = new Map([...head.matchAll(/<c r="([A-Z]+)1"[^>]*>.*?<t[^>]*>(.*?)<\/t>/gs)].map(([, column, title]) => [title, column]));
  }
  order(row) {
    return new RegExp(`<c r="A${row}"[^>]*><is><t[^>]*>(.*?)</t>`).exec(this.xml)[1];
  }
  type(row, title, text) {
    const cell = `${this.columns.get(title)}${row}`;
    this.xml = this.xml.replace(new RegExp(`(<row r="${row}"[^>]*>)(.*?)</row>`, 's'), (_, begin, body) => {
      const others = [...body.matchAll(/<c [^>]*?\/>|<c .*?<\/c>/gs)].map(([one]) => one).filter((one) => !one.includes(`r="${cell}"`));
      return `${begin}${others.join('')}<c r="${cell}" t="inlineStr"><is><t>${text}</t></is></c></row>`;
    });
    return cell;
  }
  bytes() {
    return pack(new Map([...this.files, [sheetName, Buffer.from(this.xml)]]));
  }
}

const upload = { name: 'orders.xlsx', mimeType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' };
const noteOf = async (order) => (await getJson(demo.address, `/api/v1/orders/${order}/overlay`)).overlay.fields.find((one) => one.field === 'note')?.value;
const openExport = async (page) => {
  await page.goto(`${demo.address}/orders`);
  await page.locator('.grid-body a').first().waitFor();
  await page.keyboard.press('e');
  await page.locator('.exports').waitFor();
};

describe('the Excel round trip of what people write on orders', { timeout: 180_000 }, () => {
  it('shows exactly the edited cells, what is refused, and where somebody else wrote; writes and undoes as one', async () => {
    const { page, complaints, close } = await openPage(browser);
    await openExport(page);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Excel sheet to write into' }).click()]);
    const sheet = new Sheet(await readFile(await download.path()));
    const [mine, other, third] = [sheet.order(2), sheet.order(3), sheet.order(4)];
    sheet.type(2, 'Note', 'written in Excel');
    const met = sheet.type(3, 'Note', 'mine');
    const locked = sheet.type(4, 'Customer name', 'Somebody else');
    const patched = await fetch(`${demo.address}/api/v1/orders/${other}/overlay`, { method: 'PATCH', headers: { 'Content-Type': 'application/json', 'If-Match': '*' }, body: JSON.stringify({ note: 'theirs' }) });
    assert.equal(patched.status, 200);

    await openExport(page);
    await page.getByRole('button', { name: 'Bring a written sheet back…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Bring an Excel sheet back' });
    await dialog.locator('input[type=file]').setInputFiles({ ...upload, buffer: sheet.bytes() });
    const write = dialog.getByRole('button', { name: 'Write 1 cell' });
    await write.waitFor();
    assert.match(await dialog.getByRole('table', { name: 'What will be written' }).innerText(), new RegExp(`${mine}[\\s\\S]*written in Excel`));
    const refused = await dialog.getByRole('table', { name: 'What is not written' }).innerText();
    assert.match(refused, new RegExp(`${met}[\\s\\S]*${other}[\\s\\S]*theirs[\\s\\S]*mine`));
    assert.match(refused, new RegExp(`${locked}[\\s\\S]*${third}`));
    assert.deepEqual(await axeViolations(page), []);
    assert.equal(await noteOf(mine), undefined, 'a preview writes nothing');

    await write.focus();
    await page.keyboard.press('Enter');
    await until('the note stands', async () => (await noteOf(mine)) === 'written in Excel');
    assert.equal(await noteOf(other), 'theirs');
    await page.locator('.toasts').getByRole('button', { name: 'Undo' }).click();
    await until('the note is gone', async () => (await noteOf(mine)) === undefined);
    assert.deepEqual(complaints, []);
    await close();
  });

  it('says so when the file is no sheet of ours, on a phone too', async () => {
    const { page, close } = await openPage(browser, { size: sizes.phone, theme: 'dark' });
    await page.goto(`${demo.address}/orders`);
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('button', { name: 'Bring a written sheet back…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Bring an Excel sheet back' });
    await dialog.locator('input[type=file]').setInputFiles({ ...upload, buffer: Buffer.from('no workbook at all') });
    await dialog.getByRole('alert').waitFor();
    assert.deepEqual(await axeViolations(page), []);
    await close();
  });
});
