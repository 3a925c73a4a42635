import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { isMissedStarts, type MissedStart, type MissedStarts, withMissed } from '#domain/watch/missed-start.ts';
import { isPauses, type Pause, type Pauses } from '#domain/watch/pause.ts';
import { isPings, type Pings } from '#domain/watch/ping.ts';
import { isWatchState, type WatchState } from '#domain/watch/state.ts';
import { isStorageError, StorageError } from '../storage-error.ts';
import { compareAndSwap } from './compare-and-swap.ts';
import { ControlContainer } from './control-container.ts';

const STATE = 'watch/state.json';
const PAUSES = 'watch/pauses.json';
const MISSED = 'watch/not-started.json';
const PINGS = 'watch/pings.json';

/** What the watch of one vault keeps there. Throws `StorageError` and nothing else. */
export class WatchStore extends ControlContainer {
  /** Undefined without a state, or if it is damaged; with the condition to replace it by. */
  async readState(): Promise<{ state: WatchState | undefined; expect: { ifMatch: string } | 'absent' }> {
    const found = await this.read(STATE);
    if (!found) return { state: undefined, expect: 'absent' };
    return { state: isWatchState(found.value) ? found.value : undefined, expect: { ifMatch: found.etag } };
  }

  /** Whether the control container is not there. */
  async isGone(): Promise<boolean> {
    try {
      await this.vault.listBlobs(CONTROL_CONTAINER, { limit: 1 });
      return false;
    } catch (error) {
      if (isStorageError(error, 'container-not-found')) return true;
      throw error;
    }
  }

  /** Returns the new ETag, or undefined if another pass has written it since. */
  writeState(state: WatchState, expect: { ifMatch: string } | 'absent'): Promise<string | undefined> {
    return this.replace(STATE, state, expect);
  }

  /** A damaged document pauses nothing: backups go before. */
  async readPauses(): Promise<Pauses> {
    return (await this.#readOr(PAUSES, isPauses)) ?? { jobs: {} };
  }

  /** Changes the pause of a job. `change` may throw to leave it. Returns the new one. */
  async changePause(job: string, change: (pause: Pause | undefined) => Pause): Promise<Pause> {
    let next: Pause | undefined;
    await this.#change(PAUSES, isPauses, (before) => {
      next = change(before?.jobs[job]);
      return { jobs: { ...before?.jobs, [job]: next } };
    });
    return next!;
  }

  async readMissed(): Promise<MissedStarts> {
    return (await this.#readOr(MISSED, isMissedStarts)) ?? { jobs: {} };
  }

  /** Notes a start that was not made. */
  async noteMissed(missed: MissedStart): Promise<void> {
    await this.#change(MISSED, isMissedStarts, (before) => withMissed(before ?? { jobs: {} }, missed));
  }

  async readPings(): Promise<Pings> {
    return (await this.#readOr(PINGS, isPings)) ?? { sent: {} };
  }

  /** Notes that the end of a run was reported to its check. Ids of a job sort by time: the newest stays. */
  async notePing(key: string, run: string): Promise<void> {
    await this.#change(PINGS, isPings, (before) => {
      const sent = before?.sent ?? {};
      return sent[key] !== undefined && sent[key] >= run ? before! : { sent: { ...sent, [key]: run } };
    });
  }

  async #readOr<T>(path: string, isExpected: (value: unknown) => value is T): Promise<T | undefined> {
    try {
      return (await this.readJson(path, isExpected))?.value;
    } catch (error) {
      if (isStorageError(error, 'damaged')) return undefined;
      throw error;
    }
  }

  /** Writes nothing if `change` returns what it was given. */
  async #change<T>(
    path: string,
    isExpected: (value: unknown) => value is T,
    change: (before: T | undefined) => T,
  ): Promise<void> {
    const done = await compareAndSwap(async () => {
      const found = await this.read(path);
      const before = found && isExpected(found.value) ? found.value : undefined;
      const next = change(before);
      if (next === before) return true;
      return (await this.writeJson(path, next, found ? { ifMatch: found.etag } : 'absent')) || undefined;
    });
    if (!done) throw new StorageError('precondition', `Other writers keep changing ${this.where(path)}`);
  }
}
