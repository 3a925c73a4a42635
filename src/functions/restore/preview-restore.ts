import { z } from 'zod';
import type { Reply } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isSameAccount, targetAccount } from '#app/target-account.ts';
import { heldBy } from '#domain/restore/point-facts.ts';
import { pointTasks } from '#domain/restore/point-tasks.ts';
import { sumOfCounts } from '#domain/restore/preview.ts';
import { type RestoredTask, restoredContainers, restoredTables } from '#domain/restore/restored-tasks.ts';
import { hintFor, type Problem } from '#domain/run/problems.ts';
import { taskOfTable } from '#domain/run/task-name.ts';
import { answering, reply } from '../http/answering.ts';
import { readCursor, writeCursor } from '../http/cursor.ts';
import { foreignCursor, invalid } from '../http/http-error.ts';
import { type PreviewPart, previewContainer } from './preview-container.ts';
import { type Restore, restoreOfPoint } from './restore-of-point.ts';

type Answer = Reply<typeof OPERATIONS.previewRestore>['body'];

/** An answer ends with a cursor after so many blobs, or so many milliseconds. */
const ENOUGH_ITEMS = 20_000;
const ENOUGH_MS = 8_000;
const MOST_EXAMPLES = 20;

/** Where the next answer continues: in a container, at a page of its manifest and of each listing. */
const positionSchema = z.strictObject({
  task: z.int().nonnegative(),
  walk: z
    .strictObject({ page: z.int().nonnegative(), vault: z.string().optional(), target: z.string().optional() })
    .optional(),
});
type Position = z.output<typeof positionSchema>;

/**
 * POST /api/restores/preview — walks and decides as a restore does, without a lock and without a run, and writes
 * nothing.
 */
export function previewRestoreHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.previewRestore, async ({ body: request, query: { cursor } }) => {
    if (request.file !== undefined) {
      const hint = 'Start the restore with "dryRun": true: it counts what it would do';
      throw invalid('body', [{ path: ['file'], message: 'a file has no preview' }], hint);
    }
    const found = await restoreOfPoint(deps, request);
    const asked = [request, found.point.summary.id];
    const from = cursor === undefined ? undefined : readPosition(readCursor(cursor, asked));
    const tasks = tasksOf(deps, found);
    const { parts, next } = await previewParts(deps, found, tasks.containers, from ?? { task: 0 });
    const { id, startedAt: time } = found.point.summary;
    return reply(200, {
      restorePoint: { id, time },
      ...{ job: found.job, account: found.restore.account, existing: found.restore.existing },
      totals: sumOfCounts(parts.map(({ counts }) => counts)),
      containers: parts.map(({ counts, examples: _, ...part }) => ({ ...part, ...counts })),
      // Once, so that the answers can be added up.
      ...(from ? { tables: [], leftOut: [] } : { tables: tasks.tables, leftOut: tasks.leftOut }),
      examples: {
        replaced: parts.flatMap(({ examples }) => examples.replaced).slice(0, MOST_EXAMPLES),
        failed: parts.flatMap(({ examples }) => examples.failed).slice(0, MOST_EXAMPLES),
      },
      next: next ? writeCursor(JSON.stringify(next), asked) : null,
    });
  });
}

type Found = Awaited<ReturnType<typeof restoreOfPoint>>;

interface Tasks extends Pick<Answer, 'tables' | 'leftOut'> {
  containers: RestoredTask[];
}

/** The containers and tables that the restore would write, and what it would leave out. */
function tasksOf(deps: Dependencies, { point: { summary, vault }, restore, job }: Found): Tasks {
  const held = pointTasks(summary);
  const into = targetAccount(deps, restore.account, isSameAccount(deps, restore.account, vault) ? [summary] : []);
  const containers = restoredContainers(restore, held, into);
  const tables = restoredTables(restore, held.tables, into);
  const problems = [...containers, ...tables].filter((each): each is Problem => 'code' in each);
  const isTask = (each: RestoredTask | Problem): each is RestoredTask => !('code' in each);
  const entities = new Map(heldBy(summary.parts).tables.map((each) => [taskOfTable(each.table), each]));
  return {
    containers: containers.filter(isTask),
    tables: tables.filter(isTask).map(({ container, destination }) => {
      const { table, entities: count } = entities.get(container)!;
      return { table, target: destination, entities: count };
    }),
    leftOut: problems.map(({ code, container, message, hint }) => ({
      ...{ code, message, hint: hintFor({ id: summary.id, job }, hint) },
      ...(container !== undefined && { container }),
    })),
  };
}

async function previewParts(
  deps: Dependencies,
  { point, job, restore }: Restore & Pick<Found, 'point'>,
  tasks: readonly RestoredTask[],
  from: Position,
): Promise<{ parts: PreviewPart[]; next?: Position }> {
  if (from.task > tasks.length) throw foreignCursor();
  const { control, vault } = jobContextOf(deps, job);
  const until = deps.now().getTime() + ENOUGH_MS;
  const parts: PreviewPart[] = [];
  let items = 0;
  const isEnough = (more: number) => items + more >= ENOUGH_ITEMS || deps.now().getTime() >= until;
  let walk = from.walk;
  for (let task = from.task; task < tasks.length; task++) {
    if (parts.length > 0 && isEnough(0)) return { parts, next: { task } };
    const places = { control, vault, target: deps.blobs(restore.account), startedAt: deps.now().toISOString() };
    const { part, position } = await previewContainer(places, tasks[task]!, {
      ...{ summary: point.summary, restore, from: walk, isEnough },
    });
    parts.push(part);
    items += part.counts.items;
    if (position) return { parts, next: { task, walk: position } };
    walk = undefined;
  }
  return { parts };
}

function readPosition(text: string): Position {
  try {
    return positionSchema.parse(JSON.parse(text));
  } catch {
    throw foreignCursor();
  }
}
