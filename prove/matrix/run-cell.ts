import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../../test/support/app/strongroom.ts';
import { Random } from '../../test/support/builders/random.ts';
import { FATES } from '../../test/support/faults/azure-copies.ts';
import type { FaultRule, ProxiedRequest } from '../../test/support/faults/fault-proxy.ts';
import { type FaultContext, STORMS, type Strike } from '../../test/support/faults/faults.ts';
import { nameOf, storageOperation } from '../../test/support/faults/storage-operation.ts';
import { judgeHistory } from '../../test/support/judge/history.ts';
import {
  judgeBackup,
  judgeRestorePoint,
  judgeVault,
  type Remembered,
  remember,
  steadyBetween,
} from '../../test/support/judge/judge.ts';
import { type Bench, REQUEST_MS } from './bench.ts';
import { type Cell, cellName, faultNamed, ORPHANED_COPY, type Recording, recordingOf } from './cell.ts';
import { CONTAINERS, deleteOne, overwriteOne } from './collection.ts';
import { judgeReport } from './report.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

export interface CellResult {
  name: string;
  /** The number of requests that its faults hit. */
  struck: number;
  /** The status of the run, or the code of its refusal. */
  ended: string;
  violations: string[];
  /** The storage requests of the run. */
  recording: Recording;
}

/** Seconds within which a run must end, whatever a fault does. */
const PATIENCE = 120;
/** Another run may take over the lock of a run that never started after a minute. */
const ABANDONED = 75;

/** Plays one cell and judges it: the scenario with its fault, and then a run without faults. */
export async function runCell(bench: Bench, cell: Cell, seed: number): Promise<CellResult> {
  const scenario = SCENARIOS.find(({ name }) => name === cell.scenario);
  if (!scenario) throw new Error(`There is no scenario "${cell.scenario}".`);
  const job = bench.jobOf(scenario.method);
  await bench.clear();
  await scenario.prepare(bench, job);
  const before = await remember(bench.sides.source);
  const moments = [before];
  const violations: string[] = [];
  const begun = bench.proxy.requests.length;
  const strikes = await letLoose(bench, cell, seed, scenario, moments);
  const answer = await scenario.act(bench, job);
  const run = answer.status === 202 ? answer.body.id : undefined;
  if (run === undefined) violations.push(...judgeRefusal(answer));
  else {
    await scenario.meanwhile?.(bench, job, run);
    if (!(await bench.free(job, PATIENCE))) violations.push(`run ${run} has not ended within ${PATIENCE} s`);
  }
  bench.proxy.rules.length = 0;
  await bench.proxy.idle();
  const recording = recordingOf(
    bench.proxy.requests.slice(begun).map((request) => storageOperation(request, bench.sourceAccount)),
  );
  bench.setFate(() => undefined);
  bench.copies.heal();
  const after = moments.length > 1 ? await remember(bench.sides.source) : before;
  if (after !== before) moments.push(after);
  const steady = steadyBetween(before, after);
  const ended =
    run === undefined ? `refused: ${answer.body.code}` : await judgeRun(bench, job, run, steady, violations);
  const holder = (await bench.lock(job))?.run?.id;
  violations.push(...said(await judgeVault(bench.shown, job, moments, holder === undefined ? [] : [holder])));
  await judgeCleanRun(bench, job, moments, violations);
  violations.push(...judgeHistory(bench.proxy.requests, bench.sourceAccount).map(({ message }) => message));
  return { name: cellName(cell), struck: strikes(), ended, violations: [...new Set(violations)], recording };
}

async function judgeRun(bench: Bench, job: string, run: string, steady: Remembered, violations: string[]) {
  const summary = await bench.document(`jobs/${job}/runs/${run}/run.json`);
  if (!summary) {
    violations.push(`run ${run} has left no run.json`);
    return 'lost';
  }
  if (summary.restorePoint) violations.push(...said(await judgeRestorePoint(bench.shown, job, run, steady)));
  violations.push(...(await judgeReport(bench.app, run, summary)));
  return String(summary.status);
}

/** Without faults, the next run finishes the work. */
async function judgeCleanRun(bench: Bench, job: string, moments: Remembered[], violations: string[]): Promise<void> {
  const answer = await startedAtLast(bench, job);
  if (answer.status !== 202) {
    violations.push(`the next run is not started: ${answer.status} ${JSON.stringify(answer.body)}`);
    return;
  }
  const { id } = answer.body;
  if (!(await bench.free(job, PATIENCE))) {
    violations.push(`the next run, ${id}, has not ended within ${PATIENCE} s`);
    return;
  }
  const summary = await bench.document(`jobs/${job}/runs/${id}/run.json`);
  if (summary?.status !== 'succeeded') {
    violations.push(`the next run, ${id}, ended as ${summary?.status}: ${JSON.stringify(summary?.problems)}`);
  }
  violations.push(...said(await judgeVault(bench.shown, job, moments)));
  for (const container of CONTAINERS) {
    violations.push(...said(await judgeBackup(bench.shown, container, `${container}backup`, moments)));
  }
}

