import type { ComponentChildren } from 'preact';
import type { Mark as Meaning, Shape } from '../model/mark.ts';

const PATHS: Readonly<Record<Shape, ComponentChildren>> = {
  check: (
    <>
      <circle cx="8" cy="8" r="7" class="fill" />
      <path d="m4.8 8.3 2.2 2.2 4.3-4.6" class="cut" />
    </>
  ),
  half: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line" />
      <path d="M8 1.8a6.2 6.2 0 0 0 0 12.4z" class="fill" />
    </>
  ),
  cross: (
    <>
      <circle cx="8" cy="8" r="7" class="fill" />
      <path d="m5.5 5.5 5 5m0-5-5 5" class="cut" />
    </>
  ),
  square: <rect x="2.5" y="2.5" width="11" height="11" rx="2" class="fill" />,
  dot: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line ring" />
      <circle cx="8" cy="8" r="3.4" class="fill" />
    </>
  ),
  dash: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line" />
      <path d="M5 8h6" class="line" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line" />
      <path d="M8 4.6V8l2.3 1.6" class="line" />
    </>
  ),
  pause: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line" />
      <path d="M6.3 5.7v4.6m3.4-4.6v4.6" class="line" />
    </>
  ),
  question: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line" />
      <path d="M6.2 6.4a1.8 1.8 0 1 1 2.6 1.7c-.6.3-.8.6-.8 1.1m0 1.9v.1" class="line" />
    </>
  ),
  triangle: (
    <>
      <path d="M8 1.6 15.2 14H.8z" class="fill" />
      <path d="M8 6v3.6m0 2.1v.1" class="cut" />
    </>
  ),
  info: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line" />
      <path d="M8 7.4v3.4m0-5.8v.1" class="line" />
    </>
  ),
};

/** A shape alone, for where the word stands beside it already. */
export function Sign({ tone, shape }: Pick<Meaning, 'tone' | 'shape'>) {
  return (
    <svg class={`sign ${tone}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {PATHS[shape]}
    </svg>
  );
}

/** How something stands: shape, word and color. */
export function Mark({ mark, children }: { mark: Meaning; children?: ComponentChildren }) {
  return (
    <span class={`mark ${mark.tone}`}>
      <Sign {...mark} />
      <span>{children ?? mark.word}</span>
    </span>
  );
}
