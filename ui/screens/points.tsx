import { get } from '../app/api.ts';
import { usePaged } from '../app/paged.ts';
import { usePolled } from '../app/poll.ts';
import { at, change, link, place } from '../app/router.ts';
import { type ApiPoint, contentLines } from '../model/points.ts';
import { Hint } from '../parts/hint.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { More } from '../parts/more.tsx';
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
  const jobs = usePolled('points jobs', (signal) => get('listJobs', 'jobs', {}, signal));
  const list = usePaged(`points ${job} ${removed}`, (cursor, signal) => {
    const asked = { job, removed: removed ? 'true' : undefined, limit: 100, cursor };
    return get('listRestorePoints', 'restore-points', asked, signal);
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
        {(pages) => (
          <>
            {(pages.at(-1)?.problems ?? []).map(({ message, hint }) => (
              <Note key={message} tone="warn">
                <Hint of={`${message}. ${hint}`} />
              </Note>
            ))}
            {pages.every(({ restorePoints }) => restorePoints.length === 0) ? (
              <Empty title="No restore point yet">
                <p>The first backup that ends leaves one.</p>
                <p>
                  <a href={link('/jobs')}>Go to the jobs</a>
                </p>
              </Empty>
            ) : (
              <PointTable
                points={pages.flatMap(({ restorePoints }) => restorePoints)}
                hasJobs={job === '' && names.length > 1}
              />
            )}
            <More of={list} />
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
