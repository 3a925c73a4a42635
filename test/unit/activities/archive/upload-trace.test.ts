import { expect, test } from 'vitest';
import { makeActivities } from '#activities/index.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { traceOfUpload } from '#domain/run/trace.ts';
import { StorageError } from '#storage/storage-error.ts';
import { Telemetry } from '#telemetry/telemetry.ts';

const CALLER = { id: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' };
const upload = { rule: 'uploads', name: 'a.bin', owner: 'uploads-event-1' };

/** The activities of an app that reaches no account, and the trace of each event that it reports. */
function unreachable() {
  const events: (string | undefined)[][] = [];
  const event = (name: string, { trace }: Record<string, string>) => events.push([name, trace]);
  const telemetry = new Telemetry(() => {}, { event, metric() {}, exception() {}, flush: async () => {} });
  const deps = {
    telemetry,
    get configuration(): never {
      throw new StorageError('unreachable', 'No answer');
    },
  };
  return { activities: makeActivities(deps as unknown as Dependencies), events };
}

test('each attempt to archive an upload reports in the trace of its event', async () => {
  const { activities, events } = unreachable();
  await activities.archiveUpload(upload);
  await activities.archiveUpload(upload);
  await activities.archiveUpload({ ...upload, trace: CALLER });
  const own = traceOfUpload(upload).id;
  expect(events).toEqual([own, own, CALLER.id].map((trace) => ['upload-failed', trace]));
});
