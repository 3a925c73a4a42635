import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableClient } from '@azure/data-tables';
import pLimit from 'p-limit';
import { Strongroom } from '../contenders/strongroom.ts';
import { TABLE_SCRIPTS } from '../contenders/table-scripts.ts';
import { measureFidelity } from '../fidelity.ts';
import { type Measurement, measurement, medians } from '../measurement.ts';
import type { Usage } from '../process-usage.ts';
import type { CountedServer } from '../servers/counted-server.ts';
import { GENERATED_TABLE, PER_PARTITION } from '../servers/generated-table.ts';
import { STAND_IN, startStandIn } from '../servers/stand-in.ts';
import type { PartOptions, PartResult } from './part.ts';

const LOOP = 'a loop with the plain SDK';
const TOGETHER = `${LOOP}, 100 in a transaction`;
const ONE_BY_ONE = `${LOOP}, one by one`;
const OURS = 'Strongroom';
const MEMORY_AT_MOST = 1.3;

/** Measures the cost of backups and restores of tables, and the memory for ten times as many entities. */
export async function measureTables({ quick, repeat, progress }: PartOptions): Promise<PartResult> {
  const few = quick ? 5_000 : 20_000;
  const many = quick ? 50_000 : 200_000;
  const full = (entities: number) => `full, ${entities} entities`;
  const unchanged = `nothing changed, ${many} entities`;
  const compared = `nothing changed, keys compared, ${many} entities`;
  const changed = `1% changed, ${many} entities`;
  const restored = (entities: number) => `restore, ${entities} entities`;
  const measured: Measurement[] = [];
  for (let round = 1; round <= repeat; round++) {
    for (const entities of [few, many]) {
      const place = await Place.start(entities);
      const measure = async (
        what: string,
        contender: string,
        run: () => Promise<Usage>,
        check?: () => Promise<void>,
      ) => {
        progress(`${what}${repeat > 1 ? `, round ${round} of ${repeat}` : ''}: ${contender}`);
        await place.server.takeCounts();
        const usage = await run();
        const found = measurement(what, contender, await place.server.takeCounts(), usage);
        measured.push({ ...found, entities });
        await check?.();
      };
      try {
        await measure(full(entities), OURS, () => place.backUp('full', entities));
        await measure(full(entities), LOOP, () => place.loop());
        await measure(
          restored(entities),
          OURS,
          () => place.restore(),
          () => place.expectAllIn('Restored'),
        );
        const back = (contender: string, suffix: string, transactions: boolean) =>
          measure(
            restored(entities),
            contender,
            () => place.loopBack(suffix, transactions),
            () => place.expectAllIn(suffix),
          );
        await back(TOGETHER, 'Together', true);
        if (entities === few) {
          await back(ONE_BY_ONE, 'OneByOne', false);
        } else {
          await measure(unchanged, OURS, () => place.backUp('incremental', 0));
          await measure(compared, OURS, () => place.backUp('incremental', 0, true));
          progress(`${entities / 100} entities are overwritten`);
          await place.rewrite(entities / 100);
          await measure(changed, OURS, () => place.backUp('incremental', entities / 100));
        }
      } finally {
        await place.remove();
      }
    }
  }
  progress('values of every type, backed up and restored');
  const lost = await measureFidelity();
  const measurements = medians(measured);
  const of = (what: string, contender = OURS) =>
    measurements.find((each) => each.what === what && each.contender === contender)!;
  /** Seconds of CPU per further entity, without the start. */
  const further = (what: (entities: number) => string, contender = OURS) => {
    const [small, large] = [of(what(few), contender).cpuSeconds, of(what(many), contender).cpuSeconds];
    return small && large && (large - small) / (many - few);
  };
  const cpu = {
    full: { ours: further(full), loop: further(full, LOOP) },
    restored: { ours: further(restored), loop: further(restored, TOGETHER) },
  };
  const memory = (what: (entities: number) => string) => {
    const [small, large] = [of(what(few)).peakMiB, of(what(many)).peakMiB];
    return small && large && large / small;
  };
  return {
    title: 'Tables',
    notes: [
      'On a stand-in server that generates the entities of one table (8 properties besides the keys, 440 bytes,',
      `${PER_PARTITION} per partition) and accepts writes to others. It answers a filter by time at once and with`,
      'full pages; the service reads the whole table, which takes longer and may take more pages. Strongroom writes to',
      'a vault, the loop to a compressed file on this machine, one line of JSON per entity. The loop restores 8',
      'transactions at once, or 32 entities. CPU and seconds are from process start to end, except the seconds of',
      'Strongroom, which are those of the run. Overwritten entities are spread over the table.',
      `Each further entity takes ${microseconds(cpu.full.ours)} of CPU in a full backup, and`,
      `${microseconds(cpu.full.loop)} in the loop. In a restore it takes `,
      `${microseconds(cpu.restored.ours)}, and ${microseconds(cpu.restored.loop)} in the loop by transactions.`,
      `Of ${lost.values} values on Azurite, of each type and at the edges of types, these are restored as another`,
      'value or type, or not at all:',
      `${named('Strongroom', lost.strongroom)}; ${named('the loop', lost.loop)};`,
      `${named("the loop without the SDK's conversion of types", lost.typedLoop)}.`,
    ],
    measurements,
    targets: [
      {
        what: full(many),
        atMost: (1.05 * many) / 1000 + 200,
        measured: of(full(many)).requests,
        unit: 'requests',
      },
      {
        what: 'CPU for each further entity of a full backup',
        atMost: 0.5,
        measured: ratio(cpu.full),
        unit: "of the loop's",
      },
      {
        what: 'CPU for each further entity of a restore',
        atMost: 1,
        measured: ratio(cpu.restored),
        unit: "of the loop's with transactions",
      },
      { what: unchanged, atMost: 100, measured: of(unchanged).requests, unit: 'requests' },
      {
        what: restored(many),
        atMost: (1.05 * many) / 100 + 200,
        measured: of(restored(many)).requests,
        unit: 'requests',
      },
      // In quick runs, files of entities are far from their largest, so their memory says little.
      ...(quick
        ? []
        : [
            {
              what: `memory of a full backup of ${many}`,
              atMost: MEMORY_AT_MOST,
              measured: memory(full),
              unit: `times that of ${few}`,
            },
            {
              what: `memory of a restore of ${many}`,
              atMost: MEMORY_AT_MOST,
              measured: memory(restored),
              unit: `times that of ${few}`,
            },
          ]),
      {
        what: 'values that are restored as another',
        atMost: 0,
        measured: lost.strongroom.length,
        unit: `of ${lost.values}`,
      },
    ],
  };
}

