import { useState } from 'preact/hooks';
import { Button } from './button.tsx';

/** Copies a text, and says that it has. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [state, setState] = useState<'ready' | 'done' | 'refused'>('ready');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState('done');
    } catch {
      setState('refused');
    }
    setTimeout(() => setState('ready'), 3000);
  };
  const words = { ready: 'Copy', done: 'Copied', refused: 'Select it and copy it' };
  return (
    <Button kind="quiet" onClick={() => void copy()} label={state === 'ready' ? `Copy ${what}` : words[state]}>
      {words[state]}
    </Button>
  );
}

/** A command, to run elsewhere. */
export function Command({ text }: { text: string }) {
  return (
    <div class="command">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
      <pre tabIndex={0}>{text}</pre>
      <Copy text={text} what="the command" />
    </div>
  );
}
