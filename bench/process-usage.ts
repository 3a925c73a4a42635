import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** The usage of a contender. CPU and memory are known on Linux only. */
export interface Usage {
  seconds: number;
  cpuSeconds?: number;
  peakMiB?: number;
}

/** In /proc, times are in hundredths of a second on every Linux. */
const TICKS_PER_SECOND = 100;

/** Seconds of CPU of a process and its ended children so far. */
export function cpuSeconds(pid: number): number | undefined {
  const ticks = ticksOf(pid);
  return ticks && sum(ticks.own, ticks.children) / TICKS_PER_SECOND;
}

/** The peak memory of a process. */
export function peakMiB(pid: number): number | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) / 1024;
  } catch {
    return undefined;
  }
}

/** Runs a program to its end. If it fails, throws its output. */
export async function runMeasured(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<Usage> {
  // The system reports the usage of children once they have ended; no other child may end meanwhile.
  const before = ticksOf(process.pid)?.children;
  const started = performance.now();
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const read = (chunk: Buffer) => {
    output = `${output}${chunk}`.slice(-4000);
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  let peak: number | undefined;
  const watch = setInterval(() => {
    peak = peakMiB(child.pid ?? -1) ?? peak;
  }, 20);
  const [code] = (await once(child, 'close').finally(() => clearInterval(watch))) as [number | null];
  const seconds = (performance.now() - started) / 1000;
  const after = ticksOf(process.pid)?.children;
  if (code !== 0) throw new Error(`${command} ended with exit code ${code}:\n${output}`);
  return {
    seconds,
    ...(before && after && { cpuSeconds: (sum(after) - sum(before)) / TICKS_PER_SECOND }),
    ...(peak !== undefined && { peakMiB: peak }),
  };
}

function ticksOf(pid: number): { own: number[]; children: number[] } | undefined {
  try {
    // Fields after the command's name, which is in parentheses and may hold spaces: times are fields 14 to 17.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { own: fields.slice(11, 13).map(Number), children: fields.slice(13, 15).map(Number) };
  } catch {
    return undefined;
  }
}

function sum(...numbers: number[][]): number {
  return numbers.flat().reduce((total, each) => total + each, 0);
}
