import { useState } from 'preact/hooks';
import { get } from '../app/api.ts';
import { usePolled } from '../app/poll.ts';
import { at, change, link, place } from '../app/router.ts';
import { type ApiPoint, contentLines } from '../model/points.ts';
import { Button } from '../parts/button.tsx';
import { Hint } from '../parts/hint.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { LastProof, Marks, Wholeness } from '../parts/point-marks.tsx';
import { Empty, Note } from '../parts/problem.tsx';
import { Bytes } from '../parts/quantity.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { Ago, At } from '../parts/time.tsx';

/** Every restore point: how whole it is, whether it was proved, and what protects it. */
export function Points() {
  const { query } = place.value;
  const [job, removed] = [query.get('job') ?? '', query.get('removed') === 'true'];
  const [pages, setPages] = useState(1);
  const jobs = usePolled('points jobs', (signal) => get('listJobs', 'jobs', {}, signal));
  const list = usePolled(`points ${job} ${removed} ${pages}`, async (signal) => {
    const points: ApiPoint[] = [];
    let cursor: string | undefined;
    let problems: string[] = [];
    for (let page = 0; page < pages && (page === 0 || cursor !== undefined); page++) {
      const asked = { job, removed: removed ? 'true' : undefined, limit: 100, cursor };
      const answer = await get('listRestorePoints', 'restore-points', asked, signal);
      points.push(...answer.restorePoints);
      cursor = answer.next ?? undefined;
      problems = answer.problems?.map(({ message, hint }) => `${message}. ${hint}`) ?? [];
    }
    return { points, isMore: cursor !== undefined, problems };
  });
  const names = jobs.data?.jobs.map(({ name }) => name) ?? [];
  return (
    <Screen title="Restore points">
      <div class="filters">
        {names.length > 1 && (
          <label class="field">
            <span>Job</span>
            <select value={job} onChange={(event) => change({ job: event.currentTarget.value })}>
              <option value="">all</option>
              {names.map((name) => (
                <option value={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        <label class="choice">
          <input
            type="checkbox"
            checked={removed}
            onChange={(event) => change({ removed: event.currentTarget.checked ? 'true' : undefined })}
          />
          With those that are marked for removal
        </label>
      </div>
      <Loaded of={list} lines={8}>
        {({ points, isMore, problems }) => (
          <>
            {problems.map((problem) => (
              <Note key={problem} tone="warn">
                <Hint of={problem} />
              </Note>
            ))}
            {points.length === 0 ? (
              <Empty title="No restore point yet">
                <p>The first backup that ends leaves one.</p>
                <p>
                  <a href={link('/jobs')}>Go to the jobs</a>
                </p>
              </Empty>
            ) : (
              <PointTable points={points} hasJobs={job === '' && names.length > 1} />
            )}
            {isMore && (
              <p>
                <Button onClick={() => setPages(pages + 1)}>Load more</Button>
              </p>
            )}
          </>
        )}
      </Loaded>
    </Screen>
  );
}

function PointTable({ points, hasJobs }: { points: readonly ApiPoint[]; hasJobs: boolean }) {
  return (
    <Table
      caption="Restore points, the newest first"
      head={['Time', 'State', ...(hasJobs ? ['Job'] : []), '#Holds', '#Size', 'Last verification']}
    >
      {points.map((point) => (
        <tr key={point.id}>
          <th scope="row">
            <a data-row href={link(at`/points/${point.id}`)}>
              <At time={point.time} />
            </a>
            <div class="small">
              <Ago time={point.time} />
            </div>
          </th>
          <td>
            <span class="marks">
              <Wholeness point={point} />
              <Marks point={point} />
            </span>
            {point.hold && <div class="small">{point.hold.reason}</div>}
          </td>
          {hasJobs && <td class="nowrap">{point.job}</td>}
          <td class="number">
            {contentLines(point).map((line) => (
              <div key={line}>{line}</div>
            ))}
          </td>
          <td class="number">{point.bytes === null ? '–' : <Bytes of={point.bytes} />}</td>
          <td>
            <LastProof proof={point.verified} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
