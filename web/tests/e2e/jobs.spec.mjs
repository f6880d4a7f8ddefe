// The Jobs screen against the real program: a job is started, seen running and stopped; a dead letter is tried again and
// discarded; what waits says why; a report is downloaded; a schedule is made, paused and removed. Mostly without a mouse.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { axeViolations, getJson, openPage, sizes, startBrowser, startDemo, until } from './harness.mjs';

let demo;
let browser;
let view;
let page;

before(async () => {
  demo = await startDemo({ orders: 120 });
  browser = await startBrowser();
  view = await openPage(browser);
  page = view.page;
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const send = async (method, path, body) => {
  const response = await fetch(`${demo.address}/api/v1/jobs${path}`, { method, headers: { 'Content-Type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body) });
  return { status: response.status, answer: await response.json() };
};
const add = async (kind, payload, more = {}) => {
  const { status, answer } = await send('POST', '', { kind, payload, ...more });
  assert.equal(status, 202, JSON.stringify(answer));
  return answer.job.id;
};
const told = async (id) => (await getJson(demo.address, `/api/v1/jobs/${id}`)).job;
const inState = (id, state) => until(`job ${id} is ${state}`, async () => (await told(id)).state === state);
const row = (id) => page.locator(`[data-row="${id}"]`);
const rowIn = (block, id) => page.locator(`#${block} [data-row="${id}"]`);
const press = async (...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};
const focusIn = (id) => page.evaluate(() => document.activeElement?.closest('[data-row]')?.getAttribute('data-row') ?? null).then((at) => at === id);
const tabTo = async (locator) => {
  await locator.waitFor();
  for (let step = 0; step < 80; step += 1) {
    if (await locator.evaluate((element) => element === document.activeElement)) return;
    await press('Tab');
  }
  throw new Error('the keyboard does not get there');
};
const dialog = () => page.getByRole('dialog');
// Adds up in `shift` how far things move on the page from now on.
const watchShift = () =>
  page.evaluate(() => {
    globalThis.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.shift += entry.value;
    }).observe({ type: 'layout-shift' });
  });
// A dialog that was closed has its role no longer, but the page does not know yet: it is gone when its element is.
const dialogGone = () => page.locator('dialog').waitFor({ state: 'detached' });

describe('the Jobs screen', { timeout: 180_000 }, () => {
  it('says in words what will stand where nothing stands yet', async () => {
    await page.goto(demo.address);
    await page.locator('.card').first().waitFor();
    await press('g', 'j');
    await page.waitForURL(/\/jobs$/);
    for (const words of ['Nothing runs.', 'Nothing waits.', 'No schedule yet.', 'Nothing has ended yet.']) await page.getByText(words).waitFor();
    assert.equal(await page.locator('#dead').count(), 0);
  });

  it('offers in its form what the server takes', async () => {
    const { kinds } = await getJson(demo.address, '/api/v1/jobs');
    assert.deepEqual(kinds.map((kind) => kind.name).sort(), ['backup', 'month_report', 'report', 'restore_test', 'self_test', 'sync', 'verify_record']);
    for (const kind of kinds) {
      for (const member of kind.members) {
        const { status, answer } = await send('POST', '', { kind: kind.name, payload: { [member.name]: member.type === 'choice' ? 'nonsense' : null } });
        assert.equal(status, 400, `${kind.name} ${member.name}`);
        assert.doesNotMatch(answer.detail, /is not known/, `${kind.name} has no member ${member.name}`);
        // Which groups there are depends on the table of totals; the report itself says when there is none.
        if (member.type === 'choice' && member.name !== 'group') assert.match(answer.detail, new RegExp(`is one of ${member.choices.join(', ')},`));
      }
    }
  });

  let long;
  it('starts a job from a form, without a mouse, and shows it running', async () => {
    await press('n');
    await dialog().locator('select').first().waitFor();
    await page.keyboard.type('Self');
    await dialog().getByText('Does nothing, or goes wrong as asked').waitFor();
    await tabTo(dialog().getByLabel('Seconds'));
    await page.keyboard.type('soon');
    await press('Enter');
    await dialog().getByText('Seconds is a number, not “soon”.').waitFor();
    await press('Control+a');
    await page.keyboard.type('60');
    await tabTo(dialog().getByLabel('Steps'));
    await page.keyboard.type('3000');
    await press('Enter');
    await dialogGone();
    long = (await until('it runs', async () => (await getJson(demo.address, '/api/v1/jobs?state=running')).data[0])).id;
    await rowIn('running', long).waitFor();
    await rowIn('running', long).getByText('asked for by').waitFor();
  });

  it('moves its progress in place: nothing else moves', async () => {
    await watchShift();
    const bar = rowIn('running', long).locator('progress');
    const box = await rowIn('running', long).boundingBox();
    const value = async () => Number(await bar.getAttribute('value').catch(() => 0));
    const begun = await until('progress is shown', async () => (await value()) > 0 && (await value()));
    for (let step = 1; step <= 3; step += 1) {
      const last = await value();
      await until(`progress moves on, ${step}`, async () => (await value()) > last);
    }
    assert.ok((await value()) > begun);
    assert.match(await rowIn('running', long).locator('.job-progress').textContent(), /of 3,000 steps, \d+%.*left.*so far/);
    assert.deepEqual(await rowIn('running', long).boundingBox(), box);
    assert.equal(await page.evaluate(() => globalThis.shift), 0);
  });

  it('is opened with Enter, and Escape gives the focus back', async () => {
    await press('j');
    assert.ok(await focusIn(long));
    await press('Enter');
    await page.waitForURL(new RegExp(`job=${long}`));
    await dialog().getByText('What was asked for').waitFor();
    await dialog().getByText('3000', { exact: true }).waitFor(); // an id may hold it too
    await press('Escape');
    await dialogGone();
    await page.waitForURL(/\/jobs$/);
    assert.ok(await focusIn(long));
  });

  it('is stopped after saying what will happen, and the focus goes with it into the history', async () => {
    await press('c');
    await dialog().getByText('It is asked to stop now, and ended by force after 2 seconds.').waitFor();
    await press('Escape');
    await dialogGone();
    assert.equal((await told(long)).cancel_wanted, false);
    await press('c');
    await tabTo(dialog().getByRole('button', { name: 'Stop it' }));
    await press('Enter');
    await inState(long, 'cancelled');
    await rowIn('history', long).getByText('cancelled').waitFor();
    await until('the focus is in its row', () => focusIn(long));
  });

  it('shows a dead letter with its reason, tries it again and discards it after asking', async () => {
    const dead = await add('self_test', { fail: 'again' }, { tries_max: 1, by: 'Ann' });
    await inState(dead, 'dead');
    await rowIn('dead', dead).getByText('Failed as asked').waitFor();
    await rowIn('dead', dead).getByText('Ann').waitFor();
    await rowIn('dead', dead).locator('a').first().focus();
    await press('r');
    await until('it was tried again', async () => (await told(dead)).attempts.length === 2);
    await inState(dead, 'dead');
    await rowIn('dead', dead).waitFor();
    await until('the focus stayed with it', () => focusIn(dead));
    await press('c');
    await dialog().getByText('leaves the list of dead letters').waitFor();
    await tabTo(dialog().getByRole('button', { name: 'Discard it' }));
    await press('Enter');
    await inState(dead, 'cancelled');
    await page.locator('#dead').waitFor({ state: 'detached' });
    await rowIn('history', dead).waitFor();
  });

  it('says why a job waits; one that was cancelled waits again with u', async () => {
    await page.getByRole('button', { name: 'Pause the queue' }).click();
    await page.locator('.job-paused').waitFor();
    const waits = await add('self_test', { seconds: 1 }, { priority: 10 });
    await rowIn('waiting', waits).getByText('The whole queue is paused.').waitFor();
    await rowIn('waiting', waits).getByText('before others').waitFor();
    await rowIn('waiting', waits).getByRole('button', { name: 'Cancel' }).click();
    await dialog().getByText('It will not begin.').waitFor();
    await dialog().getByRole('button', { name: 'Cancel the job' }).click();
    await inState(waits, 'cancelled');
    await rowIn('history', waits).waitFor();
    await press('u');
    await inState(waits, 'paused');
    await rowIn('waiting', waits).waitFor();
    await page.getByRole('button', { name: 'Resume the queue' }).first().click();
    await inState(waits, 'done');
    await rowIn('history', waits).getByText('done').waitFor();
  });

  it('a report is downloaded from the history; a wrong one says what was wrong', async () => {
    const report = await add('report', { of: 'orders', format: 'csv', name: 'late' });
    const wrong = await add('report', { of: 'orders', filters: { flavour: 'red' } });
    await rowIn('history', wrong).getByText('There is no parameter "flavour".').waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), rowIn('history', report).locator('a.job-file').click()]);
    assert.match(download.suggestedFilename(), /^late.*\.csv$/);
    await page.getByLabel('Outcome').selectOption('failed');
    await page.waitForURL(/state=failed/);
    await rowIn('history', report).waitFor({ state: 'detached' });
    await rowIn('history', wrong).waitFor();
    await page.goBack();
    await rowIn('history', report).waitFor();
  });

  it('a schedule is made in words, run now, paused, and removed after asking', async () => {
    await page.getByRole('button', { name: 'Start: Backup' }).click();
    await dialog().getByLabel('Keep').fill('2');
    await dialog().getByLabel('When').selectOption('clock');
    await dialog().getByLabel('Name of the schedule').fill('nightly-backup');
    await dialog().getByLabel('Timing').fill('half past two');
    await dialog().getByRole('button', { name: 'Set the schedule' }).click();
    await dialog().getByRole('alert').waitFor();
    await dialog().getByLabel('Timing').fill('30 2 * * 1-5');
    await dialog().getByText('at 02:30, Monday to Friday').waitFor();
    await dialog().getByRole('button', { name: 'Set the schedule' }).click();
    await dialogGone();
    const nightly = row('schedule nightly-backup');
    await nightly.getByText('at 02:30, Monday to Friday').waitFor();
    await nightly.getByText('has not run yet').waitFor();
    await nightly.getByRole('button', { name: 'Run now' }).click();
    await until('its backup is done', async () => (await getJson(demo.address, '/api/v1/jobs?kind=backup&state=done')).data.length === 1);
    await page.locator('#history').getByRole('link', { name: 'Backup', exact: true }).waitFor();
    await nightly.getByRole('button', { name: 'Pause' }).click();
    await nightly.getByText('paused').waitFor();
    const [paused] = (await getJson(demo.address, '/api/v1/jobs/schedules')).data;
    assert.deepEqual([paused.enabled, paused.payload], [false, { keep: 2 }]);
    await nightly.getByRole('button', { name: 'Resume' }).click();
    await nightly.getByRole('button', { name: 'Remove' }).click();
    await dialog().getByRole('button', { name: 'Remove it' }).click();
    await nightly.waitFor({ state: 'detached' });
    await page.getByText('No schedule yet.').waitFor();
  });

  it('a turn of a schedule appears by itself, with its result, and the page stands still', async () => {
    const { status } = await send('PUT', '/schedules/often', { kind: 'self_test', timing: 'every 10s', payload: { seconds: 2 } });
    assert.equal(status, 200);
    await page.goto(`${demo.address}/jobs`);
    await row('schedule often').waitFor();
    await watchShift();
    await until('its turn came', async () => (await getJson(demo.address, '/api/v1/jobs/schedules')).data.some((one) => one.name === 'often' && one.turns > 0), 20_000);
    await row('schedule often').getByText('running').waitFor();
    await row('schedule often').getByText('done').waitFor();
    const shift = await page.evaluate(() => globalThis.shift);
    assert.ok(shift <= 0.02, `things moved by ${shift}`);
    await send('DELETE', '/schedules/often');
  });

  it('a job that is gone says so', async () => {
    await page.goto(`${demo.address}/jobs?job=nosuchjob`);
    await dialog().getByText('ended jobs are kept for seven days').waitFor();
    await press('Escape');
    await dialogGone();
    view.complaints.length = 0; // the browser names the 404 that was asked for
  });

  it('the browser had nothing to complain about', () => {
    assert.deepEqual(view.complaints, []);
  });
});

