import type { ComponentChildren } from 'preact';
import { now } from '../app/clock.ts';
import type { Polled } from '../app/poll.ts';
import { clock } from '../model/time.ts';
import { Button } from './button.tsx';
import { ErrorBox } from './problem.tsx';
import { shownZone } from './time.tsx';

interface LoadedProps<T> {
  of: Polled<T>;
  /** How many grey lines stand in the place until the answer is there. */
  lines?: number;
  children: (data: T) => ComponentChildren;
}

/**
 * What is shown of an answer: grey lines until it is there, the answer, or the error. After an error, the last answer
 * stays, with the time it was true.
 */
export function Loaded<T>({ of, lines = 6, children }: LoadedProps<T>) {
  const { data, error, at, retryAt, again } = of;
  if (data === undefined && error === undefined) return <Waiting lines={lines} />;
  const seconds = retryAt && Math.max(0, Math.round((retryAt.getTime() - now.value.getTime()) / 1000));
  return (
    <>
      {error && (
        <ErrorBox error={error}>
          {data !== undefined && at && <p>What follows is as of {clock(at, shownZone())}.</p>}
          <p>
            {seconds !== undefined && `Trying again in ${seconds} s. `}
            <Button onClick={again}>Try now</Button>
          </p>
        </ErrorBox>
      )}
      {data !== undefined && children(data)}
    </>
  );
}

export function Waiting({ lines }: { lines: number }) {
  return (
    <div class="waiting" aria-busy="true">
      <span class="unseen">Loading …</span>
      {Array.from({ length: lines }, () => (
        <span class="line" />
      ))}
    </div>
  );
}
