import { useState } from 'preact/hooks';
import { get, post } from '../app/api.ts';
import { lacking } from '../app/caller.ts';
import { usePolled } from '../app/poll.ts';
import { at, go, link } from '../app/router.ts';
import { commandOf } from '../model/command.ts';
import { factsOf, type ShownJob, seriesOf } from '../model/job.ts';
import { markOfJob } from '../model/mark.ts';
import type { OverviewAnswer } from '../model/overview.ts';
import { Bars } from '../parts/bars.tsx';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Mark } from '../parts/mark.tsx';
import { Note } from '../parts/problem.tsx';
import { ReasonDialog } from '../parts/reason-dialog.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { StartBackup } from '../parts/start-backup.tsx';
import { Strip } from '../parts/strip.tsx';
import { Ago, At } from '../parts/time.tsx';
import { WHAT } from './jobs.tsx';

/** A job as it is in force, how it stands, and what can be started. */
export function Job({ job }: { job: string }) {
  const polled = usePolled(`job ${job}`, (signal) => get('getJob', at`jobs/${job}`, {}, signal));
  const overview = usePolled<OverviewAnswer>(
    'overview',
    (signal) => get('overview', 'overview', {}, signal),
    () => 30_000,
  );
  const standing = overview.data?.jobs.find(({ name }) => name === job);
  return (
    <Screen
      title={job}
      trail={[[link('/jobs'), 'Jobs']]}
      actions={
        polled.data && <Starts job={job} isPaused={standing && standing.paused !== null} again={overview.again} />
      }
    >
      <Loaded of={polled}>
        {(data) => (
          <>
            <Loaded of={overview} lines={2}>
              {() =>
                standing && (
                  <div class="stand">
                    <Mark mark={markOfJob(standing.state)} />
                    {standing.strip && <Strip job={job} days={standing.strip} />}
                    <a href={link('/runs', { job })}>Runs</a>
                    <a href={link('/points', { job })}>Restore points</a>
                  </div>
                )
              }
            </Loaded>
            {standing?.paused && (
              <Note tone="warn">
                Its schedules are paused since <At time={standing.paused.since} />
                {standing.paused.until !== null && (
                  <>
                    {' '}
                    until <At time={standing.paused.until} />
                  </>
                )}
                . Runs that are started by hand are not.
              </Note>
            )}
            <Numbers job={job} />
            <Schedules job={data} />
            <Section
              title="Configuration"
              actions={<ButtonLink to={link(at`/jobs/${job}/retention`)}>What would another policy keep?</ButtonLink>}
            >
              <dl class="facts-list">
                {factsOf(data).map(({ name, text, isDefault }) => (
                  <div>
                    <dt>{name}</dt>
                    <dd>
                      {text}
                      {isDefault && <span class="small"> (default)</span>}
                    </dd>
                  </div>
                ))}
              </dl>
            </Section>
          </>
        )}
      </Loaded>
    </Screen>
  );
}

function Numbers({ job }: { job: string }) {
  const { data } = usePolled(`runs of ${job}`, (signal) =>
    get('listRuns', 'runs', { job, dryRun: 'false', limit: 200 }, signal),
  );
  const series = data ? seriesOf(data.runs.slice(0, 90)) : [];
  if (series.length === 0) return null;
  return (
    <Section title="Backups over time">
      <div class="cards">
        {series.map((each) => (
          <Bars key={each.name} series={each} />
        ))}
      </div>
    </Section>
  );
}

