import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startHost } from '../../test/support/app/host-process.ts';
import { type History, historyOf } from '../history.ts';
import { cpuSeconds, peakMiB, type Usage } from '../process-usage.ts';
import type { CountedServer } from '../servers/counted-server.ts';
import type { Contender } from './contender.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface StrongroomUsage extends Usage {
  /** The part of it that the start of the host took; the seconds exclude it. */
  start: Usage;
  listed: number;
  copied: number;
  history: History;
}

/** The built app in its host, which starts for each run and gets its requests over HTTP. */
export class Strongroom implements Contender {
  readonly name = 'Strongroom';
  readonly vault: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));

  /** `more` replaces keys of the job. */
  constructor(vault: string, more: object = {}) {
    this.vault = vault;
    const job = {
      name: 'bench',
      source: { account: 'SOURCE', containers: ['*'] },
      destination: { account: 'VAULT', container: '{container}backup' },
      ...more,
    };
    writeFileSync(join(this.#directory, 'strongroom.json'), JSON.stringify({ jobs: [job] }));
  }

  async run({ server, source, step }: Parameters<Contender['run']>[0]): Promise<StrongroomUsage> {
    return this.backUp(server, source, step === 'first' ? 'full' : 'incremental');
  }

  backUp(server: CountedServer, source: string, mode: 'full' | 'incremental'): Promise<StrongroomUsage> {
    return this.ask(server, source, '/api/jobs/bench/runs', { mode });
  }

  /** Starts a run over HTTP, and waits for its end. */
  async ask(server: CountedServer, source: string, path: string, body: object): Promise<StrongroomUsage> {
    const begun = performance.now();
    const host = await startHost({
      cwd: this.#directory,
      args: ['--app', process.env.BENCH_APP ?? ROOT],
      dataDir: join(this.#directory, 'data'),
      env: {
        SOURCE: server.connectionString(source),
        VAULT: server.connectionString(this.vault),
        STRONGROOM_CONFIG: join(this.#directory, 'strongroom.json'),
        STRONGROOM_KEY: undefined,
        STRONGROOM_LIMITS: process.env.STRONGROOM_LIMITS,
        APPLICATIONINSIGHTS_CONNECTION_STRING: undefined,
        NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS,
      },
    });
    try {
      const start = usageSince(begun, host.pid);
      const posted = performance.now();
      const answer = await fetch(host.url + path, { method: 'POST', body: JSON.stringify(body) });
      if (answer.status !== 202) throw new Error(`The run was not started: ${answer.status} ${await answer.text()}`);
      const ended = await finished(host);
      if (ended.status !== 'succeeded') throw new Error(`The run ended as ${ended.status}:\n${host.output()}`);
      const usage = usageSince(posted, host.pid);
      await host.stop();
      const history = await historyOf(join(this.#directory, 'data', 'durable.journal'));
      return { ...usage, start, listed: ended.listed, copied: ended.copied, history };
    } finally {
      await host.stop();
    }
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function usageSince(begun: number, pid: number): Usage {
  const cpu = cpuSeconds(pid);
  const peak = peakMiB(pid);
  return {
    seconds: (performance.now() - begun) / 1000,
    ...(cpu !== undefined && { cpuSeconds: cpu }),
    ...(peak !== undefined && { peakMiB: peak }),
  };
}

interface Finished {
  status: string;
  listed: number;
  copied: number;
}

/** Waits for the log line that ends a run. HTTP requests for the run would cost storage requests. */
async function finished(host: { output(): string; pid: number }): Promise<Finished> {
  for (;;) {
    const line = /run-finished (\{.*\})$/m.exec(host.output())?.[1];
    if (line !== undefined) return JSON.parse(line) as Finished;
    // Signal 0 only checks whether the process exists.
    process.kill(host.pid, 0);
    await sleep(5);
  }
}
