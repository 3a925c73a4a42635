import type { RestoreBody } from './restore-choice.ts';
import { shellWord } from './shell.ts';

/** More names than this make no line that a person reads: then the request itself is the better command. */
const MOST_NAMES = 20;

/**
 * The restore as a line for the command line; null if it would not be a safe line to copy: with many names, or with
 * characters that a terminal does not show as they are.
 */
export function restoreCommand(body: RestoreBody): string | null {
  const { restorePoint, containers = [], tables = [], names = [], prefix, include = [], target = {} } = body;
  if (names.length > MOST_NAMES) return null;
  const words = [
    ...option('point', restorePoint),
    ...containers.flatMap((name) => option('container', name)),
    ...tables.flatMap((name) => option('table', name)),
    ...option('prefix', prefix),
    ...include.flatMap((glob) => option('include', glob)),
    ...option('to-account', target.account),
    ...option('to', target.container),
    ...option('to-prefix', target.prefix),
    ...option('to-table', target.table),
    ...option('existing', body.existing),
    ...option('rehydrate', body.rehydrate),
    ...(names.length > 0 ? ['--', ...names] : []),
  ];
  if (words.some((word) => !/^[\x20-\x7e]+$/.test(word))) return null;
  return ['strongroom restore', ...words.map(shellWord)].join(' ');
}

/** In one word, so that a value that begins with a hyphen is none of the options. */
function option(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`--${name}=${value}`];
}
