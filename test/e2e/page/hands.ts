import type { Locator, Page } from 'playwright-core';

/** How someone uses the page: with the mouse, or with the keyboard alone. */
export interface Hands {
  name: string;
  /** Uses a link or a button, also one that says why it cannot be used; checks a box, or chooses one of several. */
  press(what: Locator): Promise<void>;
  write(field: Locator, text: string): Promise<void>;
  /** Opens a row of a list. */
  open(row: Locator): Promise<void>;
  /** Searches names that contain a text. */
  find(page: Page, text: string): Promise<void>;
  go(page: Page, to: 'Overview' | 'Runs' | 'Restore points'): Promise<void>;
}

export const MOUSE: Hands = {
  name: 'the mouse',
  async press(what) {
    // Not as Playwright would: it waits for a button that cannot be used.
    await what.click({ force: true });
  },
  async write(field, text) {
    await field.click({ clickCount: 3 });
    await field.page().keyboard.insertText(text);
  },
  async open(row) {
    await row.click();
  },
  async find(page, text) {
    await MOUSE.press(page.getByRole('link', { name: 'Restore', exact: true }));
    const search = page.getByRole('form', { name: 'Find a file to restore' });
    await MOUSE.write(search.getByRole('searchbox'), text);
    await MOUSE.press(search.getByRole('button', { name: 'Find' }));
  },
  async go(page, to) {
    await MOUSE.press(page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: to }));
  },
};

/** More than these lie between no two elements of the page. */
const MOST_STEPS = 120;
const KEYS = { Overview: 'o', Runs: 'r', 'Restore points': 'p' } as const;

/** Everything is reached with keys from where the focus is; nothing is given the focus. */
export const KEYBOARD: Hands = {
  name: 'the keyboard alone',
  async press(what) {
    const type = await what.evaluate((element) => (element instanceof HTMLInputElement ? element.type : ''));
    if (type === 'radio') return chooseOneOf(what);
    await reach(what, 'Tab');
    await what.page().keyboard.press(type === 'checkbox' ? 'Space' : 'Enter');
  },
  async write(field, text) {
    await reach(field, 'Tab');
    await field.page().keyboard.press('ControlOrMeta+a');
    await field.page().keyboard.insertText(text);
  },
  async open(row) {
    await reach(row, 'j');
    await row.page().keyboard.press('Enter');
  },
  async find(page, text) {
    await page.keyboard.press('/');
    await page.keyboard.insertText(text);
    await page.keyboard.press('Enter');
    // Single keys do nothing while one types.
    await page.keyboard.press('Escape');
  },
  async go(page, to) {
    await page.keyboard.press('g');
    await page.keyboard.press(KEYS[to]);
  },
};

/** Presses a key until the element has the focus. */
async function reach(what: Locator, key: string): Promise<void> {
  await what.waitFor();
  for (let step = 0; step < MOST_STEPS; step++) {
    if (await hasFocus(what)) return;
    await what.page().keyboard.press(key);
  }
  throw new Error(`The key ${key} does not reach ${what}`);
}

/** Tab leads to the chosen one of a group, and the arrows from there. */
async function chooseOneOf(radio: Locator): Promise<void> {
  await radio.waitFor();
  for (let step = 0; step < MOST_STEPS; step++) {
    if (await hasFocus(radio)) break;
    const isInGroup = await radio.evaluate(
      (element) =>
        document.activeElement instanceof HTMLInputElement &&
        document.activeElement.type === 'radio' &&
        document.activeElement.name === (element as HTMLInputElement).name,
    );
    await radio.page().keyboard.press(isInGroup ? 'ArrowDown' : 'Tab');
  }
  if (!(await radio.isChecked())) await radio.page().keyboard.press('Space');
}

function hasFocus(what: Locator): Promise<boolean> {
  return what.evaluate((element) => element === document.activeElement);
}
