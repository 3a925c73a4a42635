import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { CallError } from '../app/api.ts';
import type { ApiError } from '../model/answer.ts';
import { Button } from './button.tsx';
import { ErrorBox } from './problem.tsx';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A dialog in front of the page. Esc closes it, and the focus goes back to where it was. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What is going to be, and what is left behind. */
  children?: ComponentChildren;
  /** A verb with its object. */
  action: string;
  isDanger?: boolean;
  /** What has to be typed before, such as the name of the job. */
  typed?: string | undefined;
  /** Why it cannot be done now. */
  why?: string | undefined;
  /** Throws a `CallError` if it cannot be done. */
  run: () => Promise<void>;
  onClose: () => void;
}

/** Asks before something is done, does it, and closes if it is done. An error of the API stays in it. */
export function Confirm({ title, children, action, isDanger = false, typed, why, run, onClose }: ConfirmProps) {
  const [text, setText] = useState('');
  const { isBusy, error, begin } = useAction(run, onClose);
  const missing = typed !== undefined && text !== typed ? `Type ${typed} first.` : undefined;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy && (why ?? missing) === undefined) begin();
        }}
      >
        {children}
        {typed !== undefined && (
          <label class="field">
            <span>
              Type <code>{typed}</code> to confirm
            </span>
            <input
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
              autocomplete="off"
              spellcheck={false}
            />
          </label>
        )}
        {error && <ErrorBox error={error} />}
        <div class="actions">
          <Button
            submits
            kind={isDanger ? 'danger' : 'main'}
            isBusy={isBusy}
            why={why ?? (isDanger ? missing : undefined)}
          >
            {action}
          </Button>
          <Button onClick={onClose}>Leave it</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Something that a button does: whether it is in progress, and why it failed. */
export function useAction(run: () => Promise<void>, done: () => void = () => {}) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | undefined>(undefined);
  const begin = () => {
    setBusy(true);
    setError(undefined);
    run()
      .then(done, (failure: unknown) => {
        if (!(failure instanceof CallError)) throw failure;
        setError(failure.problem);
      })
      .finally(() => setBusy(false));
  };
  return { isBusy, error, begin };
}
