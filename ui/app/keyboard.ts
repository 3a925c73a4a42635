import { signal } from '@preact/signals';
import { keep, kept } from './kept.ts';
import { go, link } from './router.ts';

/** Keys and what they do, in the words of the help. */
export const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ['/', 'find a file'],
  ['g then o', 'overview'],
  ['g then r', 'runs'],
  ['g then f', 'restore: find a file'],
  ['g then p', 'restore points'],
  ['j, k', 'next and previous row'],
  ['Enter', 'open the row'],
  ['← →', 'in the last 30 days of a job: another day'],
  ['Esc', 'close a dialog, leave a field'],
  ['?', 'show these keys'],
];

const PLACES: Readonly<Record<string, string>> = { o: '/', r: '/runs', f: '/find', p: '/points' };
/** Milliseconds between `g` and the key after it. */
const BETWEEN = 1_500;

/** Single keys can be switched off: some people speak to their browser, and words are keys then. */
export const areKeysOn = signal(kept('keys') !== 'off');
export const isHelpOpen = signal(false);

export function switchKeys(on: boolean): void {
  areKeysOn.value = on;
  keep('keys', on ? 'on' : 'off');
}

export function listenToKeys(): void {
  let wentAt = 0;
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    const isTyping =
      target instanceof HTMLElement && target.matches('input:not([type=checkbox],[type=radio]), textarea, select');
    if (isTyping) {
      if (key === 'Escape') target.blur();
      return;
    }
    if (!areKeysOn.peek() || document.querySelector('dialog[open]')) return;
    const place = event.timeStamp - wentAt < BETWEEN ? PLACES[key] : undefined;
    wentAt = key === 'g' ? event.timeStamp : 0;
    if (place !== undefined) go(link(place));
    else if (key === '/') document.querySelector<HTMLElement>('[data-find]')?.focus();
    else if (key === '?') isHelpOpen.value = true;
    else if (key === 'j' || key === 'k') moveBy(key === 'j' ? 1 : -1);
    else return;
    event.preventDefault();
  });
}

/** Between the rows of what is shown: the elements with `data-row`, which can have the focus. */
function moveBy(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
  rows[next]?.focus();
}
