/** The path of an option, as people write it: `jobs[0].source.account`. */
export function optionPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the whole file';
  const parts = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`;
    const text = String(key);
    return /^[A-Za-z_$][\w$]*$/.test(text)
      ? `.${text}`
      : `[${JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)}]`;
  });
  return parts.join('').replace(/^\./, '');
}
