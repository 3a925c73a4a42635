import { useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../model/answer.ts';
import { isFinal, pause } from '../model/polling.ts';
import { CallError } from './api.ts';
import { barrier } from './caller.ts';

/** What a screen shows of an answer that it asks for again and again. */
export interface Polled<T> {
  /** The last answer, however old. */
  data: T | undefined;
  /** Why there is no newer one. */
  error: ApiError | undefined;
  /** When the last answer came. */
  at: Date | undefined;
  /** When the next call is made after an error; undefined if none is. */
  retryAt: Date | undefined;
  /** Asks now. */
  again(): void;
}

let touched = Date.now();
for (const name of ['pointerdown', 'keydown', 'scroll']) {
  window.addEventListener(
    name,
    () => {
      touched = Date.now();
    },
    { passive: true },
  );
}

/**
 * Asks at once, and again `every` milliseconds after each answer. Stops while the page is hidden, and where asking
 * again is of no use. `about` names what is asked for: another one forgets the answer.
 */
export function usePolled<T>(
  about: string,
  load: (signal: AbortSignal) => Promise<T>,
  every: (data: T) => number | undefined = () => undefined,
): Polled<T> {
  const [state, setState] = useState<Omit<Polled<T>, 'again'> & { about: string }>(() => nothing(about));
  const [round, setRound] = useState(0);
  // The barrier falls: what was refused before is asked again.
  const isBarred = barrier.value !== undefined;

  // `about` names everything that `load` and `every` depend on.
  useEffect(() => {
    if (isBarred) return;
    const end = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let isAsking = false;
    const ask = async () => {
      clearTimeout(timer);
      if (isAsking || end.signal.aborted) return;
      isAsking = true;
      let next: number | undefined;
      try {
        const data = await load(end.signal);
        if (end.signal.aborted) return;
        failures = 0;
        next = pause({ every: every(data), failures, retryAfter: undefined, idle: Date.now() - touched });
        setState({ about, data, error: undefined, at: new Date(), retryAt: undefined });
      } catch (error) {
        if (end.signal.aborted) return;
        if (!(error instanceof CallError)) throw error;
        failures++;
        const { problem, retryAfter } = error;
        next = isFinal(problem.status) ? undefined : pause({ every: undefined, failures, retryAfter, idle: 0 });
        const retryAt = next === undefined ? undefined : new Date(Date.now() + next);
        setState((before) => ({ ...(before.about === about ? before : nothing(about)), error: problem, retryAt }));
      } finally {
        isAsking = false;
      }
      if (next !== undefined && !document.hidden) timer = setTimeout(() => void ask(), next);
      isDue = next !== undefined;
    };
    // Shown again, it asks at once.
    let isDue = true;
    const look = () => {
      if (document.hidden) clearTimeout(timer);
      else if (isDue) void ask();
    };
    document.addEventListener('visibilitychange', look);
    if (!document.hidden) void ask();
    return () => {
      end.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [about, round, isBarred]);

  const shown = state.about === about ? state : nothing<T>(about);
  return { ...shown, again: () => setRound((before) => before + 1) };
}

function nothing<T>(about: string): Omit<Polled<T>, 'again'> & { about: string } {
  return { about, data: undefined, error: undefined, at: undefined, retryAt: undefined };
}
