import prettyBytes from 'pretty-bytes';
import { Api } from './api.ts';
import { archiveArrivals } from './arrivals.ts';
import { change } from './changes.ts';
import { CONTAINERS, collection } from './collection.ts';
import { DemoError } from './demo-error.ts';
import { fill } from './fill.ts';
import { compareAccounts } from './independent-comparison.ts';
import { isInJob, JOB, QUICK_CONTAINER, QUICK_JOB } from './job.ts';
import { type Entry, Ledger } from './ledger.ts';
import type { Options } from './options.ts';
import { Meter } from './progress.ts';
import { loseAndRestore } from './restore.ts';
import { watchRun } from './runs.ts';
import { sabotage } from './sabotage.ts';
import { editWithinOneSecond } from './same-second.ts';
import { count, fact, heading, printable, say, showProgress } from './screen.ts';
import type { Stage } from './stage.ts';
import { loseATable } from './tables.ts';

/** The container that is deleted and restored: its blobs have all kinds of content, tags and tiers. */
const LOST = 'docs';

const isSelected = ({ container, name }: Entry) => isInJob(container, name);

/** The demo from beginning to end. Returns every difference. */
export async function play(stage: Stage, { seed, sabotage: isSabotaged }: Options): Promise<string[]> {
  heading('Two storage accounts, in an embedded Azurite');
  const { source, vault, queue, tables } = await stage.openAccounts();
  const ledger = new Ledger();
  const specs = collection(seed);
  const meter = new Meter(specs.length);
  await fill(source, CONTAINERS, specs, ledger, ({ size }) => showProgress(meter.add(size)));
  fact('Source', `${meter.done}, in ${CONTAINERS.length} containers`);
  fact('Vault', 'empty');

  const api = new Api(await stage.openApp());
  const unexpected: string[] = [];
  const backUp = async (started: Promise<string>, mode: 'full' | 'incremental') => {
    const expected = ledger.expect(isSelected, mode);
    const id = await started;
    unexpected.push(...(await watchRun(api, id, expected)));
    ledger.backedUp(isSelected);
    return id;
  };

  heading('First backup, started over HTTP');
  const run = await backUp(api.startRun(JOB, 'full'), 'full');
  const firstDay = { run, blobs: ledger.lastBackedUp(LOST) };

  heading('A day of changes');
  for (const { what, blobs } of await change(source, ledger, seed)) say(`${count(blobs).padStart(4)}  ${what}`);
  const orders = ledger.entry(QUICK_CONTAINER, 'orders.csv')!.current!;
  const quick = async () => {
    const { id, status } = await api.follow(await api.startRun(QUICK_JOB, 'incremental'), undefined, 50);
    if (status !== 'succeeded') throw new DemoError(`Run ${id} ended as ${status}.`);
  };
  const isWithin = await editWithinOneSecond(source, vault, ledger, orders, quick);
  const when = isWithin ? 'all within one second' : 'within moments (this machine is too slow for one second)';
  say(`   1  changed, backed up, and changed again in the same size, ${when}`);

  heading("Second backup, started by the job's timer");
  await backUp(api.fireTimer(JOB), 'incremental');

  heading('Third backup, with nothing changed');
  await backUp(api.startRun(JOB, 'incremental'), 'incremental');

  heading('A lost container');
  unexpected.push(...(await loseAndRestore(source, ledger, api, { container: LOST, firstDay })));

  heading('Uploads that are archived as they arrive');
  unexpected.push(...(await archiveArrivals({ source, vault, queue }, api)));

  heading('A table, restored with every type and digit');
  unexpected.push(...(await loseATable(tables, api)));

  if (isSabotaged) {
    heading('Sabotage');
    for (const deed of await sabotage(vault, ledger)) say(printable(deed));
  }

  heading('An independent comparison of both accounts');
  const comparison = await compareAccounts(source, vault, ledger, showProgress);
  for (const { what, times } of comparison.compared) say(`${count(times).padStart(6)}  ${what}`);
  fact('Downloaded', prettyBytes(comparison.bytes));
  fact('Differences', count(comparison.differences.length));
  return [...unexpected, ...comparison.differences];
}
