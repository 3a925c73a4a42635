import { type Problem, problemOf } from './problems.ts';

/** What a run works with, each part as one comparable text. Not all modes have all parts. */
export interface RunSetup {
  /** The account that a backup or an archive rule copies from. */
  source?: string;
  /** What its job selects there, and where in the vault it copies that to: a hash. */
  selection?: string;
  vault: string;
  /** Of a prune: what its job keeps. A hash. */
  policy?: string;
  /** The account that a restore writes to. */
  target?: string;
}

/** What changed since a run began, and the message that says so. */
export interface SetupChange {
  part: keyof RunSetup | 'job';
  message: string;
}

/**
 * Why a run cannot go on with another setup than it began with, or undefined. What it has done belongs to the earlier
 * one: a restore point would hold a part of each, and name one.
 */
export function changedSetup(began: RunSetup, now: RunSetup): SetupChange | undefined {
  for (const part of ['vault', 'source', 'target'] as const) {
    if (began[part] === now[part]) continue;
    const message = `The ${ACCOUNTS[part]} is ${now[part]} now, and was ${began[part]} when the run began`;
    const elsewhere = part === 'vault' ? '. What the run has done is there' : '';
    return { part, message: message + elsewhere };
  }
  for (const part of ['selection', 'policy'] as const) {
    if (began[part] !== now[part]) return { part, message: OTHER[part] };
  }
  return undefined;
}

const OTHER = {
  selection: 'The job now selects its blobs and tables, or names their copies, in another way than at its start',
  policy: 'The job now has another retention policy than when the prune began',
};

const ACCOUNTS = { vault: 'vault', source: 'source account', target: 'account to restore to' };

/** The configuration no longer has the job of a run. */
export function removedJob(job: string): SetupChange {
  return { part: 'job', message: `strongroom.json had job "${job}" when the run began, and no longer has it` };
}

export function setupProblem({ message }: SetupChange, container?: string): Problem {
  return problemOf('setup-changed', 0, container, message);
}
