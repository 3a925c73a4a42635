import type { BlobServiceClient } from '@azure/storage-blob';
import type { Api, Run } from './api.ts';
import { DemoError } from './demo-error.ts';
import { contentDifferences } from './independent-comparison.ts';
import { JOB } from './job.ts';
import type { Ledger, Version } from './ledger.ts';
import { listAll, readAll, type Seen } from './observe.ts';
import { count, fact, printable, say } from './screen.ts';

/** A container at the time of a backup: the run, and the blobs that a restore must write. */
export interface Day {
  run: string;
  blobs: Version[];
}

/**
 * Deletes a container and restores it, then restores its first day beside it. Compares both with the plain Azure SDK,
 * and returns every difference.
 */
export async function loseAndRestore(
  source: BlobServiceClient,
  ledger: Ledger,
  api: Api,
  { container, firstDay }: { container: string; firstDay: Day },
): Promise<string[]> {
  const today = ledger.lastBackedUp(container);
  const client = source.getContainerClient(container);
  await client.delete();
  say(`Container ${container} is deleted, with ${count(today.length)} blobs that are backed up.`);
  const found: string[] = [];
  const back = await restored(api, { job: JOB, containers: [container] });
  ledger.containerRestored(container);
  found.push(...back.problems.map(({ code, message }) => `restore ${back.id}: ${code}: ${message}`));
  found.push(...(await compare(source, container, today, 'restored')));

  const beside = `${container}-first-day`;
  const then = await restored(api, {
    restorePoint: firstDay.run,
    containers: [container],
    target: { container: beside },
  });
  found.push(...then.problems.map(({ code, message }) => `restore ${then.id}: ${code}: ${message}`));
  found.push(...(await compare(source, beside, firstDay.blobs, 'as on the first day')));
  await source.getContainerClient(beside).delete();

  const proved = await api.follow(await api.verify({ job: JOB, kind: 'deep' }));
  const { listed, unchanged, skipped } = proved.counts;
  fact(
    'Verified',
    `${count(unchanged)} of ${count(listed)} items read and hashed, ${count(skipped)} unproved: ${proved.status}`,
  );
  if (proved.counts.failed > 0) found.push(`verification ${proved.id}: ${proved.counts.failed} items differ`);
  return found;
}

async function restored(api: Api, wanted: object): Promise<Run> {
  const run = await api.follow(await api.restore(wanted));
  const sent = Object.values(run.requests).reduce((sum, number) => sum + number, 0);
  fact(
    'Restored',
    `${count(run.counts.copied)} of ${count(run.counts.listed)} blobs, ${count(sent)} requests: ${run.status}`,
  );
  if (run.status === 'failed') throw new DemoError(`Restore ${run.id} failed.`);
  return run;
}

async function compare(
  account: BlobServiceClient,
  container: string,
  expected: Version[],
  what: string,
): Promise<string[]> {
  const blobs = await listAll(account, container);
  await readAll(account, blobs, () => {});
  const found = new Map(blobs.map((blob) => [blob.name, blob]));
  const differences = expected.flatMap((version) => {
    const blob = found.get(version.name);
    found.delete(version.name);
    return (blob ? differencesOf(blob, version) : ['is missing']).map(
      (difference) => `${container}/${printable(version.name)}: ${difference}`,
    );
  });
  for (const name of found.keys()) differences.push(`${container}/${printable(name)}: exists, and was not backed up`);
  fact(
    'Compared',
    `${count(expected.length)} blobs ${what}, every byte and property: ${count(differences.length)} differences`,
  );
  return differences;
}

function differencesOf(found: Seen, expected: Version): string[] {
  const left = Object.keys(found.metadata).filter((key) => key.startsWith('strongroom_'));
  const tags = (values: Record<string, string>) => JSON.stringify(Object.entries(values).sort());
  return [
    ...contentDifferences(found, expected),
    ...(left.length > 0 ? [`carries ${left.join(', ')}`] : []),
    ...(tags(found.tags) === tags(expected.tags) ? [] : [`has the tags ${tags(found.tags)}`]),
    ...(expected.tier !== undefined && found.tier !== expected.tier ? [`is in tier ${found.tier}`] : []),
  ];
}
