// From a new server to a second person who has signed in; Admin in light and dark, desk and phone; what people type is text.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { axeViolations, openPage, sizes, startBrowser, startGuarded } from './harness.mjs';

let server;
let browser;
let boss; // the administrator's view

const password = 'three small words';
// 401 and 403 are answers here, and the browser writes them into its console.
const real = (complaints) => complaints.filter((text) => !/status of 40[13]/.test(text));

async function fits(page, what) {
  assert.deepEqual(await axeViolations(page), [], what);
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= room, `${what} is ${wide} wide in a window of ${room}`);
}

async function signIn(view, name, secret) {
  await view.page.getByLabel('Login').fill(name);
  await view.page.getByLabel('Password', { exact: true }).fill(secret);
  await view.page.keyboard.press('Enter');
}

before(async () => {
  server = await startGuarded();
  browser = await startBrowser();
});

after(async () => {
  await boss?.close();
  await browser?.close();
  await server?.stop();
});

describe('The door', { timeout: 120_000 }, () => {
  it('shows nothing before somebody has signed in, and tells how to begin', async () => {
    const view = await openPage(browser);
    await view.page.goto(`${server.address}/orders?late=true`);
    await view.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await view.page.getByText('Nobody has been set up yet').waitFor();
    await fits(view.page, 'sign-in');
    await signIn(view, 'eve', 'a wrong password');
    await view.page.getByRole('alert').getByText('login or the password is wrong').waitFor();
    assert.deepEqual(real(view.complaints), []);
    await view.close();
  });

  it('warns of Caps Lock', async () => {
    const view = await openPage(browser);
    await view.page.goto(server.address);
    await view.page.getByLabel('Password', { exact: true }).focus();
    await view.page.evaluate(() => {
      const event = new KeyboardEvent('keydown', { key: 'A', bubbles: true });
      event.getModifierState = (name) => name === 'CapsLock';
      document.activeElement.dispatchEvent(event);
    });
    await view.page.getByText('Caps Lock is on').waitFor();
    await view.close();
  });

  it('lets the one-time link make the administrator, by keyboard alone', async () => {
    boss = await openPage(browser);
    await boss.page.goto(server.link);
    await boss.page.getByRole('heading', { name: 'First start' }).waitFor();
    await boss.page.waitForURL((url) => url.hash === ''); // the secret leaves the address
    await fits(boss.page, 'first start');
    for (const text of ['boss', 'The Boss', password, password]) {
      await boss.page.keyboard.type(text);
      await boss.page.keyboard.press('Tab');
    }
    await boss.page.keyboard.press('Enter');
    await boss.page.locator('.card').first().waitFor();
    await boss.page.getByRole('button', { name: 'Signed in as The Boss' }).waitFor();
    assert.equal(await boss.page.evaluate(() => document.cookie), '', 'no script reads the session');
    const again = await openPage(browser);
    await again.page.goto(server.link);
    for (const [label, text] of [['Login', 'eve'], ['Password', password], ['Password again', password]]) await again.page.getByLabel(label, { exact: true }).fill(text);
    await again.page.keyboard.press('Enter');
    await again.page.getByRole('alert').getByText('setup link').waitFor();
    await again.close();
  });
});

