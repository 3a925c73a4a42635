import { get } from '../app/api.ts';
import { usePages } from '../app/pages.ts';
import { usePolled } from '../app/poll.ts';
import { at, change, link, place } from '../app/router.ts';
import { type ApiPoint, contentLines } from '../model/points.ts';
import { Loaded } from '../parts/loaded.tsx';
import { More } from '../parts/more.tsx';
import { LastProof, Marks, Wholeness } from '../parts/point-marks.tsx';
import { Empty, ProblemNote } from '../parts/problem.tsx';
import { Bytes } from '../parts/quantity.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { Ago, At } from '../parts/time.tsx';

/** Every restore point: how whole it is, whether it was proved, and what protects it. */
export function Points() {
  const { query } = place.value;
  const [job, removed] = [query.get('job') ?? '', query.get('removed') === 'true'];
  const jobs = usePolled('points jobs', (signal) => get('listJobs', 'jobs', {}, signal));
  const list = usePages(`points ${job} ${removed}`, (cursor, signal) =>
    get(
      'listRestorePoints',
      'restore-points',
      { job, removed: removed ? 'true' : undefined, limit: 100, cursor },
      signal,
    ),
  );
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
        {(pages) => {
          const points = pages.flatMap(({ restorePoints }) => restorePoints);
          const problems = pages.flatMap((page) => page.problems ?? []);
          return (
            <>
              {problems.map((problem) => (
                <ProblemNote key={problem.code} of={problem} tone="warn" />
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
              <More of={list} />
            </>
          );
        }}
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
