import { describe, expect, it } from 'vitest';
import {
  carryOutBody,
  carryOutWords,
  decisionsOf,
  isEmptyPlan,
  obstacle,
  type Plan,
  planWords,
  reasonWords,
} from '../../../ui/model/prune.ts';

const plan: Plan = {
  ...{ job: 'nightly', at: '2026-11-29T04:00:00.000Z', before: '', source: '', hash: '3f0c', marginMs: 86_400_000 },
  decisions: [
    { id: 'n-29', keep: true, reasons: ['newest', 'daily 2026-11-29'] },
    { id: 'n-12', keep: false, reasons: ['no rule keeps it'] },
  ],
  ...{
    remove: ['n-12'],
    expired: ['n-01'],
    reading: [{ job: 'nightly', point: 'n-02', run: 'r' }],
    keeps: [],
    braked: [],
  },
  summary: {
    keeps: 29,
    removes: 1,
    empties: 1,
    items: 1207,
    bytes: 3_200_000_000,
    emptiesFrom: '2026-11-30T04:00:00.000Z',
    held: null,
  },
};
const run = { dryRun: true, status: 'succeeded' as const, plan };
const ready = { now: Date.parse('2026-11-29T04:03:00.000Z'), may: true, typed: 'nightly' };
const none = { ...plan, summary: { ...plan.summary, removes: 0, empties: 0, items: 0 } };

describe('a plan', () => {
  it('says of each restore point what happens to it, and why', () => {
    expect(decisionsOf(plan).map(({ id, fate }) => [id, fate])).toEqual([
      ['n-29', 'keep'],
      ['n-12', 'mark'],
      ['n-01', 'empty'],
      ['n-02', 'read'],
    ]);
    expect(decisionsOf(plan)[0]!.reasons).toEqual(['the newest', 'the daily one of 2026-11-29']);
  });

  it.each([
    ['last 7', 'one of the newest 7'],
    ['weekly 2026-W47', 'the weekly one of 2026-W47'],
    ['within 30d', 'not older than 30d'],
    ['held: audit 2026', 'on hold: audit 2026'],
    ['no rule keeps it', 'no rule keeps it'],
    ['a reason of a later version', 'a reason of a later version'],
  ])('says %s as %s', (reason, words) => expect(reasonWords(reason)).toBe(words));

  it('is said in numbers, and what cannot be undone', () => {
    const when = (time: string) => time.slice(0, 10);
    expect(planWords(plan, when, true)).toEqual([
      '29 restore points stay.',
      '1 would be marked: no restore can use it then. The content stays until 2026-11-30 at least, and until it is ' +
        'deleted, you can take back the mark.',
      'The content of 1, marked earlier, would be deleted: 1,207 items, 3.2 GB. That cannot be undone.',
    ]);
    expect(planWords(plan, when, false)[2]).toBe('The content of 1, marked earlier, was deleted: 1,207 items, 3.2 GB.');
    expect(planWords({ ...none, braked: ['imagesbackup'] }, when, true)).toContain(
      'A safety brake is engaged: nothing is deleted in 1 place.',
    );
    expect(carryOutWords(plan)).toBe('Mark 1 restore point and delete 1,207 items');
  });

  it('without a margin, marks and deletes at once, and promises no way back', () => {
    const when = (time: string) => time.slice(0, 10);
    const summary = { ...plan.summary, removes: 2, empties: 1 };
    const decisions = [...plan.decisions, { id: 'n-11', keep: false, reasons: ['no rule keeps it'] }];
    const at = { ...plan, marginMs: 0, decisions, remove: ['n-12', 'n-11'], summary };
    const braked = planWords({ ...at, expired: [] }, when, true).join(' ');
    expect(braked).toContain('2 would be marked');
    expect(braked).toContain('Until a later prune deletes the content, you can take back the mark.');
    const some = { ...at, expired: ['n-12'], reading: [{ job: 'nightly', point: 'n-11', run: 'r' }] };
    expect(planWords(some, when, true)).toEqual([
      '29 restore points stay.',
      '1 would be marked: no restore can use it then. Until a later prune deletes the content, you can take back the mark.',
      '1 would be marked: no restore can use it then. The job has no margin: the same prune deletes the content, and ' +
        'you cannot take back the mark.',
      'The content of 1, marked at once, would be deleted: 1,207 items, 3.2 GB. That cannot be undone.',
    ]);
    expect(decisionsOf(some).slice(1)).toEqual([
      { id: 'n-12', fate: 'empty', reasons: ['no rule keeps it', 'the job has no margin'], canHold: true },
      { id: 'n-11', fate: 'mark', reasons: ['no rule keeps it', 'r reads it, so its content stays'], canHold: true },
    ]);
    const both = { ...some, expired: ['n-12', 'n-01'], summary: { ...summary, empties: 2 } };
    expect(planWords(both, when, false).at(-1)).toContain('The content of 2, 1 of them marked at once, was deleted');
    expect(decisionsOf(both).at(-1)).toEqual({
      ...{ id: 'n-01', fate: 'empty' },
      reasons: ['marked by an earlier prune; its margin is over'],
      canHold: false,
    });
  });

  it('is carried out with the hash that is on the screen', () =>
    expect(carryOutBody('nightly-x', plan)).toEqual({ plan: 'nightly-x', hash: '3f0c' }));
});

describe('what stands before a prune', () => {
  it.each<[string, object, object, string | null]>([
    ['nothing, once all is there', {}, {}, null],
    ['the plan is being made', { status: 'running' }, {}, 'not-ended'],
    ['the plan failed', { status: 'failed' }, {}, 'not-a-plan'],
    ['it was carried out already', { dryRun: false }, {}, 'not-a-plan'],
    ['there is no plan', { plan: undefined }, {}, 'not-a-plan'],
    ['there is nothing to do', { plan: none }, {}, 'nothing'],
    ['it is more than an hour old', {}, { now: Date.parse('2026-11-29T05:00:00.000Z') }, 'old'],
    ['its time is none', { plan: { ...plan, at: 'x' } }, {}, 'old'],
    ['the caller may not', {}, { may: false }, 'not-allowed'],
    ['the name is not typed', {}, { typed: 'Nightly' }, 'not-typed'],
    ['nothing is typed', {}, { typed: '' }, 'not-typed'],
  ])('%s', (_, ofRun, given, expected) =>
    expect(obstacle({ ...run, ...ofRun }, { ...ready, ...given })).toBe(expected),
  );

  it('knows a plan that changes nothing', () => {
    expect(isEmptyPlan(plan)).toBe(false);
    expect(isEmptyPlan(none)).toBe(true);
    expect(isEmptyPlan({ ...none, oldRuns: ['r'] })).toBe(false);
  });
});
