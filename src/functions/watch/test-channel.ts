import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { Condition } from '#domain/watch/conditions.ts';
import { withTaken } from '#domain/watch/state.ts';
import { compareAndSwap } from '#storage/control/compare-and-swap.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, reply } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';
import { vaultsOf } from '../run/find-run.ts';
import { inTime } from './in-time.ts';

/** The channel has taken the message: a vault that does not answer must not keep that from the operator. */
const PATIENCE_MS = 5_000;

/** POST /api/notify/test — sends a message to a channel, and says whether it was taken. */
export function testChannelHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.testChannel, async ({ body: { channel: name } }) => {
    const { channels } = deps.configuration.notify;
    const channel = channels.find((each) => each.name === name);
    if (!channel) {
      const hint = `The channels are: ${channels.map((each) => each.name).join(', ') || 'none'}`;
      throw new HttpError(404, 'channel-not-found', `The configuration has no channel ${quoted(name)}`, hint);
    }
    const at = deps.now().toISOString();
    const id = `msg_test_${deps.random()}${deps.random()}`;
    try {
      const notices = [{ id, channel: name, type: 'opened' as const, at, condition: testCondition(at) }];
      await deps.notifier.send(channel, { id, channel: name, notices });
    } catch (error) {
      const hint = hintFor((error as Error).message);
      throw new HttpError(
        502,
        'message-not-sent',
        `The channel did not take the message: ${(error as Error).message}`,
        hint,
      );
    }
    await inTime(Promise.all(vaultsOf(deps).map((vault) => noteTaken(deps, vault, name))), PATIENCE_MS);
    return reply(200, { channel: name, sent: true });
  });
}

/** The service itself refuses for now, or the settings are wrong, or there is no way to it. */
function hintFor(reason: string): string {
  if (/\bHTTP 429\b/.test(reason)) return 'The service takes no more messages for now. Try again in some minutes';
  if (/\bHTTP 5\d\d\b/.test(reason)) return 'The service of the channel has failed. Try again in some minutes';
  return 'Check the app settings of the channel, and whether this app may connect to it';
}

/**
 * Otherwise, a channel that was repaired would be `undelivered` until there is something to report. If the vault does
 * not take the note, the next message does the same.
 */
async function noteTaken(deps: Dependencies, vault: string, channel: string): Promise<void> {
  const store = new WatchStore(deps.blobs(vault));
  try {
    await compareAndSwap(async () => {
      const { state, expect } = await store.readState();
      if (state?.refused[channel] === undefined) return true;
      return (await store.writeState(withTaken(state, channel), expect)) === undefined ? undefined : true;
    });
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
}

function testCondition(since: string): Condition {
  return {
    id: 'test',
    condition: 'failed',
    severity: 'info',
    since,
    title: 'Strongroom: a test',
    message: 'An operator tries this channel: POST /api/notify/test.',
    hint: 'No action is needed.',
  };
}
