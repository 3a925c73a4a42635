import { useAction } from '../app/action.ts';
import { get, post } from '../app/api.ts';
import { lacking } from '../app/caller.ts';
import { usePages } from '../app/pages.ts';
import { usePolled } from '../app/poll.ts';
import { at, change, go, link, place } from '../app/router.ts';
import type { Answer } from '../model/answer.ts';
import { commandOf } from '../model/command.ts';
import { policyText } from '../model/job.ts';
import { markOfRun } from '../model/mark.ts';
import { shownText } from '../model/name.ts';
import { byWords } from '../model/notes.ts';
import { bytes, counted } from '../model/quantity.ts';
import { Button } from '../parts/button.tsx';
import { CopyCommand } from '../parts/copy.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Mark } from '../parts/mark.tsx';
import { More } from '../parts/more.tsx';
import { Empty, ErrorBox } from '../parts/problem.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { Ago, At } from '../parts/time.tsx';

type Job = Answer<'listJobs'>['jobs'][number];
type Row = Answer<'listRuns'>['runs'][number];

/** What would be deleted? A prune plans first, and its plan is read here. */
export function Prune() {
  const asked = place.value.query.get('job') ?? '';
  const jobs = usePolled('prune jobs', (signal) => get('listJobs', 'jobs', {}, signal));
  return (
    <Screen title="Prune">
      <Loaded of={jobs}>
        {({ jobs: all }) => {
          const job = all.find(({ name }) => name === asked) ?? all[0];
          return job === undefined ? (
            <Empty title="There is no job" />
          ) : (
            <>
              {all.length > 1 && (
                <div class="filters">
                  <label class="field">
                    <span>Job</span>
                    <select value={job.name} onChange={(event) => change({ job: event.currentTarget.value })}>
                      {all.map(({ name }) => (
                        <option value={name}>{name}</option>
                      ))}
                    </select>
                  </label>
                </div>
              )}
              <OfJob key={job.name} job={job} />
            </>
          );
        }}
      </Loaded>
    </Screen>
  );
}

function OfJob({ job }: { job: Job }) {
  const { name, retention, schedules } = job;
  const schedule = schedules.find(({ kind }) => kind === 'prune');
  return (
    <>
      <section class="card">
        <h2>What does {name} keep?</h2>
        {retention === null ? (
          <p>
            Everything: the job has no retention policy, so a prune removes nothing. What no restore point needs, it
            deletes.
          </p>
        ) : (
          <p>
            It keeps {policyText(retention)}.{' '}
            {retention.marginHours > 0
              ? `What it removes stays for ${counted(retention.marginHours, 'hour')}, and can be taken back until then.`
              : 'What it removes is deleted by the same prune, and cannot be taken back.'}
            {schedule && ` A schedule prunes ${schedule.words}.`}
          </p>
        )}
        <p class="muted">
          Whatever the policy: the newest restore point, the newest that succeeded, the newest that was verified, those
          on hold, and everything up to an engaged safety brake stay.
        </p>
        <div class="actions">
          <MakePlan job={name} />
          <a class="button plain" href={link(at`/jobs/${name}/retention`)}>
            Try another policy
          </a>
        </div>
      </section>
      <Earlier job={name} />
    </>
  );
}

/** Makes a plan, which deletes nothing, and goes to it. */
export function MakePlan({ job, words = 'Make a plan' }: { job: string; words?: string }) {
  const { isBusy, error, begin } = useAction(async () => {
    const { id } = await post('startPrune', 'prunes', { job });
    go(link(at`/prune/${id}`));
  });
  return (
    <>
      <Button kind="main" onClick={begin} isBusy={isBusy} why={lacking('run')}>
        {words}
      </Button>
      <CopyCommand needs="run" line={commandOf('prune plan', [job])} />
      {error && <ErrorBox error={error} />}
    </>
  );
}

function Earlier({ job }: { job: string }) {
  const list = usePages(`prunes ${job}`, (cursor, signal) =>
    get('listRuns', 'runs', { job, mode: 'prune', limit: 20, cursor }, signal),
  );
  return (
    <Section title="Plans and prunes">
      <Loaded of={list} lines={4}>
        {(pages) => {
          const rows = pages.flatMap(({ runs }) => runs);
          return rows.length === 0 ? (
            <Empty title="No plan yet">
              <p>A plan says by name what a prune would remove, and why. It deletes nothing.</p>
            </Empty>
          ) : (
            <>
              <Table
                caption="Plans and prunes, the newest first"
                head={['Started', 'What', 'End', '#Items', 'Started by']}
              >
                {pages
                  .flatMap(({ runs }) => runs)
                  .map((row) => (
                    <tr key={row.id}>
                      <th scope="row">
                        <a data-row href={link(at`/prune/${row.id}`)}>
                          <At time={row.startedAt} />
                        </a>
                        <div class="small">
                          <Ago time={row.startedAt} />
                        </div>
                      </th>
                      <td>{row.dryRun ? 'plan' : 'prune'}</td>
                      <td>
                        <Mark mark={markOfRun(row.status)} />
                        {row.problem && <div class="small">{shownText(row.problem.message)}</div>}
                      </td>
                      <td class="number">{itemWords(row)}</td>
                      <td>{row.by ? byWords(row.by) : '–'}</td>
                    </tr>
                  ))}
              </Table>
              <More of={list} />
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

function itemWords({ dryRun, counts, bytes: sizes }: Row): string {
  const [count, size] = dryRun ? [counts?.planned, sizes?.planned] : [counts?.removed, sizes?.removed];
  if (count === undefined) return '–';
  return `${counted(count, 'item')}${size ? `, ${bytes(size)}` : ''}`;
}