describe('Admin', { timeout: 240_000 }, () => {
  it('adds a second person, whose name may be anything and stays text', async () => {
    await boss.page.goto(`${server.address}/admin`);
    await boss.page.getByRole('button', { name: 'Add a user' }).click();
    await boss.page.getByLabel('Login').fill('bert');
    await boss.page.getByLabel('Name (optional)').fill('<img src=x onerror="window.hit=1"><script>window.hit=1</script>');
    await boss.page.getByLabel('Role').selectOption('floor');
    await boss.page.getByLabel('First password').fill(password);
    await fits(boss.page, 'add a user');
    await boss.page.getByRole('button', { name: 'Add', exact: true }).click();
    await boss.page.getByRole('button', { name: 'Change bert' }).waitFor();
    assert.equal(await boss.page.evaluate(() => globalThis.hit), undefined);
    assert.equal(await boss.page.locator('.admin img').count(), 0);
  });

  it('lets that person in, with what the role may see and nothing more', async () => {
    const view = await openPage(browser);
    await view.page.goto(server.address);
    await signIn(view, 'bert', password);
    await view.page.locator('.grid-body [role=row]:not([hidden])').first().waitFor();
    assert.equal(await view.page.evaluate(() => globalThis.hit), undefined);
    const heads = await view.page.locator('[role=columnheader]').allInnerTexts();
    assert.ok(!heads.some((text) => /amount|total/i.test(text)), heads.join(', '));
    assert.deepEqual(await view.page.locator('.rail a').allInnerTexts().then((all) => all.map((text) => text.trim())), ['Orders']);
    await view.page.locator('.grid-body a').first().click();
    await view.page.locator('.headline-fact, .order-panel').first().waitFor();
    assert.ok(!/open amount/i.test(await view.page.locator('#main').innerText()));
    await view.page.goto(`${server.address}/admin`);
    await view.page.getByText('This screen is not open to you').waitFor();
    await fits(view.page, 'a closed screen');
    await view.page.getByRole('button', { name: /Signed in as/ }).click();
    await fits(view.page, 'user menu');
    await view.page.getByRole('button', { name: 'Sign out' }).click();
    await view.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await view.page.goBack();
    await view.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.deepEqual(real(view.complaints), []);
    await view.close();
  });

  it('makes a token that is shown once', async () => {
    await boss.page.goto(`${server.address}/admin?part=tokens`);
    await boss.page.getByRole('button', { name: 'Make a token' }).click();
    await boss.page.getByLabel('Name').fill('nightly export');
    await boss.page.getByRole('button', { name: 'Make', exact: true }).click();
    const secret = await boss.page.locator('.secret').innerText();
    assert.match(secret, /^mr_/);
    const asked = () => fetch(`${server.address}/api/v1/orders?limit=1`, { headers: { Authorization: `Bearer ${secret}` } });
    assert.equal((await asked()).status, 200);
    await boss.page.getByRole('button', { name: 'Done' }).click();
    await boss.page.getByRole('button', { name: 'End the token nightly export' }).click();
    await boss.page.getByRole('button', { name: 'End it' }).click();
    await boss.page.getByText('No token', { exact: true }).waitFor();
    assert.equal((await asked()).status, 401);
  });

  it('shows what was done, with before and after', async () => {
    await boss.page.goto(`${server.address}/admin`);
    await boss.page.getByRole('button', { name: 'Change bert' }).click();
    await boss.page.getByLabel('Role').selectOption('planner');
    await boss.page.getByRole('button', { name: 'Save' }).click();
    await boss.page.getByText('bert is changed').waitFor();
    await boss.page.goto(`${server.address}/admin?part=audit`);
    const row = boss.page.getByRole('row').filter({ hasText: 'user.change' }).first();
    await row.waitFor();
    assert.match(await row.innerText(), /role: floor → planner/);
    assert.match(await row.innerText(), /boss/);
  });

  for (const [device, size] of Object.entries(sizes)) {
    for (const theme of ['light', 'dark']) {
      it(`holds on a ${device}, ${theme}`, async () => {
        const cookies = await boss.page.context().cookies();
        const view = await openPage(browser, { size, theme, reducedMotion: 'reduce' });
        await view.page.context().addCookies(cookies);
        for (const [part, ready] of [['users', '.table tbody tr'], ['tokens', '.empty'], ['audit', '.table tbody tr'], ['server', '.table tbody tr']]) {
          await view.page.goto(`${server.address}/admin?part=${part}`);
          await view.page.locator(`.admin ${ready}`).first().waitFor();
          await fits(view.page, `${part}, ${device}, ${theme}`);
          if (process.env.MILLRACE_SHOTS) await view.page.screenshot({ path: `${process.env.MILLRACE_SHOTS}/${part}_${device}_${theme}.png`, fullPage: true });
        }
        assert.deepEqual(real(view.complaints), []);
        await view.close();
      });
    }
  }
});
