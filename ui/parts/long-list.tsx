import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { listWindow } from '../model/list-window.ts';

interface LongListProps<Item> {
  /** What the list shows, for those who do not see it. */
  label: string;
  items: readonly Item[];
  /** Tells the items apart. */
  keyOf: (item: Item) => string;
  /** One line. */
  children: (item: Item, index: number) => ComponentChildren;
}

/** The height of a row in pixels, as in the style sheet. */
const ROW = 40;

/** Lines of which only those near the window are drawn: there may be 100,000. The page scrolls, not the list. */
export function LongList<Item>({ label, items, keyOf, children }: LongListProps<Item>) {
  const ref = useRef<HTMLUListElement>(null);
  const [top, setTop] = useState(0);
  useEffect(() => {
    // Whole steps of rows, so that most scrolling draws nothing.
    const look = () => {
      const above = -(ref.current?.getBoundingClientRect().top ?? 0);
      setTop(Math.floor(above / (ROW * 8)) * ROW * 8);
    };
    look();
    window.addEventListener('scroll', look, { passive: true });
    window.addEventListener('resize', look);
    return () => {
      window.removeEventListener('scroll', look);
      window.removeEventListener('resize', look);
    };
  }, []);
  const { from, to, above, below } = listWindow(items.length, ROW, top, window.innerHeight + ROW * 8);
  return (
    <ul ref={ref} class="long-list" aria-label={label}>
      {above > 0 && <li class="gap" aria-hidden="true" style={{ height: `${above}px` }} />}
      {items.slice(from, to).map((item, index) => (
        <li key={keyOf(item)} class="line-row" aria-setsize={items.length} aria-posinset={from + index + 1}>
          {children(item, from + index)}
        </li>
      ))}
      {below > 0 && <li class="gap" aria-hidden="true" style={{ height: `${below}px` }} />}
    </ul>
  );
}
