import { styleText } from 'node:util';

export type Style = 'dim' | 'bold' | 'red' | 'green' | 'yellow' | 'cyan';

export function painted(text: string, style: Style): string {
  return text === '' ? '' : styleText(style, text, { validateStream: false });
}

/** Words that say how something stands; each colour has a word beside it. */
const COLOURS: Record<string, Style> = {
  ...{ ok: 'green', succeeded: 'green', done: 'green', held: 'green', keep: 'green' },
  ...{ running: 'cyan', due: 'cyan', claimed: 'cyan', planned: 'cyan' },
  ...{
    incomplete: 'yellow',
    skipped: 'yellow',
    paused: 'yellow',
    never: 'yellow',
    unknown: 'yellow',
    warning: 'yellow',
  },
  ...{ unneeded: 'yellow', cancelled: 'yellow', remove: 'yellow', empty: 'yellow' },
  ...{ failed: 'red', overdue: 'red', 'not-started': 'red', stalled: 'red', missing: 'red', missed: 'red' },
  ...{ error: 'red', critical: 'red' },
};

/** A word for a state, in its colour. */
export function stateWord(text: string): string | { text: string; style: Style } {
  const style = Object.hasOwn(COLOURS, text) ? COLOURS[text] : undefined;
  return style === undefined ? text : { text, style };
}
