import type { ComponentChildren } from 'preact';
import type { ApiError } from '../model/answer.ts';
import { shownText } from '../model/name.ts';
import { Sign } from './mark.tsx';

/** What an error of the API says: what happened, and what to do. */
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
      {children}
      <p class="small">
        {error.title} · <code>{error.code}</code>
      </p>
    </div>
  );
}

function sentence(text: string): string {
  const shown = shownText(text);
  return /[.!?:…]$/.test(shown) ? shown : `${shown}.`;
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

/** What stands where there is nothing yet: what would be here, and what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="lead">{title}</p>
      {children}
    </div>
  );
}
