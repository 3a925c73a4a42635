import { describe, expect, it } from 'vitest';
import { endRun } from '#app/close-run.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import type { RunRef } from '#domain/run/run.ts';
import { checkMemory } from '../../../support/builders/memory-check.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';

const keeping = (marginHours: number) =>
  jobOf('nightly', { retention: { keepLast: 1, marginHours, brake: { percent: 50, blobs: 100, days: 30 } } });

/** A vault with two restore points, of which the policy keeps one. */
async function twoDays(marginHours = 0): Promise<Vault> {
  const vault = new Vault();
  vault.jobs = [keeping(marginHours)];
  for (const day of ['0', '1']) {
    vault.put('a', `day ${day}`);
    if (day === '0') vault.put('old', 'old');
    else vault.source.remove('data', 'old');
    await vault.backup();
  }
  return vault;
}

async function carryingOut(vault: Vault): Promise<RunRef> {
  const plan = await vault.plan();
  return vault.begin({ mode: 'prune', prune: { plan: { run: plan.id, hash: plan.plan!.hash } } });
}

async function verifying(vault: Vault): Promise<RunRef> {
  const point = vault.chain().at(-1) as unknown as { run: string };
  return vault.begin({
    mode: 'verify',
    verify: { point: point.run, kind: 'deep', portion: '100%', turn: 0, sample: 0 },
  });
}

const KINDS: Record<string, () => Promise<{ vault: Vault; run: RunRef }>> = {
  async 'a backup'() {
    const vault = await twoDays();
    vault.put('a', 'day 2');
    return { vault, run: await vault.begin({ mode: 'incremental' }) };
  },
  async 'a verification'() {
    const vault = await twoDays();
    return { vault, run: await verifying(vault) };
  },
  async 'a plan'() {
    const vault = await twoDays();
    return { vault, run: await vault.begin({ mode: 'prune', dryRun: true, prune: {} }) };
  },
  async 'a prune that marks'() {
    const vault = await twoDays(12);
    return { vault, run: await carryingOut(vault) };
  },
  async 'a prune that deletes what was marked'() {
    const vault = await twoDays(12);
    await vault.prune();
    vault.pass(24);
    return { vault, run: await carryingOut(vault) };
  },
  async 'a prune that marks and deletes'() {
    const vault = await twoDays();
    return { vault, run: await carryingOut(vault) };
  },
};

/** Ends a run by force before the request of this number, which is sent anyway. Returns whether it came to that. */
async function cutOff({ vault, run }: { vault: Vault; run: RunRef }, at: number, continues: boolean): Promise<boolean> {
  let count = 0;
  let isCut = false;
  vault.before = async () => {
    if (count++ < at) return;
    if (!isCut) {
      isCut = true;
      vault.before = () => {};
      await endRun(vault.deps(), { run, vault: 'VAULT' }, 'cancelled');
      vault.before = () => {
        if (!continues) throw new Error('its process died');
      };
    } else if (!continues) throw new Error('its process died');
  };
  await vault.work(run).catch((error) => {
    if (continues) throw error;
  });
  vault.before = () => {};
  return isCut;
}

const wrongIn = async ({ vault }: Vault) => (await checkMemory(vault, { job: 'nightly', content: true })).findings;

/** What is left of restore points that are gone. */
function leftovers({ vault }: Vault): string[] {
  const names = vault.listBlobs(CONTROL_CONTAINER, { prefix: 'jobs/nightly/' }).blobs.map(({ name }) => name);
  const of = (name: string) => /\/(?:runs|restore-points)\/([^/]+?)(?:\.json|\/)/.exec(name)?.[1];
  const ended = new Set(names.filter((name) => name.endsWith('/run.json')).map(of));
  return names.filter((name) => of(name) !== undefined && !ended.has(of(name)));
}

describe('I6: a run that is cancelled by force at any of its requests', { tags: ['slow'], timeout: 120_000 }, () => {
  for (const continues of [true, false]) {
    it.each(Object.keys(KINDS))(
      `%s, ${continues ? 'whose activities go on' : 'whose process has died'}: its vault agrees with its chain`,
      async (kind) => {
        for (let at = 0, isCut = true; isCut; at++) {
          const scene = await KINDS[kind]!();
          isCut = await cutOff(scene, at, continues);
          const { vault } = scene;
          expect(await wrongIn(vault), `request ${at}`).toEqual([]);
          await vault.backup();
          for (let prunes = 0; prunes < 2; prunes++) {
            vault.pass(24);
            expect(await vault.prune(), `request ${at}`).toMatchObject({ status: 'succeeded' });
            expect(await wrongIn(vault), `request ${at}`).toEqual([]);
          }
          expect(leftovers(vault), `request ${at}`).toEqual([]);
        }
      },
    );
  }
});
