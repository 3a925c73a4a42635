import { signal } from '@preact/signals';

const text = signal('');

/** Has a screen reader say something that has changed by itself: the end of a run, not its progress. */
export function announce(sentence: string): void {
  text.value = sentence;
}

export function Announcer() {
  return (
    <p class="unseen" aria-live="polite">
      {text.value}
    </p>
  );
}
