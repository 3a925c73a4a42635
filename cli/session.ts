import { createInterface } from 'node:readline/promises';
import { EXIT } from '../host/exit-codes.ts';
import { CliError } from './cli-error.ts';
import type { Input } from './command/input.ts';
import type { Place } from './connect/address.ts';
import type { Api } from './connect/api.ts';
import { connect, findPlace } from './connect/connect.ts';
import type { Output } from './print/output.ts';
import { ProgressLine } from './print/progress-line.ts';
import { visible } from './print/visible.ts';
import type { World } from './world.ts';

/** What a command works with. It looks for the app only if it asks for it. */
export class Session {
  readonly world: World;
  readonly out: Output;
  readonly progress: ProgressLine;
  readonly #input: Input;
  #place: Place | undefined;
  #api: Api | undefined;

  constructor(world: World, out: Output, input: Input) {
    this.world = world;
    this.out = out;
    this.#input = input;
    this.progress = new ProgressLine(world.stderr, world.now);
  }

  /** Where the app is, and why. */
  get place(): Place {
    this.#place ??= findPlace(this.#input, this.world);
    return this.#place;
  }

  get api(): Api {
    this.#api ??= connect(this.place, this.#input, this.world);
    return this.#api;
  }

  /** Whether a person can be asked. */
  get canAsk(): boolean {
    const { stdin, stderr } = this.world;
    return stdin.isTTY === true && stderr.isTTY === true && this.out.format === 'text' && this.out.isTerminal;
  }

  /** Asks the person at the terminal; the answer is a line without outer blanks. The end of the input is no answer. */
  async ask(question: string): Promise<string> {
    const { stdin, stderr, interrupted } = this.world;
    const lines = createInterface({ input: stdin, output: stderr as NodeJS.WritableStream });
    // While it reads a line, a terminal sends no signal for Ctrl-C.
    const stopped = new AbortController();
    let isInterrupted = false;
    lines.on('close', () => stopped.abort());
    lines.on('SIGINT', () => {
      isInterrupted = true;
      stopped.abort();
    });
    try {
      const signal = AbortSignal.any([interrupted, stopped.signal]);
      return (await lines.question(`${visible(question)} `, { signal })).trim();
    } catch (error) {
      if (isInterrupted || interrupted.aborted) throw new CliError('Nothing was changed.', EXIT.interrupted);
      if (stopped.signal.aborted) return '';
      throw error;
    } finally {
      lines.close();
    }
  }

  /** Whether the person says yes. Anything else is no. */
  async confirms(question: string): Promise<boolean> {
    return /^y(?:es)?$/i.test(await this.ask(`${question} [y/N]`));
  }

  /** Whether the person types exactly this name. */
  async types(name: string, question: string): Promise<boolean> {
    return (await this.ask(question)) === name;
  }
}
