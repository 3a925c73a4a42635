import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bug, type Detector, plant } from './bug.ts';

export const ROOT = join(import.meta.dirname, '../..');

/** The files of the app, its tests and the proofs. */
const NEEDED = [
  'src',
  'host',
  'test',
  'prove',
  'tools',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  'host.json',
];
const TIMEOUT_MS = 180_000;

export interface Verdict {
  noticed: boolean;
  /** The output of the detector. */
  said: string;
}

/** A copy of the project to plant bugs in. */
export class Workshop {
  readonly #folder: string;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'strongroom-planted-'));
    for (const name of NEEDED) cpSync(join(ROOT, name), join(this.#folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.#folder, 'node_modules'), 'junction');
  }

  /** Plants a bug, runs its detector, and removes the bug. */
  async try(bug: Bug): Promise<Verdict> {
    const path = join(this.#folder, bug.file);
    const sound = readFileSync(path, 'utf8');
    writeFileSync(path, plant(sound, bug));
    try {
      return await this.ask(bug.detector);
    } finally {
      writeFileSync(path, sound);
    }
  }

  /** Runs a detector on the present code. */
  async ask(detector: Detector): Promise<Verdict> {
    const { code, output } = await run(commandOf(detector), this.#folder);
    const said = firstComplaint(output);
    if (code === undefined) return { noticed: false, said: `no answer within ${TIMEOUT_MS / 1000} s` };
    // A detector that could not run has noticed nothing: a real finding has a name.
    if (code !== 0 && said === '') return { noticed: false, said: `it could not run: ${output.slice(-500)}` };
    return { noticed: code !== 0, said };
  }

  end(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export function nameOf(detector: Detector): string {
  if ('seeds' in detector) return `simulation, ${detector.seeds} seeds from ${detector.from ?? 1}`;
  return detector.name === undefined ? detector.test : `${detector.test} -t ${detector.name}`;
}

function commandOf(detector: Detector): string[] {
  if ('seeds' in detector) {
    return ['prove/simulation/main.ts', '--seeds', String(detector.seeds), '--from', String(detector.from ?? 1)];
  }
  const named = detector.name === undefined ? [] : ['-t', detector.name];
  return ['node_modules/vitest/vitest.mjs', 'run', '--bail=1', detector.test, ...named];
}

/** The exit code; undefined if the time limit was exceeded. */
function run(args: string[], cwd: string): Promise<{ code: number | undefined; output: string }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, VITEST: undefined, NODE_ENV: undefined };
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], { cwd, env });
    let output = '';
    let late = false;
    const take = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, TIMEOUT_MS);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: late ? undefined : (code ?? 1), output });
    });
  });
}

/** The failed test, or the violation of a seed. A file that cannot be loaded shows no name of a test. */
function firstComplaint(output: string): string {
  const seed = /^seed \d+: .*$/m.exec(output);
  const test = /^\s*FAIL\s+(.* > .*)$/m.exec(output);
  return (seed?.[0] ?? test?.[1] ?? '').trim().slice(0, 200);
}
