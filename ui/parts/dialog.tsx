import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { useAction } from '../app/action.ts';
import { Button } from './button.tsx';
import { AsCommand } from './copy.tsx';
import { ErrorBox } from './problem.tsx';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A dialog in front of the page. Esc closes it, and the focus goes back to where it was, if that is still there. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before it is taken from the document: closing it gives the focus back, and a dialog that is gone cannot.
  useLayoutEffect(() => {
    const dialog = ref.current!;
    dialog.showModal();
    return () => dialog.close();
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
  /** Why it cannot be done now. */
  why?: string | undefined;
  /** The line that does the same; null if there is none. */
  command?: string | null;
  /** Throws a `CallError` if it cannot be done. */
  run: () => Promise<void>;
  onClose: () => void;
}

/** Asks before something is done, does it, and closes if it is done. An error of the API stays in it. */
export function Confirm(props: ConfirmProps) {
  const { title, children, action, isDanger = false, why, command = null, run, onClose } = props;
  const { isBusy, error, begin } = useAction(run, onClose);
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          if (why === undefined) begin();
        }}
      >
        {children}
        {error && <ErrorBox error={error} />}
        <div class="actions">
          <Button submits kind={isDanger ? 'danger' : 'main'} isBusy={isBusy} why={why}>
            {action}
          </Button>
          <Button onClick={onClose}>Leave it</Button>
        </div>
        {command !== null && <AsCommand lines={[command]} />}
      </form>
    </Dialog>
  );
}
