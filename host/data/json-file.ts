import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { HostError, messageOf } from '../host-error.ts';
import { diskError, isDiskFailure } from './disk-error.ts';

/** The content of a JSON file; undefined if the file does not exist. */
export function readJsonFile(file: string): unknown {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    if (isDiskFailure(error)) throw diskError(`Cannot read ${file}`, error);
    // Without the part of the file that some messages quote: app settings are secret.
    throw new HostError(`${file} is not valid JSON: ${messageOf(error).replace(/, (?:\.\.\.)?".*/s, '')}`);
  }
}

/** Replaces a file as a whole: after a crash, it has the old content or the new. Only its owner may read it. */
export function replaceJsonFile(file: string, value: unknown): void {
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  } catch (error) {
    rmSync(`${file}.new`, { force: true });
    throw diskError(`Cannot write ${file}`, error);
  }
}
