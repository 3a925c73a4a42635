import { renameSync, writeFileSync } from 'node:fs';

/** Replaces a file as a whole: whoever reads it, after whatever crash, finds the old content or the new. For its owner only. */
export function writeJson(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}
