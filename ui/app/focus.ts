/** Where the reader continues if there is no better place: the heading of the screen. */
export function focusHeading(): void {
  document.querySelector<HTMLElement>('#main h1')?.focus({ preventScroll: true });
}

/** Lists whose rows come and go while they are scrolled. */
const SCROLLED = '.long-list';

/**
 * What has the focus may disappear: a button that has done its work, a dialog, a row that is settled. Browsers then put
 * the focus before everything, and a reader with a keyboard would have to start from there.
 */
export function keepFocus(): void {
  let last: Element | null = null;
  document.addEventListener('focusin', ({ target }) => {
    last = target instanceof Element && target.closest(SCROLLED) === null ? target : null;
  });
  new MutationObserver(() => {
    if (last === null || last.isConnected) return;
    last = null;
    if (document.activeElement === document.body) focusHeading();
  }).observe(document.body, { childList: true, subtree: true });
}
