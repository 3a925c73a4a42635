import type { Ref } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../model/answer.ts';
import { Button } from '../parts/button.tsx';
import { ErrorBox, Note } from '../parts/problem.tsx';
import { Screen } from '../parts/screen.tsx';
import { unanswered } from './caller.ts';
import { visits } from './router.ts';
import { signIn } from './session.ts';

/** Microsoft Entra signs in, and comes back to where the reader was. */
const ENTRA = '/.auth/login/aad?post_login_redirect_uri=';

/** Instead of every screen, while it is not known who calls or the app cannot start. */
export function SignIn({ problem, isKeyWrong }: { problem: ApiError; isKeyWrong: boolean }) {
  const field = useRef<HTMLInputElement>(null);
  const isKeyFirst = !(problem.ways ?? ['key']).includes('entra');
  const visit = visits.value;
  // After that of the screen, which would give the focus to the heading.
  useEffect(() => {
    if (isKeyFirst) field.current?.focus();
  }, [isKeyFirst, visit]);
  if (problem.code === 'misconfigured') return <Misconfigured problem={problem} />;
  const ways = problem.ways ?? ['key'];
  return (
    <Screen title="Sign in">
      {unanswered.value && <ErrorBox error={unanswered.value} />}
      {isKeyWrong && <Note tone="bad">This key is not one of the app. It may have been replaced.</Note>}
      <div class="cards">
        {ways.includes('entra') && (
          <section class="card">
            <h2>With your account</h2>
            <p>Your roles in Microsoft Entra decide what you may do here.</p>
            <a class="button main" href={ENTRA + encodeURIComponent(window.location.pathname + window.location.search)}>
              Sign in with Microsoft
            </a>
          </section>
        )}
        {ways.includes('key') && <WithKey isFirst={isKeyFirst} field={field} />}
      </div>
    </Screen>
  );
}

function WithKey({ isFirst, field }: { isFirst: boolean; field: Ref<HTMLInputElement> }) {
  const [key, setKey] = useState('');
  const [isBusy, setBusy] = useState(false);
  return (
    <section class="card">
      <h2>With a key</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (key.trim() === '') return;
          setBusy(true);
          void signIn(key.trim()).finally(() => setBusy(false));
        }}
      >
        <label class="field">
          <span>Key of the app</span>
          <input
            ref={field}
            type="password"
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
            autocomplete="current-password"
          />
          <span class="hint">
            A function key, or one that “access” in strongroom.json names. It stays in this tab, until you close it.
          </span>
        </label>
        <Button submits kind={isFirst ? 'main' : 'plain'} isBusy={isBusy}>
          Sign in with the key
        </Button>
      </form>
    </section>
  );
}

function Misconfigured({ problem }: { problem: ApiError }) {
  return (
    <Screen title="The app cannot start">
      <ErrorBox error={{ ...problem, detail: 'The configuration has errors, so nothing is backed up' }} />
      <p>
        Until they are corrected, no schedule starts and no upload is archived. What is in the vault is not affected.
        This page looks again every few seconds.
      </p>
    </Screen>
  );
}
