import { commandOf } from './command.ts';
import type { RestoreBody } from './restore-choice.ts';

/** More names than this make no line that a person reads: then the request itself is the better command. */
const MOST_NAMES = 20;

/**
 * The restore as a line for the command line; null if it would not be a safe line to copy: with many names, or with
 * characters that look like others.
 */
export function restoreCommand(body: RestoreBody): string | null {
  const { restorePoint, containers = [], tables = [], names = [], prefix, include = [], target = {} } = body;
  if (names.length > MOST_NAMES || [...names, prefix ?? '', ...include].some((name) => /[^\x20-\x7e]/.test(name))) {
    return null;
  }
  const options = [
    ['point', restorePoint],
    ...containers.map((name) => ['container', name] as const),
    ...tables.map((name) => ['table', name] as const),
    ['prefix', prefix],
    ...include.map((glob) => ['include', glob] as const),
    ['to-account', target.account],
    ['to', target.container],
    ['to-prefix', target.prefix],
    ['to-table', target.table],
    ['existing', body.existing],
    ['rehydrate', body.rehydrate],
  ] as const;
  return commandOf('restore', [], options, names);
}
