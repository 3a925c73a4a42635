/** The rows of a long list that are drawn, and the heights that stand for all others. */
export interface ListWindow {
  from: number;
  to: number;
  above: number;
  below: number;
}

/** Browsers draw no element that is much higher than this. */
const HIGHEST = 15_000_000;
const MARGIN = 20;

/**
 * Rows of one height. `top` is how far the list is scrolled, and `height` what of it can be seen, in pixels.
 */
export function listWindow(count: number, row: number, top: number, height: number): ListWindow {
  const most = Math.min(count, Math.floor(HIGHEST / row));
  const first = Math.floor(Math.max(0, top) / row);
  const from = Math.max(0, Math.min(first, most) - MARGIN);
  const to = Math.min(most, first + Math.ceil(height / row) + MARGIN);
  return { from, to: Math.max(from, to), above: from * row, below: (most - Math.max(from, to)) * row };
}
