import { describe, expect, it } from 'vitest';
import { conditionsOf } from '#domain/watch/conditions.ts';
import type { EndedRun, JobFacts } from '#domain/watch/facts.ts';
import { type JobState, jobStateOf } from '#domain/watch/job-state.ts';

const NOW = new Date('2026-05-20T12:00:00Z');
const DUE = { dueAt: new Date('2026-05-20T11:50:00Z'), overdueAt: new Date('2026-05-20T12:05:00Z') };
const LATE = { dueAt: new Date('2026-05-20T02:00:00Z'), overdueAt: new Date('2026-05-20T03:00:00Z') };
const PAUSE = { at: '2026-05-20T10:00:00Z', reason: 'a move' };

function ended(status: EndedRun['status']): EndedRun {
  const at = '2026-05-19T02:00:00Z';
  return { id: 'nightly-20260519T020000Z-aaaaaa', status, startedAt: at, finishedAt: at, failed: 1, listed: 2 };
}

const running = (more: object = {}) => [
  { id: 'r', what: 'backup' as const, startedAt: DUE.dueAt.toISOString(), ...more },
];

function stateOf(facts: Partial<JobFacts>, main: 'backup' | 'reconcile' = 'backup'): JobState {
  const all: JobFacts = {
    ...{
      job: 'nightly',
      accounts: { source: 'SOURCE', vault: 'VAULT' },
      standings: { [main]: { state: 'ok' } },
      ended: { [main]: ended('succeeded') },
    },
    ...{ running: [], others: [], missed: {}, brakes: [], proofs: [] },
    ...facts,
  };
  return jobStateOf(all, conditionsOf(all, NOW), { main, now: NOW });
}

describe('the state of a job', () => {
  it.each<[JobState, string, Partial<JobFacts>]>([
    ['ok', 'did what is expected', {}],
    ['unwatched', 'has no schedule', { standings: { backup: { state: 'unwatched' } } }],
    ['never', 'has never run', { ended: {} }],
    ['never', 'has no schedule, and has never run', { ended: {}, standings: { backup: { state: 'unwatched' } } }],
    ['due', 'is within its grace', { standings: { backup: { state: 'due', ...DUE } } }],
    ['overdue', 'is late', { standings: { backup: { state: 'overdue', ...LATE } } }],
    ['overdue', 'is late for the first time', { standings: { backup: { state: 'overdue', ...LATE } }, ended: {} }],
    ['failed', 'failed', { ended: { backup: ended('failed') } }],
    ['incomplete', 'has failures', { ended: { backup: ended('completed-with-failures') } }],
    ['running', 'runs after a failure', { ended: { backup: ended('failed') }, running: running() }],
    ['stalled', 'runs and does nothing', { running: running({ silentMs: 3_600_000 }) }],
    ['paused', 'failed and was paused', { ended: { backup: ended('failed') }, pause: PAUSE }],
    ['ok', 'was resumed', { pause: { ...PAUSE, resumed: '2026-05-20T11:00:00Z' } }],
    ['running', 'is paused, and was started by hand', { pause: PAUSE, running: running() }],
    ['ok', 'only its verification failed', { ended: { backup: ended('succeeded'), verify: ended('failed') } }],
    ['ok', 'is verified', { running: running({ what: 'verify' }) }],
  ])('is %s if it %s', (state, _, facts) => {
    expect(stateOf(facts)).toBe(state);
  });

  it('is that of the reconciliations of a rule', () => {
    expect(stateOf({ ended: { reconcile: ended('failed') } }, 'reconcile')).toBe('failed');
  });

  it('names a start that was not made', () => {
    const start = {
      id: 'x',
      job: 'nightly',
      what: 'backup' as const,
      due: LATE.dueAt.toISOString(),
      at: '2026-05-20T02:05:00Z',
    };
    const missed = { backup: { ...start, code: 'unreachable' as const } };
    expect(stateOf({ missed, standings: { backup: { state: 'overdue', ...LATE } } })).toBe('not-started');
  });
});
