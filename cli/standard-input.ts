import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { World } from './world.ts';

/** All that standard input has, or the reason of Ctrl-C: a terminal may have nothing to give for long. */
export function standardInput({ stdin, interrupted }: Pick<World, 'stdin' | 'interrupted'>): Promise<string> {
  return text(addAbortSignal(interrupted, stdin));
}
