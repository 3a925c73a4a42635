import { get } from '../app/api.ts';
import { usePolled } from '../app/poll.ts';
import { at, link } from '../app/router.ts';
import { factsOf } from '../model/job.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Empty } from '../parts/problem.tsx';
import { Screen } from '../parts/screen.tsx';
import { Ago } from '../parts/time.tsx';

/** What is configured: which jobs there are, and when they run. */
export function Jobs() {
  const polled = usePolled('jobs', (signal) => get('listJobs', 'jobs', {}, signal));
  return (
    <Screen title="Jobs">
      <Loaded of={polled}>
        {({ jobs }) => (
          <>
            {jobs.length === 0 && (
              <Empty title="There are no jobs">
                <p>
                  Only archive rules are configured. A job in <code>strongroom.json</code> backs up containers and
                  tables. <a href={link('/setup/config')}>Write one</a>
                </p>
              </Empty>
            )}
            <ul class="cards">
              {jobs.map((job) => {
                const [from, ...others] = factsOf(job);
                const to = others.find(({ name }) => name === 'To');
                return (
                  <li class="card">
                    <h2>
                      <a href={link(at`/jobs/${job.name}`)} data-row>
                        {job.name}
                      </a>
                    </h2>
                    <p>
                      {from!.text}
                      <br />→ {to!.text}
                    </p>
                    <ul class="plain">
                      {job.schedules.length === 0 && <li class="muted">Only on demand</li>}
                      {job.schedules.map(({ kind, words, next }) => (
                        <li>
                          {WHAT[kind]} {words}
                          {next[0] !== undefined && (
                            <span class="muted">
                              , <Ago time={next[0]} />
                            </span>
                          )}
                        </li>
                      ))}
                    </ul>
                  </li>
                );
              })}
            </ul>
            <p class="small">
              Jobs are in <code>strongroom.json</code>. This page shows them, and changes nothing there:{' '}
              <a href={link('/setup/config')}>write one to copy</a>.
            </p>
          </>
        )}
      </Loaded>
    </Screen>
  );
}

export const WHAT = { backup: 'Backs up', verify: 'Verifies', prune: 'Prunes' } as const;
