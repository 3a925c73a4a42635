import { spawn } from 'node:child_process';
import { type Compiler, environment } from './compiler.ts';

/**
 * One process of the compiler that answers several calls, since its start takes most of the time of a call
 * (https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-cli-jsonrpc).
 */
export class Session {
  readonly #process;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  #received = Buffer.alloc(0);
  #calls = 0;

  constructor({ path }: Compiler) {
    this.#process = spawn(path, ['jsonrpc', '--stdio'], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.stdout.on('data', (data: Buffer) => this.#receive(data));
    this.#process.on('error', (error) => this.#failAll(error));
    this.#process.on('exit', (code) => this.#failAll(new Error(`The Bicep compiler ended with the code ${code}`)));
  }

  call(method: string, params: object): Promise<unknown> {
    const id = ++this.#calls;
    const body = JSON.stringify({ jsonrpc: '2.0', id, method: `bicep/${method}`, params });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#process.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
  }

  end(): void {
    this.#process.kill();
  }

  /** A message is a header with the length of the body, an empty line, and the body. */
  #receive(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    for (;;) {
      const start = this.#received.indexOf('\r\n\r\n') + 4;
      const length = Number(/Content-Length: (\d+)/.exec(this.#received.toString('latin1', 0, start))?.[1]);
      if (start < 4 || this.#received.length < start + length) return;
      const { id, result, error } = JSON.parse(this.#received.toString('utf8', start, start + length));
      this.#received = this.#received.subarray(start + length);
      if (error) this.#waiting.get(id)?.reject(new Error(error.message));
      else this.#waiting.get(id)?.resolve(result);
      this.#waiting.delete(id);
    }
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
