import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type HostProcess, startHost } from '../../test/support/app/host-process.ts';
import { cpuSeconds, peakMiB, type Usage } from '../process-usage.ts';
import type { CountedServer } from '../servers/counted-server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The built app in its host with one archive rule, for the time of a measurement. */
export class ArchivingApp {
  readonly #host: HostProcess;
  readonly #directory: string;
  readonly #cpuAtStart: number | undefined;
  readonly #startedAt = performance.now();

  private constructor(host: HostProcess, directory: string) {
    this.#host = host;
    this.#directory = directory;
    this.#cpuAtStart = cpuSeconds(host.pid);
  }

  /** `events` says how the rule learns of uploads. */
  static async start(server: CountedServer, accounts: { source: string; vault: string }, events: object) {
    const directory = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));
    const file = join(directory, 'strongroom.json');
    const rule = {
      name: 'bench',
      source: { account: 'SOURCE', container: 'incoming' },
      destination: { account: 'VAULT', container: '{container}archive' },
      reconcile: '0 0 0 1 1 *',
      events,
    };
    writeFileSync(file, JSON.stringify({ archives: [rule] }));
    const host = await startHost({
      cwd: directory,
      args: ['--app', process.env.BENCH_APP ?? ROOT],
      dataDir: join(directory, 'data'),
      env: {
        SOURCE: server.connectionString(accounts.source),
        VAULT: server.connectionString(accounts.vault),
        AzureWebJobsStorage: server.connectionString(accounts.vault),
        STRONGROOM_CONFIG: file,
        STRONGROOM_KEY: undefined,
        STRONGROOM_LIMITS: process.env.STRONGROOM_LIMITS,
        APPLICATIONINSIGHTS_CONNECTION_STRING: undefined,
        NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS,
      },
    });
    return new ArchivingApp(host, directory);
  }

  /** The usage since it was ready. */
  usage(): Usage {
    const cpu = cpuSeconds(this.#host.pid);
    const peak = peakMiB(this.#host.pid);
    return {
      seconds: (performance.now() - this.#startedAt) / 1000,
      ...(cpu !== undefined && this.#cpuAtStart !== undefined && { cpuSeconds: cpu - this.#cpuAtStart }),
      ...(peak !== undefined && { peakMiB: peak }),
    };
  }

  async stop(): Promise<void> {
    await this.#host.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
