import { UsageError } from '../cli-error.ts';
import type { Input } from '../command/input.ts';

type Existing = 'fail' | 'skip' | 'overwrite' | 'if-different' | 'replace' | 'merge';

/** The body of POST /api/restores, with only the fields that a person has given. */
export interface RestoreBody {
  restorePoint?: string;
  at?: string;
  job?: string;
  containers?: string[];
  names?: string[];
  prefix?: string;
  include?: string[];
  exclude?: string[];
  tables?: string[];
  keys?: { partition?: string; from?: string; to?: string };
  file?: string;
  target?: { account?: string; container?: string; prefix?: string; table?: string };
  existing?: Existing;
  rehydrate?: 'standard' | 'high';
  restoreAccess?: boolean;
}

/** `names` are those of the command line and of --names-from together. Throws UsageError. */
export function restoreBody(input: Input, names: readonly string[]): RestoreBody {
  const containers = input.texts('container');
  const [point, at, existing] = [input.text('point'), input.text('at'), input.text('existing') as Existing | undefined];
  if (point !== undefined && at !== undefined) throw new UsageError('Choose one of --point and --at.');
  if (names.length > 0 && containers.length !== 1) {
    throw new UsageError('Names are those of one container: give it with --container.');
  }
  const keys = definedTexts(input, { partition: 'partition', from: 'from-key', to: 'to-key' });
  const target = definedTexts(input, {
    account: 'to-account',
    container: 'to',
    prefix: 'to-prefix',
    table: 'to-table',
  });
  return {
    ...definedTexts(input, { restorePoint: 'point', at: 'at', job: 'job', prefix: 'prefix', file: 'file' }),
    ...some('containers', containers),
    ...some('names', [...names]),
    ...some('include', input.texts('include')),
    ...some('exclude', input.texts('exclude')),
    ...some('tables', input.texts('table')),
    ...(Object.keys(keys).length > 0 && { keys }),
    ...(Object.keys(target).length > 0 && { target }),
    ...(existing !== undefined && { existing }),
    ...(input.has('rehydrate') && { rehydrate: input.text('rehydrate') as 'standard' | 'high' }),
    ...(input.has('restore-access') && { restoreAccess: true }),
  };
}

function some<Name extends string>(name: Name, values: string[]): { [_ in Name]?: string[] } {
  return (values.length > 0 ? { [name]: values } : {}) as { [_ in Name]?: string[] };
}

function definedTexts<Field extends string>(input: Input, options: Record<Field, string>): { [_ in Field]?: string } {
  const given = Object.entries<string>(options).flatMap(([field, option]) => {
    const value = input.text(option);
    return value === undefined ? [] : [[field, value]];
  });
  return Object.fromEntries(given) as { [_ in Field]?: string };
}
