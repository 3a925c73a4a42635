import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { reasonProblem } from '../model/notes.ts';
import { Confirm } from './dialog.tsx';

interface ReasonDialogProps {
  title: string;
  action: string;
  isDanger?: boolean;
  /** Who reads the reason, and an example. */
  hint: string;
  /** Why it cannot be done now, whatever the reason. */
  why?: string | undefined;
  command?: (reason: string) => string | null;
  run: (reason: string) => Promise<void>;
  onClose: () => void;
  children: ComponentChildren;
}

/** Asks for the reason before something is done that others will wonder about. */
export function ReasonDialog({ hint, why, command, run, children, ...common }: ReasonDialogProps) {
  const [text, setText] = useState('');
  const reason = text.trim();
  // An empty one is refused by the browser, at the field.
  const wrong = text === '' ? undefined : reasonProblem(text);
  return (
    <Confirm
      {...common}
      why={why ?? wrong}
      command={command && reason !== '' && wrong === undefined ? command(reason) : null}
      run={() => run(reason)}
    >
      {children}
      <label class="field">
        <span>Why</span>
        <input required maxLength={200} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <span class="hint">{hint}</span>
      </label>
    </Confirm>
  );
}