async function startedAtLast(bench: Bench, job: string): Promise<Answer> {
  for (const deadline = Date.now() + ABANDONED * 1000; ; await sleep(1000)) {
    const answer = await bench.app.call('POST', `/api/jobs/${job}/runs`, { mode: 'incremental' });
    if (answer.status !== 409 || Date.now() > deadline) return answer;
  }
}

/** A refusal must give its reason. An unexpected error is a 500. */
function judgeRefusal({ status, body }: Answer): string[] {
  const isClear = status >= 400 && status !== 500 && typeof body.code === 'string' && typeof body.detail === 'string';
  return isClear ? [] : [`refused unclearly: ${status} ${JSON.stringify(body)}`];
}

function said(found: { invariant: string; message: string }[]): string[] {
  return found.map(({ invariant, message }) => `${invariant}: ${message}`);
}

/** Installs the faults of the cell. Returns a count of their hits. */
async function letLoose(
  bench: Bench,
  cell: Cell,
  seed: number,
  scenario: Scenario,
  moments: Remembered[],
): Promise<() => number> {
  const chance = new Random(`${seed} ${cellName(cell)}`);
  let version = 0;
  const changed = (change: () => Promise<void>) => async () => {
    await change();
    moments.push(await remember(bench.sides.source));
  };
  const context: FaultContext = {
    requestMs: REQUEST_MS,
    random: () => chance.next(),
    overwriteSource: changed(() => overwriteOne(bench.sides.source, ++version)),
    deleteSource: changed(() => deleteOne(bench.sides.source)),
    addRule: (rule) => bench.proxy.rules.unshift(rule),
  };
  const counts = [{ struck: 0 }, ...(cell.second ? [{ struck: 0 }] : [])];
  const { operation, fault, nth } = cell;
  const first = counts[0]!;
  const storm = STORMS.find(({ name }) => name === fault);
  const fate = FATES[fault];
  if (fault === 'none') return () => 1;
  if (storm) {
    for (let skipped = 1; skipped < nth; skipped++) chance.next();
    const strike = storm.strike(context, (request) => storageOperation(request, bench.sourceAccount).side);
    bench.proxy.rules.push(rule(strike, first, { from: 1, times: Number.POSITIVE_INFINITY }));
  } else if (fate) {
    bench.setFate(() => {
      first.struck++;
      return fate;
    });
  } else if (fault === ORPHANED_COPY) {
    await bench.copies.orphan('databackup', scenario.name === 'full' ? 'changing.txt' : 'new');
    const isRefused = (request: ProxiedRequest) => request.query.get('comp') === 'copy';
    bench.proxy.rules.push({
      match: isRefused,
      before: () => {
        first.struck++;
      },
    });
  } else strikeAt(bench, context, operation, fault, nth, first);
  if (cell.second) strikeAt(bench, context, cell.second.operation, cell.second.fault, 1, counts[1]!);
  return () => Math.min(...counts.map(({ struck }) => struck));
}

function strikeAt(
  bench: Bench,
  context: FaultContext,
  operation: string,
  name: string,
  nth: number,
  count: { struck: number },
): void {
  const fault = faultNamed(name);
  const strike = fault.strike(context);
  const isIts = (request: ProxiedRequest) => nameOf(storageOperation(request, bench.sourceAccount)) === operation;
  const match = (request: ProxiedRequest) => isIts(request) && (strike.match?.(request) ?? true);
  bench.proxy.rules.push(rule({ ...strike, match }, count, { from: nth, times: fault.times ?? 1 }));
}

/** Hits from the `from`th matching request on; a request that it leaves unchanged does not count. */
function rule(strike: Strike, count: { struck: number }, { from, times }: { from: number; times: number }): FaultRule {
  let seen = 0;
  let left = times;
  const { match, answer, before, after } = strike;
  return {
    match(request) {
      if (left === 0 || !(match?.(request) ?? true) || ++seen < from) return false;
      left--;
      return true;
    },
    ...(answer && {
      answer: (request) => {
        count.struck++;
        return answer(request);
      },
    }),
    ...(before && {
      before: (request) => {
        count.struck++;
        return before(request);
      },
    }),
    ...(after && {
      after: async (request, response) => {
        const changed = await after(request, response);
        if (changed === response) left++;
        else count.struck++;
        return changed;
      },
    }),
  };
}
