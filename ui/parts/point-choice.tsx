import { allPoints } from '../app/points.ts';
import { usePolled } from '../app/poll.ts';
import type { ApiError } from '../model/answer.ts';
import { type ApiPoint, beforeBrake, contentWords, isUsable, marksOf, wholenessOf } from '../model/points.ts';
import { ErrorBox } from './problem.tsx';
import { when } from './shown-time.ts';

interface PointChoiceProps {
  jobs: readonly string[];
  job: string;
  point: string;
  onJob: (job: string) => void;
  onPoint: (point: string) => void;
}

/** The restore points of a job that a restore can take, and which it takes unless one chooses. */
export function usePoints(job: string): {
  /** Undefined as long as it is not known which there are. */
  points: readonly ApiPoint[] | undefined;
  first: ApiPoint | undefined;
  isEngaged: boolean;
  error: ApiError | undefined;
} {
  const all = usePolled(`points of ${job}`, () => (job === '' ? Promise.resolve([]) : allPoints(job)));
  const points = all.data?.filter(isUsable);
  const { good, isEngaged } = beforeBrake(points ?? [], job);
  return { points, first: good, isEngaged, error: all.error };
}

/** Which job, and its state of which day. */
export function PointChoice({ jobs, job, point, onJob, onPoint }: PointChoiceProps) {
  const { points, isEngaged, first, error } = usePoints(job);
  return (
    <>
      {jobs.length > 1 && (
        <label class="field">
          <span>Job</span>
          <select value={job} onChange={(event) => onJob(event.currentTarget.value)}>
            {jobs.map((each) => (
              <option value={each}>{each}</option>
            ))}
          </select>
        </label>
      )}
      <label class="field">
        <span>As it was</span>
        <select value={point} onChange={(event) => onPoint(event.currentTarget.value)}>
          {points === undefined && <option value="">{error ? 'not known' : 'loading …'}</option>}
          {points?.length === 0 && <option value="">no restore point</option>}
          {points?.map((each) => (
            <option value={each.id}>{choiceWords(each)}</option>
          ))}
        </select>
      </label>
      {error && <ErrorBox error={error} />}
      {isEngaged && (
        <p class="small">
          A safety brake is engaged: later restore points may hold what ransomware or a mistake has left.
          {first ? ` ${when(first.time)} is the last one before it.` : ' None is left from before it.'}
        </p>
      )}
    </>
  );
}

function choiceWords(point: ApiPoint): string {
  const marks = [
    ...(wholenessOf(point) === 'lacks' ? ['not whole'] : []),
    ...(marksOf(point).includes('brake') ? ['safety brake'] : []),
  ];
  return `${when(point.time)} · ${contentWords(point)}${marks.length > 0 ? ` · ${marks.join(', ')}` : ''}`;
}
