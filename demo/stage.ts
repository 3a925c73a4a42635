import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient } from '@azure/storage-blob';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { type Azurite, newAccountKey, startAzurite, withoutProxyForLoopback } from '../host/azurite/azurite.ts';
import { DemoError } from './demo-error.ts';
import { CONFIGURATION, QUEUE } from './job.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const START_MS = 60_000;
const STOP_MS = 10_000;

/** Everything that the demo starts, and the one place that stops it. */
export class Stage {
  readonly #directory = mkdtempSync(join(tmpdir(), 'strongroom-demo-'));
  #azurite: Azurite | undefined;
  #host: ChildProcess | undefined;
  #output = '';
  #closing: Promise<void> | undefined;
  /** Where the app is; undefined before it has started. */
  url: string | undefined;
  #fail!: (error: Error) => void;
  /** Rejects when a process ends unexpectedly. */
  readonly broken = new Promise<never>((_, reject) => {
    this.#fail = reject;
  });

  constructor() {
    this.broken.catch(() => {});
    // The last resort, when the process cannot wait any more. Azurite ends with this process.
    process.once('exit', () => {
      this.#host?.kill('SIGKILL');
      this.#remove();
    });
  }

  /**
   * Starts an Azurite with two accounts, and a third for the app's own storage and the queue of events. `tables` is the
   * connection string of the source.
   */
  async openAccounts(): Promise<{
    source: BlobServiceClient;
    vault: BlobServiceClient;
    queue: QueueClient;
    tables: string;
  }> {
    // Every request stays on this machine, so no proxy applies.
    Object.assign(process.env, withoutProxyForLoopback(process.env));
    const accounts = ['source', 'vault', 'hoststorage'].map((name) => ({ name, key: newAccountKey() }));
    const azurite = await startAzurite({ accounts, location: join(this.#directory, 'azurite') });
    this.#azurite = azurite;
    azurite.onUnexpectedExit((reason) => this.#fail(new DemoError(`The demo cannot continue: ${reason}.`)));
    const [source, vault] = accounts.map(({ name }) =>
      BlobServiceClient.fromConnectionString(azurite.connectionString(name)),
    );
    const queues = QueueServiceClient.fromConnectionString(azurite.connectionString('hoststorage'));
    const queue = queues.getQueueClient(QUEUE);
    await queue.create();
    return { source: source!, vault: vault!, queue, tables: azurite.connectionString('source') };
  }

  /** Starts the built app on the single-machine host, in a process of its own. Returns its address. */
  async openApp(): Promise<string> {
    const azurite = this.#azurite!;
    const configuration = join(this.#directory, 'strongroom.json');
    writeFileSync(configuration, JSON.stringify(CONFIGURATION, null, 2));
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      STRONGROOM_CONFIG: configuration,
      SOURCE: azurite.connectionString('source'),
      VAULT: azurite.connectionString('vault'),
      AzureWebJobsStorage: azurite.connectionString('hoststorage'),
    };
    // Settings of the user for the real app do not apply to the demo.
    for (const name of ['STRONGROOM_KEY', 'STRONGROOM_LIMITS', 'APPLICATIONINSIGHTS_CONNECTION_STRING', 'NODE_OPTIONS'])
      delete env[name];
    const data = join(this.#directory, 'host');
    const args = [join(ROOT, 'host', 'main.ts'), '--port', '0', '--data', data, '--app', ROOT];
    const host = spawn(process.execPath, args, {
      cwd: this.#directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#host = host;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#hostError('was not ready in time')), START_MS);
      const read = (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-8_000);
        const url = /^ready (http:\/\/\S+)$/m.exec(this.#output)?.[1];
        if (url === undefined) return;
        clearTimeout(timer);
        this.url = url;
        resolve(url);
      };
      host.stdout.on('data', read);
      host.stderr.on('data', read);
      host.once('error', (error) => reject(new DemoError(`The app's host did not start: ${error.message}`)));
      // The event "close" follows the last output.
      host.once('close', (code, signal) => {
        clearTimeout(timer);
        if (this.#closing) return;
        const error = this.#hostError(`ended unexpectedly (${signal ?? `exit code ${code}`})`);
        reject(error);
        this.#fail(error);
      });
    });
  }

  /** Ends every process and deletes every file, once. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#stopHost();
      await this.#azurite?.stop();
      this.#remove();
    })();
    return this.#closing;
  }

  async #stopHost(): Promise<void> {
    const host = this.#host;
    if (!host || host.exitCode !== null || host.signalCode !== null) return;
    const exited = new Promise((resolve) => host.once('exit', resolve));
    host.kill('SIGTERM');
    const timer = setTimeout(() => host.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
  }

  #remove(): void {
    // Windows may lock a file for a moment after the process that had it open has ended.
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #hostError(what: string): DemoError {
    const lines = this.#output.trim().split('\n').slice(-8);
    return new DemoError([`The app's host ${what}. Its last output:`, ...lines].join('\n  '));
  }
}
