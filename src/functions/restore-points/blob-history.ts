import pLimit from 'p-limit';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { hasOutcomes } from '#domain/restore/browse.ts';
import { isHeld } from '#domain/run/manifest.ts';
import { mayHold } from '#domain/run/name-range.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { answering, reply } from '../http/answering.ts';
import { readCursor, writeCursor } from '../http/cursor.ts';
import { HttpError, invalid } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';
import { configuredJob, namedJob } from '../run/configured-job.ts';
import { pointOf, type RunInStore, runsInStore } from './runs-in-store.ts';

/** Parts read for one page. It also finishes the restore points it has started, and then ends with a cursor. */
const PARTS_PER_ANSWER = 100;
/** Runs looked at for one page. Most may have left no restore point. */
const RUNS_PER_ANSWER = 2_000;
/** Restore points searched at once: each unpacks one part. */
const POINTS_AT_ONCE = 4;

/** One version of the blob, and the restore points that hold it, newest first. Times are ISO 8601. */
interface Version {
  etag: string;
  modified: string;
  size: number;
  tier?: string;
  md5?: string;
  restorePoints: { id: string; time: string }[];
  first: string;
  last: string;
}

/** GET /api/blobs/history — every version of a blob that a restore point of the job holds, newest first. */
export function blobHistoryHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.blobHistory, async ({ query: { container, name, limit, cursor, ...asked } }) => {
    if (tableOfTask(container) !== undefined) throw isTable(container);
    const job = namedJob(deps, asked.job);
    const searched = [job, container, name];
    const last = cursor === undefined ? undefined : readCursor(cursor, searched);
    const runs = (await runsInStore(deps, job)).filter(({ id }) => last === undefined || id < last);
    const parts = new PartsOnce(name);
    const versions = new Map<string, Version>();
    let points = 0;
    let absent = 0;
    let isContainerHeld = false;
    let at = 0;
    const most = Math.min(runs.length, RUNS_PER_ANSWER);
    while (at < most && points < limit && parts.read < PARTS_PER_ANSWER) {
      const some = runs.slice(at, at + Math.min(POINTS_AT_ONCE, limit - points));
      at += some.length;
      const found = await Promise.all(some.map((run) => searchRun(run, parts, container)));
      for (const each of found) {
        if (!each) continue;
        points++;
        isContainerHeld ||= each.summary.parts.some((part) => part.container === container);
        if (each.outcome) addTo(versions, each.outcome, each.summary);
        else absent++;
      }
    }
    const next = at < runs.length ? writeCursor(runs[at - 1]!.id, searched) : null;
    if (cursor === undefined && next === null) {
      if (runs.length === 0) configuredJob(deps, job);
      if (points > 0 && !isContainerHeld) throw notHeld(job, container);
    }
    return reply(200, { versions: [...versions.values()], absent, next });
  });
}

function notHeld(job: string, container: string): HttpError {
  const hint = 'Choose a restore point from GET /api/restore-points: its report lists its containers';
  const message = `No restore point of job ${quoted(job)} has a container ${quoted(container)}`;
  return new HttpError(404, 'container-not-held', message, hint);
}

function isTable(task: string): HttpError {
  const hint =
    'Restore the entity from one restore point after another to a separate table: POST /api/restores with "keys"';
  const message = `"${task}" is a table; only blobs have a history`;
  return invalid('query', [{ path: ['container'], message }], hint);
}

/** What the restore point of a run has of the blob; undefined if the run has no restore point. */
async function searchRun(run: RunInStore, parts: PartsOnce, container: string) {
  const summary = await pointOf(run);
  if (!summary) return undefined;
  const outcome = await parts.find(run.control, summary, container);
  return { summary, outcome: outcome && isHeld(outcome) ? outcome : undefined };
}

/** Searches parts for one name, each part once: the restore point of a retry shares parts with the run it completes. */
class PartsOnce {
  readonly #name: string;
  readonly #found = new Map<string, Promise<Outcome | undefined>>();
  readonly #limit = pLimit(POINTS_AT_ONCE);

  constructor(name: string) {
    this.#name = name;
  }

  get read(): number {
    return this.#found.size;
  }

  /** The last outcome of the blob. Throws `damaged` if a part that may name it cannot be read. */
  async find(control: ControlStore, { parts }: RunSummary, container: string): Promise<Outcome | undefined> {
    let outcome: Outcome | undefined;
    for (const part of parts) {
      const { path, sha256, names } = part;
      if (part.container !== container || !hasOutcomes(part) || !mayHold(names, this.#name)) continue;
      const found = this.#found.get(path) ?? this.#limit(() => this.#search(control, path, sha256));
      this.#found.set(path, found);
      outcome = (await found) ?? outcome;
      // A later part may settle a failure; any other outcome is final.
      if (outcome && outcome.status !== 'failed') return outcome;
    }
    return outcome;
  }

  async #search(control: ControlStore, path: string, sha256: string): Promise<Outcome | undefined> {
    const { items } = await control.readPart<Outcome, object>(path, sha256);
    return items.find(({ name }) => name === this.#name);
  }
}

function addTo(versions: Map<string, Version>, outcome: Outcome, { id, startedAt }: RunSummary): void {
  const { etag, modified, size, tier, md5 } = outcome;
  const point = { id, time: startedAt };
  const known = versions.get(etag);
  if (known) {
    known.restorePoints.push(point);
    known.first = startedAt;
    return;
  }
  versions.set(etag, {
    etag,
    modified,
    size,
    ...(tier !== undefined && { tier }),
    ...(md5 !== undefined && { md5 }),
    restorePoints: [point],
    first: startedAt,
    last: startedAt,
  });
}
