import { useState } from 'preact/hooks';
import { useAction } from '../app/action.ts';
import { post } from '../app/api.ts';
import { key, lacking, unanswered, who } from '../app/caller.ts';
import { areKeysOn, switchKeys } from '../app/keyboard.ts';
import { signOut } from '../app/session.ts';
import { THEMES, theme } from '../app/theme.ts';
import { MAY } from '../model/access.ts';
import { commandOf } from '../model/command.ts';
import { counted } from '../model/quantity.ts';
import { Button } from '../parts/button.tsx';
import { CopyCommand } from '../parts/copy.tsx';
import { Waiting } from '../parts/loaded.tsx';
import { Sign } from '../parts/mark.tsx';
import { ErrorBox, Note } from '../parts/problem.tsx';
import { Screen } from '../parts/screen.tsx';

/** Who looks, what they may do, and what they have chosen; and the few calls that belong to no job. */
export function Settings() {
  return (
    <Screen title="Settings">
      <div class="cards">
        <Caller />
        <Look />
        <Channel />
        <Catalog />
      </div>
    </Screen>
  );
}

function Caller() {
  const caller = who.value;
  if (!caller) return unanswered.value ? <ErrorBox error={unanswered.value} /> : <Waiting lines={5} />;
  const { name, via, roles, may, signOut: address } = caller;
  const how = {
    entra: 'signed in with Microsoft Entra',
    key: 'with a key',
    loopback: 'on this machine, without a key',
    schedule: '',
  }[via];
  return (
    <section class="card">
      <h2>{name ?? 'You'}</h2>
      <p>
        {how}
        {roles.length > 0 && `, as ${roles.join(', ')}`}
      </p>
      <ul class="plain">
        {MAY.map(([permission, words]) => {
          const has = may.includes(permission);
          return (
            <li class={has ? undefined : 'muted'}>
              <Sign tone={has ? 'good' : 'quiet'} shape={has ? 'check' : 'dash'} />{' '}
              <span class="unseen">{has ? 'may' : 'may not'}</span> {words}
            </li>
          );
        })}
      </ul>
      {(address !== null || key.value !== null) && (
        <div class="actions">
          <Button onClick={signOut}>Sign out</Button>
        </div>
      )}
    </section>
  );
}

const THEME_WORDS = { system: 'as the system', light: 'light', dark: 'dark' } as const;

function Look() {
  return (
    <section class="card">
      <h2>This browser</h2>
      <fieldset>
        <legend>Colors</legend>
        {THEMES.map((each) => (
          <label class="choice">
            <input type="radio" name="theme" checked={theme.value === each} onChange={() => (theme.value = each)} />
            {THEME_WORDS[each]}
          </label>
        ))}
      </fieldset>
      <label class="choice">
        <input
          type="checkbox"
          checked={areKeysOn.value}
          onChange={(event) => switchKeys(event.currentTarget.checked)}
        />
        Single keys do something
      </label>
    </section>
  );
}

function Channel() {
  const [name, setName] = useState('');
  const [sent, setSent] = useState<string | undefined>(undefined);
  const { begin, isBusy, error } = useAction(async () => {
    setSent(undefined);
    await post('testChannel', 'notify/test', { channel: name.trim() });
    setSent(name.trim());
  });
  const why = lacking('run');
  return (
    <section class="card">
      <h2>Messages</h2>
      <p>
        The watch sends messages to the channels in <code>strongroom.json</code>. Try one:
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (why === undefined && name.trim() !== '') begin();
        }}
      >
        <label class="field">
          <span>Name of the channel</span>
          <input value={name} autocomplete="off" onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <div class="actions">
          <Button submits why={why} isBusy={isBusy}>
            Send a test message
          </Button>
          {name.trim() !== '' && <CopyCommand needs="run" line={commandOf('notify test', [name.trim()])} />}
        </div>
      </form>
      {sent !== undefined && (
        <Note tone="good">The channel {sent} has taken the message. Look whether it has arrived.</Note>
      )}
      {error && <ErrorBox error={error} />}
    </section>
  );
}

function Catalog() {
  const [runs, setRuns] = useState<number | undefined>(undefined);
  const { begin, isBusy, error } = useAction(async () => {
    setRuns(undefined);
    let cursor: string | null = null;
    let found = 0;
    do {
      const query: string = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
      const page = await post('rebuildCatalog', `catalog/rebuild${query}`);
      found += page.runs;
      cursor = page.next;
    } while (cursor !== null);
    setRuns(found);
  });
  return (
    <section class="card">
      <h2>List of runs</h2>
      <p>
        If the list of runs was lost or is not right, the app can write it again from the vault. Nothing else changes.
      </p>
      <div class="actions">
        <Button why={lacking('protect')} isBusy={isBusy} onClick={begin}>
          Rebuild the list
        </Button>
      </div>
      {runs !== undefined && <Note tone="good">The list has {counted(runs, 'run')}.</Note>}
      {error && <ErrorBox error={error} />}
    </section>
  );
}