describe('the Jobs screen in every size and light', { timeout: 120_000 }, () => {
  before(async () => {
    await add('self_test', { seconds: 250, steps: 10_000 }, { by: 'Ann' });
    await add('self_test', { seconds: 1 }, { run_after: new Date(Date.now() + 3_600_000).toISOString() });
    await inState(await add('self_test', { die: 'kill' }, { tries_max: 1 }), 'dead');
    await send('PUT', '/schedules/nightly', { kind: 'backup', timing: '30 2 * * *' });
  });
  const states = [
    { name: 'everything', open: () => undefined, seen: '#dead tbody tr' },
    { name: 'one job', open: (shown) => shown.locator('.job-run a').first().click(), seen: '.job-sheet .facts' },
    { name: 'the form', open: (shown) => shown.getByRole('button', { name: 'Start a job…' }).click(), seen: '.job-form' },
    { name: 'the question', open: (shown) => shown.getByRole('button', { name: /^Stop/ }).first().click(), seen: 'dialog.confirm' },
  ];
  for (const [device, size] of Object.entries(sizes)) {
    for (const theme of ['light', 'dark']) {
      it(`${device}, ${theme}`, async () => {
        const small = await openPage(browser, { size, theme, reducedMotion: 'reduce' });
        for (const state of states) {
          await small.page.goto(`${demo.address}/jobs`);
          await small.page.locator('.job-run').first().waitFor();
          await state.open(small.page);
          await small.page.locator(state.seen).first().waitFor();
          assert.deepEqual(await axeViolations(small.page), [], state.name);
          const width = await small.page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(width <= size.width, `${state.name}: the page is ${width} px wide`);
        }
        assert.deepEqual(small.complaints, []);
        await small.close();
      });
    }
  }
});
