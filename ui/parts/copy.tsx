import { useState } from 'preact/hooks';
import type { Permission } from '#domain/access/permission.ts';
import { lacking } from '../app/caller.ts';
import { Button } from './button.tsx';

interface CopyProps {
  text: string;
  /** What is copied, for those who do not see what stands beside it. */
  what: string;
  words?: string;
  /** The text is on the screen: one can select it there if the browser does not copy. */
  isShown?: boolean;
}

/** Copies a text, and says that it has. Without TLS, browsers refuse: then it shows the text. */
export function Copy({ text, what, words = 'Copy', isShown = false }: CopyProps) {
  const [state, setState] = useState<'ready' | 'done' | 'refused'>('ready');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState('done');
      setTimeout(() => setState('ready'), 3000);
    } catch {
      setState('refused');
    }
  };
  const shown = { ready: words, done: 'Copied', refused: 'Select it and copy it' }[state];
  return (
    <>
      <Button kind="quiet" onClick={() => void copy()} label={state === 'ready' ? `${words} ${what}` : shown}>
        {shown}
      </Button>
      {state === 'refused' && !isShown && <Block text={text} />}
    </>
  );
}

/** A text of several lines, or a long one. */
export function Block({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <pre class="block" tabIndex={0}>
      {text}
    </pre>
  );
}

/** A command, to run elsewhere. */
export function Command({ text }: { text: string }) {
  return (
    <div class="command">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
      <pre tabIndex={0}>{text}</pre>
      <Copy text={text} what="the command" isShown />
    </div>
  );
}

/** Beside a button: the line that does the same, for those who may do it. */
export function CopyCommand({ line, needs }: { line: string | null; needs: Permission }) {
  if (line === null || lacking(needs) !== undefined) return null;
  return <Copy text={line} what={line} words="Copy as command" />;
}

/** Below buttons: the lines that do the same. */
export function AsCommand({ lines }: { lines: readonly string[] }) {
  return (
    <details>
      <summary>The same as a command</summary>
      {lines.map((line) => (
        <Command key={line} text={line} />
      ))}
    </details>
  );
}
