import { z } from 'zod';
import type { Members } from '../run/members.ts';
import type { PartEntry, RunSummary } from '../run/run.ts';
import { tableOfTask } from '../run/task-name.ts';
import { type HeldContainer, type HeldTable, heldContainers, heldTables } from './held-container.ts';

/** How much a restore point holds, and what it lacks. The catalog has it, so that a list needs no summary. */
export interface PointFacts {
  containers: number;
  blobs: number;
  tables: number;
  entities: number;
  /** Of a retry, null: it lists only what failed, so its summary lacks the bytes of all other blobs. */
  bytes: number | null;
  lacks: Lacks;
}

interface Lacks {
  skipped: number;
  failed: number;
  /** What it lacks as a whole. */
  containers: string[];
  tables: string[];
}

const count = z.int().nonnegative();
const names = z.array(z.string());
const lacksSchema = z.strictObject({
  skipped: count,
  failed: count,
  containers: names,
  tables: names,
} satisfies Members<Lacks>);
const fields = { containers: count, blobs: count, tables: count, entities: count };
export const pointFactsSchema = z.strictObject({
  ...fields,
  bytes: count.nullable(),
  lacks: lacksSchema,
} satisfies Members<PointFacts>);

export interface HeldTasks {
  containers: HeldContainer[];
  tables: HeldTable[];
}

/** The containers and tables in the parts of a restore point. */
export function heldBy(parts: readonly PartEntry[]): HeldTasks {
  return { containers: heldContainers(parts), tables: heldTables(parts) };
}

export function pointFacts(
  { mode, bytes, containers, parts }: Pick<RunSummary, 'mode' | 'bytes' | 'containers' | 'parts'>,
  held = heldBy(parts),
): PointFacts {
  const there = new Set(parts.map(({ container }) => container));
  const missing = containers
    .filter(({ status, container }) => (status === 'failed' || status === 'skipped') && !there.has(container))
    .map(({ container }) => container);
  return {
    containers: held.containers.length,
    blobs: sumOf(held.containers.map(({ blobs }) => blobs)),
    tables: held.tables.length,
    entities: sumOf(held.tables.map(({ entities }) => entities)),
    bytes: mode === 'retry' ? null : bytes.listed,
    lacks: {
      skipped: sumOf(held.containers.map(({ skipped }) => skipped)),
      failed: sumOf([...held.containers, ...held.tables].map(({ failed }) => failed)),
      containers: missing.filter((task) => tableOfTask(task) === undefined),
      tables: missing.flatMap((task) => tableOfTask(task) ?? []),
    },
  };
}

function sumOf(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
