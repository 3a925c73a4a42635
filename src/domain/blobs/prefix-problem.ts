/** What is wrong with a prefix of blob names, in words for its author, or undefined. */
export function prefixProblem(prefix: string): string | undefined {
  if (!prefix.startsWith('/')) return undefined;
  const bare = prefix.replace(/^\/+/, '');
  const quoted = JSON.stringify(bare);
  return `starts with a slash, which blob names rarely do; write ${quoted}, or, for names that do, the glob "*/**"`;
}
