/**
 * Judges what a run says it no longer holds, by comparing its manifest with that of the restore point before. It shares
 * no code with the app.
 */
export interface JudgedLine {
  container: string;
  name: string;
  status: string;
  etag: string;
  code?: string | undefined;
}

/** What a restore point says: the line that counts of each blob, and what it says it no longer holds. */
export interface JudgedPoint {
  status: string;
  lines: Iterable<JudgedLine>;
  said: readonly JudgedLine[];
  /** By code, as its summary counts them. */
  counts: Partial<Record<'deleted' | 'skipped' | 'failed' | 'notSelected', number>> | undefined;
}

/** What is wrong with what `now` says of `before`; empty if nothing is. */
export function judgeComparison(before: JudgedPoint | undefined, now: JudgedPoint): string[] {
  const wrong: string[] = [];
  const lines = new Map([...now.lines].map((line) => [keyOf(line), line]));
  const said = new Map<string, JudgedLine>();
  for (const line of now.said) {
    if (said.has(keyOf(line))) wrong.push(`${keyOf(line)} is named as no longer held twice`);
    said.set(keyOf(line), line);
  }
  for (const [key, was] of before ? owedBy(before) : []) {
    const is = lines.get(key);
    const line = said.get(key);
    said.delete(key);
    if (is && isHeld(is)) {
      if (line) wrong.push(`${key} is held, and named as ${line.code}`);
    } else if (!line) {
      wrong.push(`${key} was held before, is not held now (${is?.status ?? 'no line'}), and nothing says so`);
    } else if (line.etag !== was.etag || line.status !== 'no-longer-held') {
      wrong.push(`${key} was held as ${was.etag}, and is named with ${line.etag}`);
    } else if (!codesOf(is).includes(line.code ?? '')) {
      wrong.push(`${key} is ${is?.status ?? 'in no line'} (${is?.code}), and named as ${line.code}`);
    }
  }
  for (const [key, { code }] of said) wrong.push(`${key} was not held before, and is named as ${code}`);
  const codes = now.said.map(({ code }) => code);
  if (now.status === 'succeeded' && codes.some((code) => code === 'skipped' || code === 'failed')) {
    wrong.push('it succeeded, and does not hold what the source still has');
  }
  const counted = { deleted: 'deleted', skipped: 'skipped', failed: 'failed', notSelected: 'not-selected' } as const;
  for (const [count, code] of Object.entries(counted) as [keyof typeof counted, string][]) {
    const inLines = codes.filter((each) => each === code).length;
    const claimed = now.counts?.[count] ?? 0;
    if (inLines !== claimed) wrong.push(`it counts ${claimed} ${count}, and names ${inLines}`);
  }
  return wrong;
}

/** What the next run must hold or name: the entries, and what this one could not back up. */
function owedBy({ lines, said }: JudgedPoint): Map<string, JudgedLine> {
  const owed = said.filter(({ code }) => code === 'failed' || code === 'skipped');
  return new Map([...owed, ...[...lines].filter(isHeld)].map((line) => [keyOf(line), line]));
}

function codesOf(line: JudgedLine | undefined): string[] {
  // A container without lines may be gone, or could not be backed up as a whole.
  if (!line) return ['deleted', 'failed', 'not-selected'];
  if (line.code === 'source-vanished') return ['deleted'];
  return [line.status];
}

function isHeld({ status }: JudgedLine): boolean {
  return status === 'copied' || status === 'unchanged';
}

function keyOf({ container, name }: JudgedLine): string {
  return `${container}/${name}`;
}
