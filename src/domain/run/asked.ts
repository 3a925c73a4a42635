import { defined } from './defined.ts';
import type { RunReport } from './run.ts';
import type { RestoreTask, VerifyTask } from './tasks.ts';

/** What was asked of a run, as far as a list shows it. */
export interface Asked {
  retryOf?: string;
  follows?: string;
  restore?: AskedRestore;
  verify?: Pick<VerifyTask, 'point' | 'kind'>;
  /** The run whose plan it carries out; null if it makes a plan. */
  prune?: { plan: string | null };
}

export interface AskedRestore
  extends Pick<RestoreTask, 'point' | 'account' | 'container' | 'prefix' | 'table' | 'existing'> {
  /** How many blobs the request names, if it does. */
  names?: number;
}

export function askedOf(run: Pick<RunReport, 'retryOf' | 'follows' | 'restore' | 'verify' | 'prune'>): Asked {
  const { retryOf, follows, restore, verify, prune } = run;
  return {
    ...defined({ retryOf, follows }),
    ...(restore && { restore: askedRestore(restore) }),
    ...(verify && { verify: { point: verify.point, kind: verify.kind } }),
    ...(prune && { prune: { plan: prune.plan?.run ?? null } }),
  };
}

function askedRestore({ point, account, container, prefix, table, existing, names }: RestoreTask): AskedRestore {
  return { point, account, container, prefix, table, existing, ...(names && { names: names.length }) };
}
