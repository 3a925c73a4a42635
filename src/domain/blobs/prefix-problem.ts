import { unaddressablePrefix } from './unaddressable.ts';

/** What is wrong with a prefix of blob names, in words for its author, or undefined. */
export function prefixProblem(prefix: string): string | undefined {
  const unaddressable = unaddressablePrefix(prefix);
  if (unaddressable !== undefined) return `${JSON.stringify(prefix)} ${unaddressable}, so it selects no blob`;
  if (!prefix.startsWith('/')) return undefined;
  const bare = prefix.replace(/^\/+/, '');
  const quoted = JSON.stringify(bare);
  return `starts with a slash, which blob names rarely do; write ${quoted}, or, for names that do, the glob "*/**"`;
}
