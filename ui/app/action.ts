import { useRef, useState } from 'preact/hooks';
import type { ApiError } from '../model/answer.ts';
import { CallError } from './api.ts';

/** Something that a button does: whether it is in progress, and why it failed. One click at a time does it. */
export function useAction(run: () => Promise<void>, done: () => void = () => {}) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | undefined>(undefined);
  // A second click may come before the button is drawn as busy.
  const isRunning = useRef(false);
  const begin = () => {
    if (isRunning.current) return;
    isRunning.current = true;
    setBusy(true);
    setError(undefined);
    run()
      .then(done, (failure: unknown) => {
        if (!(failure instanceof CallError)) throw failure;
        setError(failure.problem);
      })
      .finally(() => {
        isRunning.current = false;
        setBusy(false);
      });
  };
  return { isBusy, error, begin };
}
