import { effect, signal } from '@preact/signals';
import { type Basket, readBasket } from '../model/basket.ts';

/** Kept for as long as the tab is open: others may use this browser later. */
const KEPT = 'strongroom.basket';

/** What the reader has collected, to restore it together. */
export const basket = signal<Basket>(readBasket(sessionStorage.getItem(KEPT)));

effect(() => {
  const text = JSON.stringify(basket.value);
  try {
    sessionStorage.setItem(KEPT, text);
  } catch {
    // The browser keeps no more: the basket lasts until the page is loaded again.
  }
});
