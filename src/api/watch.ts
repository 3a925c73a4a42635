import { z } from 'zod';
import { bySchema } from '#domain/run/by.ts';
import type { Members } from '#domain/run/members.ts';
import type { Pause } from '#domain/watch/pause.ts';
import { instant, text, time } from './fields.ts';
import { operations } from './operation.ts';
import { reason } from './reason.ts';

/** A pause that is not over. */
const pauseSchema = z
  .strictObject({
    ...{ at: time, reason: text, until: time.optional(), by: bySchema.optional() },
  } satisfies Members<Omit<Pause, 'resumed' | 'resumedBy' | 'earlier'>>)
  .meta({ id: 'Pause' });

export const watchOperations = operations({
  pauseJob: {
    method: 'POST',
    path: 'jobs/{job}/pause',
    summary: 'Pause the schedules of a job',
    needs: 'run',
    body: z.strictObject({ reason, until: instant.optional() }),
    answers: { 200: z.strictObject({ job: text, paused: pauseSchema }) },
    errors: { 404: ['job-not-found'] },
  },
  resumeJob: {
    method: 'POST',
    path: 'jobs/{job}/resume',
    summary: 'Resume the schedules of a job',
    needs: 'run',
    answers: { 200: z.strictObject({ job: text, paused: z.null() }) },
    errors: { 404: ['job-not-found'], 409: ['not-paused'] },
  },
  testChannel: {
    method: 'POST',
    path: 'notify/test',
    summary: 'Send a test message to a channel',
    needs: 'run',
    body: z.strictObject({ channel: z.string() }),
    answers: { 200: z.strictObject({ channel: text, sent: z.literal(true) }) },
    errors: { 404: ['channel-not-found'], 502: ['message-not-sent'] },
  },
});
