import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, expect, test } from 'vitest';
import type { RetentionPolicy } from '#domain/prune/retention.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { tryRetentionHandler } from '#functions/prune/try-retention.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';

const BRAKE = { percent: 50, blobs: 100, days: 30 };

let vault: Vault;
beforeEach(() => {
  vault = new Vault({ sharedMs: 0 });
});

function keep(policy: RetentionPolicy): void {
  vault.jobs = [jobOf('nightly', { retention: { ...policy, marginHours: 24, brake: BRAKE } })];
}

async function ask(policy: RetentionPolicy = {}) {
  const query = Object.fromEntries(Object.entries(policy).map(([rule, value]) => [rule, String(value)]));
  const request = httpRequest({ params: { job: 'nightly' }, query });
  const answer = await tryRetentionHandler(vault.deps())(request, {} as DurableClient, {} as InvocationContext);
  expect(answer.status, String(answer.body)).toBe(200);
  return JSON.parse(String(answer.body));
}

/** What the plan of a prune decides, in the form of the answer. */
function decisionsOf({ plan }: RunSummary) {
  return plan!.decisions.map(({ id, keep: isKept, reasons }) => ({ id, keep: isKept, reasons }));
}

async function backUp(days: number): Promise<string[]> {
  const ids: string[] = [];
  for (let day = 0; day < days; day++) {
    vault.put('a', `text ${day}`);
    ids.push((await vault.backup()).id);
    vault.pass(23);
  }
  return ids;
}

const shown = ({ restorePoints }: { restorePoints: { id: string; keep: boolean; reasons: string[] }[] }) =>
  restorePoints.map(({ id, keep: isKept, reasons }) => ({ id, keep: isKept, reasons }));

test('what a prune would decide is what it then decides, by each policy', async () => {
  const ids = await backUp(10);
  await vault.note(ids[2]!, (notes) => ({ ...notes, hold: { at: '2026-05-05T00:00:00Z', reason: 'an audit' } }));
  await vault.verify(ids[4]!);
  for (const policy of [{ keepLast: 2 }, { keepWeekly: 2, keepWithin: '3d' }, { keepDaily: 4, keepMonthly: 1 }]) {
    keep({ keepLast: 9 });
    const before = vault.left('').length;
    const answer = await ask(policy);
    expect(vault.left('').length).toBe(before);
    expect(answer).toMatchObject({ policy, isInForce: false, isComplete: true, problem: null });
    keep(policy);
    const plan = await vault.plan();
    expect(shown(answer)).toEqual(decisionsOf(plan));
    expect(answer.removes).toBe(plan.plan!.remove.length);
    expect(answer.keeps + answer.removes).toBe(10);
    expect(shown(await ask())).toEqual(shown(answer));
  }
});

test('restore points that a prune has marked are not decided again, and a brake keeps the others', async () => {
  keep({ keepLast: 3 });
  const ids = await backUp(5);
  await vault.prune();
  expect((await ask({ keepLast: 1 })).restorePoints.map(({ id }: { id: string }) => id)).toEqual(
    ids.slice(2).toReversed(),
  );
  await vault.note(ids[3]!, (notes) => ({ ...notes, brake: { reason: 'x', containers: ['data'] } }));
  const answer = await ask({ keepLast: 1 });
  expect(answer).toMatchObject({ keeps: 3, removes: 0 });
  keep({ keepLast: 1 });
  expect(shown(answer)).toEqual(decisionsOf(await vault.plan()));
});

test('without a policy, all stay; a policy that keeps nothing is none', async () => {
  vault.jobs = [jobOf('nightly', {})];
  delete (vault.jobs[0] as { retention?: object }).retention;
  await backUp(2);
  expect(await ask()).toMatchObject({ policy: null, isInForce: true, keeps: 2, removes: 0 });
  const request = httpRequest({ params: { job: 'nightly' }, query: { keepLast: '0', keepWithin: '3' } });
  const answer = await tryRetentionHandler(vault.deps())(request, {} as DurableClient, {} as InvocationContext);
  expect(answer.status).toBe(400);
  expect(String(answer.body)).toMatch(/keepLast: this must be.*keepWithin: .*not a duration/);
});
