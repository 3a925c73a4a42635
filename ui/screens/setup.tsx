import { useState } from 'preact/hooks';
import { useAction } from '../app/action.ts';
import { CallError, get, post } from '../app/api.ts';
import { lacking, may } from '../app/caller.ts';
import { usePolled } from '../app/poll.ts';
import { link } from '../app/router.ts';
import type { Answer } from '../model/answer.ts';
import { commandOf } from '../model/command.ts';
import { type Check, checksByAccount, stepsOfSetup } from '../model/setup.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Command, CopyCommand } from '../parts/copy.tsx';
import { Hint } from '../parts/hint.tsx';
import { Loaded, Waiting } from '../parts/loaded.tsx';
import { Mark, Sign } from '../parts/mark.tsx';
import { ErrorBox, Note, ProblemNote } from '../parts/problem.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { StartBackup } from '../parts/start-backup.tsx';

/** What the app may do with each account, and what is still to do until backups are made. */
export function Setup() {
  const health = usePolled('health', getHealth);
  const overview = usePolled('overview', (signal) => get('overview', 'overview', {}, signal));
  const [checks, setChecks] = useState<Check[] | undefined>(undefined);
  const check = useAction(async () => setChecks(await post('checkRights', 'checks')));
  const steps = stepsOfSetup({
    ...{ health: health.data, healthError: health.error, checks },
    ...{ overview: overview.data, overviewError: overview.error },
  });
  const newJob = overview.data?.jobs.find(({ restorePoint }) => restorePoint === null);
  return (
    <Screen title="Set-up" actions={<ButtonLink to={link('/setup/config')}>Write a configuration</ButtonLink>}>
      <ol class="setup">
        {steps.map(({ title, state, text }) => (
          <li class={state}>
            <Sign {...SIGNS[state]} />
            <span>
              <strong>{title}</strong>
              <span class="unseen"> ({WORDS[state]})</span>
              <span class="small">{text}</span>
            </span>
          </li>
        ))}
      </ol>
      {overview.error && <ErrorBox error={overview.error} />}
      <Section title="Accounts">
        <Loaded of={health} lines={3}>
          {(data) => <Accounts health={data} />}
        </Loaded>
      </Section>
      <Section
        title="Rights"
        actions={
          <>
            <Button
              kind={checks === undefined ? 'main' : 'plain'}
              isBusy={check.isBusy}
              why={lacking('run')}
              onClick={check.begin}
            >
              {checks === undefined ? 'Check the rights' : 'Check again'}
            </Button>
            <CopyCommand needs="run" line={commandOf('check')} />
          </>
        }
      >
        <p class="muted">
          Each check asks the account for what a run would, and changes nothing there. What is missing has a command
          that grants it.
        </p>
        {check.error && <ErrorBox error={check.error} />}
        {check.isBusy && checks === undefined && <Waiting lines={6} />}
        {checks && <Rights checks={checks} />}
      </Section>
      {newJob && may('run') && (
        <Section title="First backup">
          <p>The first backup of a job copies everything, and deletes nothing.</p>
          <div class="actions">
            <StartBackup job={newJob.name}>{`Start the first backup of ${newJob.name}`}</StartBackup>
          </div>
        </Section>
      )}
    </Screen>
  );
}

const SIGNS = {
  done: { tone: 'good', shape: 'check' },
  now: { tone: 'busy', shape: 'dot' },
  wrong: { tone: 'bad', shape: 'cross' },
  later: { tone: 'quiet', shape: 'dash' },
  unknown: { tone: 'quiet', shape: 'question' },
} as const;
const WORDS = {
  done: 'done',
  now: 'next',
  wrong: 'needs something done',
  later: 'later',
  unknown: 'not known',
} as const;

/** An account that does not answer makes the answer a 503, with the same report. */
async function getHealth(signal: AbortSignal): Promise<Answer<'healthDetails'>> {
  try {
    return await get('healthDetails', 'health/details', {}, signal);
  } catch (error) {
    if (error instanceof CallError && error.body !== undefined && 'accounts' in error.body) {
      return error.body as Answer<'healthDetails'>;
    }
    throw error;
  }
}

function Accounts({ health: { accounts, taskHub } }: { health: Answer<'healthDetails'> }) {
  return (
    <>
      <ul class="lines">
        {accounts.map(({ alias, status, message, hint, catalog }) => (
          <li class="line wide">
            <h3>{alias}</h3>
            <div>
              <Mark
                mark={
                  status === 'ok'
                    ? { tone: 'good', shape: 'check', word: 'answers' }
                    : { tone: 'bad', shape: 'cross', word: 'does not answer as it should' }
                }
              />
              {message !== undefined && <p>{message}</p>}
              {hint !== undefined && (
                <p class="muted">
                  <Hint of={hint} />
                </p>
              )}
              {catalog && <ProblemNote of={catalog} tone="warn" />}
            </div>
          </li>
        ))}
      </ul>
      {taskHub && (
        <Note tone="bad">
          <p>
            <Hint of={taskHub.hint} />
          </p>
        </Note>
      )}
    </>
  );
}

function Rights({ checks }: { checks: readonly Check[] }) {
  return (
    <div class="cards wide">
      {checksByAccount(checks).map(({ alias, lines, missing }) => (
        <section class="card" aria-label={`Rights with ${alias}`}>
          <h3>
            {alias} {missing > 0 && <span class="tag bad">{missing} missing</span>}
          </h3>
          <ul class="rights">
            {lines.map(({ id, mark, right, for: jobs, hint, command }) => (
              <li key={id}>
                <Sign {...mark} />
                <div>
                  <p>
                    {right}{' '}
                    <span class="small">
                      {mark.word}
                      {jobs !== '' && ` · ${jobs}`}
                    </span>
                  </p>
                  {hint !== '' && <p class="muted">{hint}</p>}
                  {command !== null && <Command text={command} />}
                </div>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
