import { useEffect, useState } from 'preact/hooks';
import { useAction } from '../app/action.ts';
import { CallError, get, post } from '../app/api.ts';
import { lacking, may, who } from '../app/caller.ts';
import { download } from '../app/download.ts';
import { at, link } from '../app/router.ts';
import type { Answer, ApiError } from '../model/answer.ts';
import {
  type Choices,
  chosen,
  configurationOf,
  FREQUENCIES,
  FREQUENCY_WORDS,
  fileText,
  firstChoices,
  scheduleOf,
} from '../model/wizard.ts';
import { Button } from '../parts/button.tsx';
import { Block, Copy } from '../parts/copy.tsx';
import { Mark, Sign } from '../parts/mark.tsx';
import { Name } from '../parts/name.tsx';
import { ErrorBox, Note } from '../parts/problem.tsx';
import { Screen, Section } from '../parts/screen.tsx';

/** Writes a strongroom.json to copy. The page never changes the configuration: it is code. */
export function Wizard() {
  const [choices, setChoices] = useState(() => firstChoices(Intl.DateTimeFormat().resolvedOptions().timeZone));
  const set = (change: Partial<Choices>) => setChoices({ ...choices, ...change });
  const text = fileText(configurationOf(choices));
  return (
    <Screen title="Write a configuration" trail={[[link('/setup'), 'Set-up']]}>
      <p>
        Choose what a job backs up, and copy the file. It is part of your deployment: put it beside{' '}
        <code>host.json</code>, and deploy the app again with <code>azd up</code>, or restart it on your machine.
      </p>
      <div class="beside">
        <Form choices={choices} set={set} />
        <Result text={text} />
      </div>
    </Screen>
  );
}

interface FormProps {
  choices: Choices;
  set: (change: Partial<Choices>) => void;
}

