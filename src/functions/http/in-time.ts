import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '#storage/storage-error.ts';

/** What is asked of an account, or `unreachable` if it does not answer in time: the caller of the API waits. */
export async function inTime<T>(milliseconds: number, alias: string, asked: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: ended.signal, ref: false }).then(() => {
    throw new StorageError('unreachable', `${alias}: no answer in time`);
  });
  // Of the two, the one that comes second is for no one.
  late.catch(() => {});
  asked.catch(() => {});
  try {
    return await Promise.race([asked, late]);
  } finally {
    ended.abort();
  }
}
