import type { BlobEntry, ProvedContent } from '../run/outcome.ts';

/** What was read of a blob. */
export interface ReadContent {
  size: number;
  /** Base64, as in the header Content-MD5. */
  md5: string;
  /** Hex. */
  sha256: string;
}

export type ContentVerdict = { is: 'sound' } | { is: 'mismatch' | 'unproved'; message: string };

/**
 * Whether the bytes that were read in the vault are those that were backed up. `source` is what was read of the version
 * that was backed up, if the source still has it; `proved` is what an earlier verification read of that version.
 *
 * The MD5 of an entry is a property that the source had. Its writer can set it to anything, and appends and writes of
 * pages leave it as it was. Equal to that of the bytes, it proves them; a difference proves nothing.
 */
export function contentVerdict(
  entry: Pick<BlobEntry, 'size' | 'md5'>,
  read: ReadContent,
  source: ReadContent | undefined,
  proved?: ProvedContent,
): ContentVerdict {
  if (read.size !== entry.size) {
    return { is: 'mismatch', message: `It has ${read.size} bytes and should have ${entry.size}` };
  }
  if (proved === undefined ? read.md5 === entry.md5 : read.sha256 === proved.sha256) return { is: 'sound' };
  if (source !== undefined) {
    return source.sha256 === read.sha256
      ? { is: 'sound' }
      : { is: 'mismatch', message: 'Its bytes are not those of the source' };
  }
  if (proved !== undefined) {
    const message = `Its SHA-256 is ${read.sha256}; when verification ${proved.run} read it, it was ${proved.sha256}`;
    return { is: 'mismatch', message };
  }
  return { is: 'unproved', message: `${GONE}, and ${hint(entry, read)}` };
}

const GONE = 'The source no longer has the version that was backed up, or cannot be read';

function hint({ md5 }: Pick<BlobEntry, 'md5'>, read: ReadContent): string {
  if (md5 === undefined) return 'it had no Content-MD5';
  return `its Content-MD5 was another one: ${md5}, while the content has ${read.md5}`;
}