function Schedules({ job: { schedules, timeZone } }: { job: ShownJob }) {
  if (schedules.length === 0) return <Note tone="quiet">It has no schedule: it runs when someone starts it.</Note>;
  return (
    <Section title="Next times">
      <ul class="plain">
        {schedules.map(({ kind, schedule, words, next }) => (
          <li>
            <strong>
              {WHAT[kind]} {words}
            </strong>{' '}
            <span class="small">
              <code>{schedule}</code> {timeZone}
            </span>
            <p class="muted">
              {next.map((time, index) => (
                <>
                  {index > 0 && ' · '}
                  <At time={time} />
                  {index === 0 && (
                    <>
                      {' '}
                      (<Ago time={time} />)
                    </>
                  )}
                </>
              ))}
            </p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

type Asking = 'nothing' | 'full' | 'preview' | 'pause' | 'resume';

interface StartsProps {
  job: string;
  /** Undefined while it is not known. */
  isPaused: boolean | undefined;
  again: () => void;
}

function Starts({ job, isPaused, again }: StartsProps) {
  const [asks, setAsks] = useState<Asking>('nothing');
  const close = () => setAsks('nothing');
  const start = async (body: object) => {
    const { id } = await post('startRun', at`jobs/${job}/runs`, body);
    go(link(at`/runs/${id}`));
  };
  const why = lacking('run');
  return (
    <>
      <StartBackup job={job} kind="main" isWhyNear />
      <Button why={why} isWhyNear onClick={() => setAsks('preview')}>
        Preview
      </Button>
      <Button why={why} onClick={() => setAsks('full')}>
        Full backup
      </Button>
      {isPaused !== undefined && (
        <Button why={why} isWhyNear onClick={() => setAsks(isPaused ? 'resume' : 'pause')}>
          {isPaused ? 'Resume schedules' : 'Pause schedules'}
        </Button>
      )}
      {asks === 'full' && (
        <Confirm
          title={`Start a full backup of ${job}?`}
          action="Start the full backup"
          command={commandOf('runs start', [job], [['mode', 'full']])}
          why={why}
          run={() => start({ mode: 'full' })}
          onClose={close}
        >
          <p>
            A full backup copies every blob and reads every table again, also what has not changed. It takes longer and
            costs more requests than an incremental one. It deletes nothing.
          </p>
        </Confirm>
      )}
      {asks === 'preview' && (
        <Confirm
          title={`Preview a backup of ${job}?`}
          action="Start the preview"
          command={commandOf(
            'runs start',
            [job],
            [
              ['mode', 'incremental'],
              ['dry-run', true],
            ],
          )}
          why={why}
          run={() => start({ mode: 'incremental', dryRun: true })}
          onClose={close}
        >
          <p>A preview lists and decides everything, copies nothing, and shows what a backup would copy, and why.</p>
        </Confirm>
      )}
      {asks === 'pause' && <Pause job={job} again={again} onClose={close} />}
      {asks === 'resume' && (
        <Confirm
          title={`Resume the schedules of ${job}?`}
          action="Resume"
          command={commandOf('jobs resume', [job])}
          why={why}
          run={async () => {
            await post('resumeJob', at`jobs/${job}/resume`);
            again();
          }}
          onClose={close}
        >
          <p>Its next times apply again. What was due during the pause is not made up for.</p>
        </Confirm>
      )}
    </>
  );
}

function Pause({ job, again, onClose }: { job: string; again: () => void; onClose: () => void }) {
  const [days, setDays] = useState('');
  const until = days === '' ? undefined : new Date(Date.now() + Number(days) * 86_400_000).toISOString();
  const body = (reason: string) => ({ reason, ...(until !== undefined && { until }) });
  return (
    <ReasonDialog
      title={`Pause the schedules of ${job}?`}
      action="Pause"
      hint="For those who find it paused."
      why={lacking('run')}
      command={(reason) => commandOf('jobs pause', [job], Object.entries(body(reason)))}
      run={async (reason) => {
        await post('pauseJob', at`jobs/${job}/pause`, body(reason));
        again();
      }}
      onClose={onClose}
    >
      <p>No schedule of the job starts anything until someone resumes it. Nothing that runs is stopped.</p>
      <label class="field">
        <span>For how long</span>
        <select value={days} onChange={(event) => setDays(event.currentTarget.value)}>
          <option value="">until someone resumes it</option>
          <option value="1">one day</option>
          <option value="3">three days</option>
          <option value="7">one week</option>
          <option value="30">30 days</option>
        </select>
      </label>
    </ReasonDialog>
  );
}