/** A stand-in server with a table, and the contenders. */
class Place {
  readonly server: CountedServer;
  readonly #entities: number;
  readonly #strongroom: Strongroom;
  readonly #comparing: Strongroom;
  readonly #directory = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));

  private constructor(server: CountedServer, entities: number) {
    this.server = server;
    this.#entities = entities;
    const source = { account: 'SOURCE', tables: [GENERATED_TABLE] };
    this.#strongroom = new Strongroom(STAND_IN.empty, { source, destination: { account: 'VAULT' } });
    this.#comparing = new Strongroom(STAND_IN.empty, {
      source: { ...source, tableDeletions: true },
      destination: { account: 'VAULT' },
    });
  }

  static async start(entities: number): Promise<Place> {
    return new Place(await startStandIn({ containers: 0, blobsPerContainer: 0, entities }), entities);
  }

  /** Throws if another number of entities was copied. */
  async backUp(mode: 'full' | 'incremental', copied: number, compareKeys = false): Promise<Usage> {
    const usage = await (compareKeys ? this.#comparing : this.#strongroom).backUp(this.server, STAND_IN.source, mode);
    expectEqual('backed up', usage.copied, copied);
    expectEqual('listed', usage.listed, this.#entities);
    return usage;
  }

  loop(): Promise<Usage> {
    return TABLE_SCRIPTS.toFile(this.#scripts(GENERATED_TABLE));
  }

  restore(): Promise<Usage> {
    const body = { tables: [GENERATED_TABLE], target: { table: '{table}Restored' } };
    return this.#strongroom.ask(this.server, STAND_IN.source, '/api/restores', body);
  }

  loopBack(suffix: string, transactions: boolean): Promise<Usage> {
    return TABLE_SCRIPTS.toTable({ ...this.#scripts(GENERATED_TABLE + suffix), transactions });
  }

  /** Throws if a restored table does not have all entities. */
  async expectAllIn(suffix: string): Promise<void> {
    const count = await fetch(`${this.server.tableEndpoint(STAND_IN.source)}/${GENERATED_TABLE}${suffix}/count`);
    expectEqual('restored', Number(await count.text()), this.#entities);
  }

  /** Overwrites entities, evenly over the table. */
  async rewrite(count: number): Promise<void> {
    const table = TableClient.fromConnectionString(this.server.connectionString(STAND_IN.source), GENERATED_TABLE, {
      allowInsecureConnection: true,
    });
    const limit = pLimit(32);
    const every = this.#entities / count;
    const write = (number: number) => {
      const [partition, row] = [Math.floor(number / PER_PARTITION), number].map((each) =>
        String(each).padStart(8, '0'),
      );
      return table.upsertEntity({ partitionKey: `customer-${partition}`, rowKey: row! }, 'Replace');
    };
    await Promise.all(Array.from({ length: count }, (_, index) => limit(() => write(index * every))));
  }

  async remove(): Promise<void> {
    await this.server.stop();
    this.#strongroom.remove();
    this.#comparing.remove();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #scripts(table: string) {
    const connectionString = this.server.connectionString(STAND_IN.source);
    return { connectionString, table, file: join(this.#directory, 'entities.ndjson.gz') };
  }
}

function expectEqual(what: string, is: number, should: number): void {
  if (is !== should) throw new Error(`${is} entities were ${what}, expected ${should}`);
}

function ratio({ ours, loop }: { ours: number | undefined; loop: number | undefined }): number | undefined {
  return ours && loop && ours / loop;
}

function microseconds(seconds: number | undefined): string {
  return seconds === undefined ? 'n/a' : `${(seconds * 1e6).toFixed(1)} µs`;
}

function named(who: string, lost: string[]): string {
  return `from ${who} ${lost.length === 0 ? 'none' : `${lost.length} (${lost.join(', ')})`}`;
}
