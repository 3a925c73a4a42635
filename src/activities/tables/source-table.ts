import { problemCodeOf } from '#app/problem-code.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';
import type { RunContext } from '../run/run-context.ts';

/** The table that a task backs up. */
export interface SourceTable {
  source: TableAccount;
  table: string;
}

export function sourceTableOf({ deps, job, container }: Pick<RunContext, 'deps' | 'job' | 'container'>): SourceTable {
  return { source: deps.tables(job.source.account), table: tableOfTask(container)! };
}

/** The problem of a table that cannot be read. */
export function readProblem(error: StorageError, container: string): Problem {
  const code = isStorageError(error, 'container-not-found') ? 'table-not-found' : problemCodeOf(error, 'source');
  return problemOf(code, 0, container, error.message);
}
