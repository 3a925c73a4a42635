import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { withText } from '../model/many.ts';
import { number } from '../model/quantity.ts';
import { Button } from './button.tsx';

/** Rows that are drawn before more are asked for: thousands are slow to draw, and too many to read. */
const MOST = 100;

interface Many<Item> {
  shown: readonly Item[];
  /** Above the rows, if there are many: a field for a part of a name. */
  filter: ComponentChildren;
  /** Below the rows: what is not shown. */
  rest: ComponentChildren;
}

/** The first of rows that may be thousands, and ways to the others. Without names, they are not searched. */
export function useMany<Item>(items: readonly Item[], nameOf?: (item: Item) => string, first = MOST): Many<Item> {
  const [text, setText] = useState('');
  const [most, setMost] = useState(first);
  const found = nameOf === undefined ? items : withText(items, nameOf, text);
  const left = found.length - most;
  return {
    shown: found.slice(0, most),
    filter: nameOf !== undefined && items.length > first && (
      <label class="field narrow">
        <span>Names that contain</span>
        <input
          type="search"
          value={text}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
    ),
    rest: (
      <>
        {found.length === 0 && items.length > 0 && (
          <p class="muted">None of {number(items.length)} has this in its name.</p>
        )}
        {left > 0 && (
          <p>
            <Button onClick={() => setMost(most + MOST)}>
              Show {number(Math.min(left, MOST))} more of {number(left)}
            </Button>
          </p>
        )}
      </>
    ),
  };
}
