import type { Answer } from '../../test/support/app/strongroom.ts';
import { FOR_EVER } from '../../test/support/faults/azure-copies.ts';
import type { Bench, Method } from './bench.ts';
import { changeSource, fillSource } from './collection.ts';

/** A run that faults hit, and its history. */
export interface Scenario {
  name: string;
  method: Method;
  /** The history without faults. */
  prepare(bench: Bench, job: string): Promise<void>;
  /** Starts the tested run, and returns the answer to the request. */
  act(bench: Bench, job: string): Promise<Answer>;
  /** Requests during the run. */
  meanwhile?(bench: Bench, job: string, run: string): Promise<void>;
}

const start = (bench: Bench, job: string, mode: 'full' | 'incremental') =>
  bench.app.call('POST', `/api/jobs/${job}/runs`, { mode });

/** A first run, which must succeed. */
async function backUp(bench: Bench, job: string): Promise<string> {
  const { id, status } = await bench.app.run({}, job);
  if (status !== 'succeeded') {
    const { problems } = (await bench.document(`jobs/${job}/runs/${id}/run.json`)) ?? {};
    throw new Error(`A run without faults ended as ${status}: ${JSON.stringify(problems)}`);
  }
  return id;
}

const changed = async (bench: Bench, job: string) => {
  await fillSource(bench.sides.source);
  await backUp(bench, job);
  await changeSource(bench.sides.source);
};

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'full',
    method: 'auto',
    prepare: (bench) => fillSource(bench.sides.source),
    act: (bench, job) => start(bench, job, 'full'),
  },
  {
    name: 'incremental',
    method: 'auto',
    prepare: changed,
    act: (bench, job) => start(bench, job, 'incremental'),
  },
  {
    name: 'again',
    method: 'auto',
    prepare: changed,
    act: (bench, job) => start(bench, job, 'full'),
  },
  {
    name: 'async',
    method: 'async',
    async prepare(bench, job) {
      await changed(bench, job);
      bench.setFate(() => ({ looks: 1, end: 'success' }));
    },
    act: (bench, job) => start(bench, job, 'incremental'),
  },
  {
    name: 'stuck',
    method: 'async',
    async prepare(bench, job) {
      await changed(bench, job);
      bench.setFate(() => FOR_EVER);
    },
    act: (bench, job) => start(bench, job, 'incremental'),
  },
  {
    name: 'blocks',
    method: 'blocks',
    prepare: changed,
    act: (bench, job) => start(bench, job, 'incremental'),
  },
  {
    name: 'retry',
    method: 'auto',
    async prepare(bench, job) {
      await changed(bench, job);
      bench.setFate(() => ({ looks: 0, end: 'failed' }));
      const refused = { match: isCopyOf('changing.txt'), answer: refusedBySource };
      bench.proxy.rules.push(refused);
      const { id, status } = await bench.app.run({ mode: 'incremental' }, job);
      if (status !== 'completed-with-failures') throw new Error(`A run with two failures ended as ${status} (${id}).`);
      bench.proxy.rules.splice(bench.proxy.rules.indexOf(refused), 1);
      bench.setFate(() => undefined);
    },
    async act(bench, job) {
      const last = ((await bench.lock(job)) as { last?: string } | undefined)?.last;
      return bench.app.call('POST', `/api/runs/${last}/retry`);
    },
  },
  {
    name: 'cancel',
    method: 'async',
    async prepare(bench, job) {
      await changed(bench, job);
      bench.setFate(() => FOR_EVER);
    },
    act: (bench, job) => start(bench, job, 'incremental'),
    async meanwhile(bench, _job, run) {
      const before = bench.proxy.requests.length;
      await bench.until((request) => bench.proxy.requests.indexOf(request) >= before && isCopy(request), 10);
      // Asks again after a refusal, as a user does.
      for (let attempt = 0; attempt < 5; attempt++) {
        const { status } = await bench.app.call('POST', `/api/runs/${run}/cancel`);
        if (status < 500) return;
      }
    },
  },
];

const isCopy = ({ headers }: { headers: Record<string, string> }) => 'x-ms-copy-source' in headers;
const isCopyOf =
  (name: string) =>
  ({ path, headers }: { path: string; headers: Record<string, string> }) =>
    'x-ms-copy-source' in headers && path.endsWith(`/${name}`);
const refusedBySource = () => ({
  status: 403,
  headers: {
    'x-ms-error-code': 'CannotVerifyCopySource',
    'x-ms-copy-source-status-code': '403',
    'x-ms-copy-source-error-code': 'AuthenticationFailed',
  },
  body: '',
});
