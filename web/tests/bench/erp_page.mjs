// When a row of the orders screen shows something new: for bench/erp_live.py.
//
//   node tests/bench/erp_page.mjs ADDRESS ORDER
//
// Opens the orders screen of ADDRESS with ORDER on it, prints READY, then for each change of its row the time of day of
// the frame after it, in milliseconds. Ends when its input does.
import { openPage, startBrowser } from '../e2e/harness.mjs';

const [address, order] = process.argv.slice(2);

// Runs in the page: tells the frame after the row's text changed.
const watch = (wanted) => {
  const text = () => [...document.querySelectorAll('.grid-body [role=row]:not([hidden])')].map((row) => row.textContent).find((row) => row.includes(wanted));
  let shown = text();
  const look = () => {
    const now = text();
    if (now === undefined || now === shown) return;
    shown = now;
    requestAnimationFrame(() => globalThis.rowChanged(performance.timeOrigin + performance.now()));
  };
  new MutationObserver(look).observe(document.querySelector('.grid-body'), { subtree: true, childList: true, characterData: true });
};

const browser = await startBrowser();
const view = await openPage(browser);
try {
  await view.page.exposeFunction('rowChanged', (time) => console.log(time.toFixed(3)));
  await view.page.goto(`${address}/orders?q=${encodeURIComponent(order)}`);
  await view.page.locator('.grid-body [role=row]:not([hidden])', { hasText: order }).first().waitFor();
  await view.page.evaluate(watch, order);
  console.log('READY');
  for await (const _ of process.stdin) ;
} finally {
  await browser.close();
}