function Form({ choices, set }: FormProps) {
  const text = (name: keyof Choices, label: string, hint: string) => (
    <label class="field">
      <span>{label}</span>
      <input
        value={choices[name]}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => set({ [name]: event.currentTarget.value })}
      />
      <span class="hint">{hint}</span>
    </label>
  );
  const count = (name: keyof Choices, label: string) => (
    <label class="field">
      <span>{label}</span>
      <input
        class="short"
        type="number"
        min={1}
        max={10_000}
        value={choices[name]}
        onInput={(event) => set({ [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <form class="card" onSubmit={(event) => event.preventDefault()}>
      <h2>The job</h2>
      {text('name', 'Name', 'Lower case, such as nightly.')}
      {text('source', 'Account to back up', 'The name of the app settings with its connection.')}
      {text('containers', 'Containers', 'Names and patterns, with commas: images, tenant-*. A * is for all.')}
      <Containers account={choices.source} patterns={choices.containers} />
      {text('tables', 'Tables', 'The same for tables; empty for none.')}
      {text('vault', 'Vault', 'The account to copy to: the name of its app settings.')}
      {text(
        'template',
        'Container in the vault',
        '{container} stands for the name of the container that is backed up.',
      )}
      <h2>When</h2>
      <div class="filters">
        <label class="field">
          <span>How often</span>
          <select
            value={choices.frequency}
            onChange={(event) =>
              set({ frequency: FREQUENCIES.find((each) => each === event.currentTarget.value) ?? 'daily' })
            }
          >
            {FREQUENCIES.map((each) => (
              <option value={each}>{FREQUENCY_WORDS[each]}</option>
            ))}
          </select>
        </label>
        {choices.frequency !== 'never' && (
          <label class="field">
            <span>At</span>
            <input type="time" value={choices.time} onInput={(event) => set({ time: event.currentTarget.value })} />
          </label>
        )}
        <label class="field">
          <span>Time zone</span>
          <input
            value={choices.timeZone}
            spellcheck={false}
            onInput={(event) => set({ timeZone: event.currentTarget.value })}
          />
        </label>
      </div>
      {scheduleOf(choices) !== undefined && (
        <p class="small">
          Schedule: <code>{scheduleOf(choices)}</code>
        </p>
      )}
      <h2>What to keep</h2>
      <div class="filters">
        {count('keepDaily', 'Daily')}
        {count('keepWeekly', 'Weekly')}
        {count('keepMonthly', 'Monthly')}
        {count('keepYearly', 'Yearly')}
      </div>
      <p class="small">Empty everywhere: every restore point stays. Nothing is deleted without a prune.</p>
      <label class="field">
        <span>Verify after each backup</span>
        <select
          value={choices.verify}
          onChange={(event) => set({ verify: VERIFY.find(([each]) => each === event.currentTarget.value)?.[0] ?? '' })}
        >
          {VERIFY.map(([value, word]) => (
            <option value={value}>{word}</option>
          ))}
        </select>
      </label>
    </form>
  );
}

/** What is in the account now, and which of it the patterns choose. */
function Containers({ account, patterns }: { account: string; patterns: string }) {
  const [found, setFound] = useState<Answer<'listAccountContainers'> | undefined>(undefined);
  const { begin, isBusy, error } = useAction(async () =>
    setFound(await get('listAccountContainers', at`accounts/${account.trim()}/containers`)),
  );
  const names = found?.account === account.trim() ? chosen(patterns, found.containers) : undefined;
  return (
    <div class="field">
      <Button kind="quiet" isBusy={isBusy} why={lacking('read')} onClick={begin}>
        Show the containers that are there
      </Button>
      {error && <ErrorBox error={error} />}
      {names?.length === 0 && <p class="small">There is no container in {account} yet.</p>}
      {names && names.length > 0 && (
        <ul class="plain small">
          {names.slice(0, MOST_SHOWN).map(({ name, isChosen }) => (
            <li>
              <Sign tone={isChosen ? 'good' : 'quiet'} shape={isChosen ? 'check' : 'dash'} /> <Name of={name} />
              <span class="unseen">{isChosen ? ', backed up' : ', not backed up'}</span>
            </li>
          ))}
          {(names.length > MOST_SHOWN || found?.next) && <li>and more</li>}
        </ul>
      )}
    </div>
  );
}

const MOST_SHOWN = 50;

const VERIFY = [
  ['quick', 'quick: compare the vault with the manifest'],
  ['deep', 'deep: read all content, too'],
  ['', 'no'],
] as const;

function Result({ text }: { text: string }) {
  const { answer, error } = useCheck(text);
  return (
    <Section
      title="strongroom.json"
      actions={
        <>
          <Copy text={text} what="the file" isShown />
          <Button kind="quiet" onClick={() => download(text, 'strongroom.json')}>
            Download
          </Button>
        </>
      }
    >
      <Block text={text} />
      {who.value !== undefined && !may('protect') && (
        <Note tone="quiet">The app checks the file for callers with the permission to. {lacking('protect')}</Note>
      )}
      {error && <ErrorBox error={error} />}
      {answer && <Findings answer={answer} />}
    </Section>
  );
}

function Findings({ answer: { isValid, problems } }: { answer: Answer<'checkConfiguration'> }) {
  if (isValid) return <Mark mark={{ tone: 'good', shape: 'check', word: 'The app would start with this file' }} />;
  return (
    <Note tone="bad">
      <p>The app would not start with this file:</p>
      <ul>
        {problems.map(({ path, message }) => (
          <li>
            <code>{path}</code>: {message}
          </li>
        ))}
      </ul>
    </Note>
  );
}

/** Milliseconds after the last change. */
const PAUSE = 500;

/** Has the app check the text, once it has not changed for a moment. An answer about another text is none. */
function useCheck(text: string): { answer: Answer<'checkConfiguration'> | undefined; error: ApiError | undefined } {
  const [state, setState] = useState<{ text?: string; answer?: Answer<'checkConfiguration'>; error?: ApiError }>({});
  const isAllowed = may('protect');
  useEffect(() => {
    if (!isAllowed) return;
    let isOver = false;
    const timer = setTimeout(async () => {
      try {
        const answer = await post('checkConfiguration', 'config/check', JSON.parse(text));
        if (!isOver) setState({ text, answer });
      } catch (failure) {
        if (!(failure instanceof CallError)) throw failure;
        if (!isOver) setState({ text, error: failure.problem });
      }
    }, PAUSE);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [text, isAllowed]);
  return state.text === text ? { answer: state.answer, error: state.error } : { answer: undefined, error: undefined };
}
