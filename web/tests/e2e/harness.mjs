// Starts the real program with its demo company and a browser without a network of its own.
//
//   MILLRACE_BIN   the program, default ../build/release/millrace beside this folder
//   CHROMIUM       the browser, default /usr/bin/chromium
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { unpack } from './zip.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const binary = resolve(process.env.MILLRACE_BIN ?? join(here, '../../../build/release/millrace'));
const startTimeout = 60_000; // milliseconds

export const sizes = { desktop: { width: 1350, height: 860 }, phone: { width: 390, height: 844 } };

// Ends with the address that a program prints.
async function addressOf(program, pattern) {
  let said = '';
  return new Promise((found, failed) => {
    const timer = setTimeout(() => failed(new Error(`No address after ${startTimeout} ms. It said:\n${said}`)), startTimeout);
    const hear = (part) => {
      said += part;
      const match = pattern.exec(said);
      if (match === null) return;
      clearTimeout(timer);
      found(match.slice(1));
    };
    program.stdout.on('data', hear);
    program.stderr.on('data', hear);
    program.on('error', failed);
    program.on('exit', (code) => failed(new Error(`The program ended with ${code}. It said:\n${said}`)));
  });
}

async function ended(program) {
  const end = new Promise((done) => program.on('exit', done));
  program.kill('SIGTERM');
  await end;
}

const printed = /→ (http:\/\/127\.0\.0\.1:\d+)/;
// The program refuses settings it does not know: ours for this test are not its.
const cleanEnvironment = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_')));
const start = (program, options) => spawn(program, options, { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });

// { address, data, stop } of a running demo company.
export async function startDemo({ orders = 400, seed = 7 } = {}) {
  const data = await mkdtemp(join(tmpdir(), 'millrace-e2e-'));
  const program = start(binary, ['demo', '--orders', `${orders}`, '--seed', `${seed}`, '--data', data, '--listen', '127.0.0.1:0', '--no-open']);
  const [address] = await addressOf(program, printed);
  const stop = async () => {
    await ended(program);
    await rm(data, { recursive: true, force: true });
  };
  return { address, data, stop };
}

// The same behind a sign-in: `link` makes the first administrator.
export async function startGuarded({ orders = 200, seed = 7 } = {}) {
  const data = await mkdtemp(join(tmpdir(), 'millrace-e2e-'));
  const program = start(binary, ['demo', '--auth', 'sign-in', '--orders', `${orders}`, '--seed', `${seed}`, '--data', data, '--listen', '127.0.0.1:0', '--no-open']);
  const [address, link] = await addressOf(program, /→ (http:\/\/127\.0\.0\.1:\d+)[\s\S]*?(http:\/\/\S+\/setup#\S+)/);
  const stop = async () => {
    await ended(program);
    await rm(data, { recursive: true, force: true });
  };
  return { address, link, data, stop };
}

// A program that follows the source `sap`, a simulated ERP: `tell` asks that ERP's control door, `act` the source;
// `changePassword` writes the source's secret anew.
export async function startFollowed({ orders = 120, password = 'manager' } = {}) {
  const data = await mkdtemp(join(tmpdir(), 'millrace-e2e-'));
  const erp = start(join(dirname(binary), 'src/millrace_erp_simulator'), ['--orders', `${orders}`]);
  const [url, control] = await addressOf(erp, /erp (\S+)\ncontrol (\S+)\n/);
  const secret = join(data, 'sap.password');
  const changePassword = (text) => writeFile(secret, text, { mode: 0o600 });
  await changePassword(password);
  const settings = join(data, 'millrace.toml');
  const values = { kind: 'sap-b1', url, company: 'NORDWERK', user: 'manager', password_file: secret, interval: '1h', interval_max: '1h' };
  await writeFile(settings, `[source.sap]\n${Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join('')}`);
  const program = start(binary, ['serve', '--config', settings, '--data', join(data, 'data'), '--listen', '127.0.0.1:0']);
  const [address] = await addressOf(program, printed);
  const post = async (where) => {
    const response = await fetch(where, { method: 'POST' });
    if (!response.ok) throw new Error(`${where}: ${response.status} ${await response.text()}`);
  };
  const stop = async () => {
    await ended(program);
    await ended(erp);
    await rm(data, { recursive: true, force: true });
  };
  return { address, stop, changePassword, tell: (path) => post(control + path), act: (what) => post(`${address}/api/v1/sources/sap/${what}`) };
}

export async function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

// A page that remembers everything the browser complained about: the content policy included.
export async function openPage(browser, { size = sizes.desktop, theme = 'light', reducedMotion = 'no-preference' } = {}) {
  const context = await browser.newContext({
    viewport: size,
    colorScheme: theme,
    reducedMotion,
    hasTouch: size === sizes.phone,
    locale: 'en-GB',
    acceptDownloads: true,
  });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return { page, complaints, close: () => context.close() };
}

export async function getJson(address, path) {
  const response = await fetch(address + path, { headers: { Accept: 'application/json' } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

// Waits until `holds` answers something true; for facts outside the page (the page has its own waiting).
export async function until(what, holds, timeout = 15_000) {
  const end = Date.now() + timeout;
  for (;;) {
    const answer = await holds();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`Not true after ${timeout} ms: ${what}`);
    await new Promise((next) => setTimeout(next, 20)); // asks again, and lets the program work
  }
}

// The demo's ERP once it has been read and is followed; until then orders change hands.
export async function serviceInStep(demo) {
  let seen;
  try {
    return await until('the ERP of the demo is in step', async () => {
      const { data } = await getJson(demo.address, '/api/v1/sources');
      seen = data.find((source) => source.service !== null);
      return ['polling', 'live'].includes(seen.state) && seen.refresh.count > 0 && seen.as_of_time !== null && seen;
    }, startTimeout);
  } catch (error) {
    throw new Error(`${error.message}; it says: ${JSON.stringify(seen)}`, { cause: error });
  }
}

// A difference that no person has decided, once there is one.
// The demo goes on while tests run: a file that changed differs only until the ERP's next sync. What the ERP changed alone stays.
export const undecided = (demo) =>
  until(
    'the ERP of the demo differs somewhere',
    async () => {
      const { data } = await getJson(demo.address, '/api/v1/differences?decided=0&limit=100');
      const updated = (row, source) => row.values.find((value) => value.source === source)?.updated ?? '';
      return data.find((row) => updated(row, 'erp') > updated(row, 'orders'));
    },
    startTimeout,
  );

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function axeViolations(page) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const answer = await globalThis.axe.run(document, { runOnly: tags });
    return answer.violations.map((one) => ({ id: one.id, nodes: one.nodes.map((node) => node.target.join(' ')) }));
  });
  return violations;
}

// Content of one file of a ZIP archive (XLSX).
export function unzip(archive, name) {
  const content = unpack(archive).get(name);
  if (content === undefined) throw new Error(`${name} is not in the archive`);
  return content.toString('utf8');
}
