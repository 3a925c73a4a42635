import type { ComponentChildren } from 'preact';
import { at, link } from '../app/router.ts';
import type { ApiError } from '../model/answer.ts';
import { shownText } from '../model/name.ts';
import { Hint } from './hint.tsx';
import { Sign } from './mark.tsx';

/** What an error of the API says: what happened, what to do, and which run is in the way. */
export function ErrorBox({ error, children }: { error: ApiError; children?: ComponentChildren }) {
  return (
    <div class="box bad" role="alert">
      <p class="lead">
        <Sign tone="bad" shape="cross" /> {sentence(error.detail)}
      </p>
      {error.hint && <p>{sentence(error.hint)}</p>}
      {error.errors && error.errors.length > 1 && (
        <ul>
          {error.errors.map(({ path, message }) => (
            <li>
              <code>{shownText(path)}</code>: {shownText(message)}
            </li>
          ))}
        </ul>
      )}
      {error.run !== undefined && (
        <p>
          <a href={link(at`/runs/${error.run}`)}>Look at the run in progress</a>
        </p>
      )}
      {children}
      <p class="small">
        {error.title} · <code>{error.code}</code>
      </p>
    </div>
  );
}

function sentence(given: string): string {
  const text = shownText(given);
  return /[.!?:…]$/.test(text) ? text : `${text}.`;
}

/** Something to know: with a color, a sign and text. */
export function Note({ tone, children }: { tone: 'good' | 'warn' | 'bad' | 'quiet'; children: ComponentChildren }) {
  const shape = { good: 'check', warn: 'triangle', bad: 'cross', quiet: 'info' } as const;
  return (
    <div class={`box ${tone}`}>
      <Sign tone={tone} shape={shape[tone]} />
      <div>{children}</div>
    </div>
  );
}

interface ProblemNoteProps {
  of: { code: string; message: string; hint: string };
  tone?: 'warn' | 'bad';
}

/** A problem that is part of an answer: what it is, and what to do. */
export function ProblemNote({ of: { code, message, hint }, tone = 'bad' }: ProblemNoteProps) {
  return (
    <Note tone={tone}>
      <p>
        {sentence(message)} <code>{code}</code>
      </p>
      <p>
        <Hint of={hint} />
      </p>
    </Note>
  );
}

/** What stands where there is nothing yet: what would be here, and what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="lead">{title}</p>
      {children}
    </div>
  );
}
