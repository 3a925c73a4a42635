import { givenUp, type Poison } from '../domain/poison.ts';
import { poisonId } from '../domain/receipt-path.ts';
import { PoisonStore } from '../storage/poison-store.ts';
import type { Upload } from './archive-upload.ts';
import { type Dependencies, receiptsOf, workplaceOf } from './dependencies.ts';

export interface KeepPoisonInput extends Pick<Upload, 'rule' | 'name' | 'etag'> {
  /** Why the last try failed; taken from the receipt where it is not said. */
  problem?: Poison['problem'];
}

/** Keeps an upload that was tried for the last time, with the reason. Throws `StorageError`: then it must be called again. */
export async function keepPoison(deps: Dependencies, input: KeepPoisonInput): Promise<void> {
  const { rule, name, etag } = input;
  const { control, job } = workplaceOf(deps, rule);
  const container = job.source.containers[0]!;
  const receipt = etag === undefined ? undefined : (await receiptsOf(deps, rule).read(name, etag))?.value;
  if (receipt?.state === 'done' || receipt?.state === 'missed') return;
  const problem = input.problem ?? receipt?.problem ?? UNKNOWN;
  const id = poisonId(container, name, etag);
  const upload = { id, rule, container, name, ...(etag !== undefined && { etag }), problem };
  await new PoisonStore(control, rule).change(id, (before) => givenUp(before, upload, deps.now()));
  deps.telemetry.uploadGivenUp(rule, problem.code);
}

const UNKNOWN: Poison['problem'] = { code: 'internal', message: 'No try lived to tell why it failed' };
