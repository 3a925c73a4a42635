import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT } from '../../host/exit-codes.ts';
import { UsageError } from '../cli-error.ts';
import { type Command, commands } from '../command/command.ts';
import type { Input } from '../command/input.ts';
import { counted } from '../print/amounts.ts';
import { printArray } from '../print/whole-list.ts';
import type { Session } from '../session.ts';
import { standardInput } from '../standard-input.ts';

const FILE = { name: 'FILE', isOptional: true, completes: 'file' } as const;

const check: Command = {
  path: ['config', 'check'],
  about: 'Check a strongroom.json, without an app',
  details:
    'Checks what the file alone says, as the start of the app does. It does not know the app settings: what needs ' +
    'them is listed as not checked. FILE is strongroom.json by default; - is standard input. Exits with 2 if it is ' +
    'wrong.',
  arguments: [FILE],
  prints: 'document',
  examples: [
    ['config check', 'the file in this folder'],
    ['config check production/strongroom.json --json', 'each problem with its path, for a script'],
  ],
  async run(session, input) {
    const { out } = session;
    const { name, text } = await fileOf(session, input);
    const { checkFile } = await import('../offline/configuration.ts');
    const checked = checkFile(text, name);
    if (out.format === 'json') out.json(checked);
    else {
      for (const { path, message } of checked.problems) out.line({ text: path, style: 'bold' }, `  ${message}`);
      for (const { path, message } of checked.notChecked) out.note(`not checked: ${path}  ${message}`);
      const { jobs, archives } = checked;
      if (checked.isValid) {
        const what =
          jobs === null || archives === null ? '' : `: ${counted(jobs, 'job')}, ${counted(archives, 'archive rule')}`;
        out.line({ text: 'ok', style: 'green' }, `  ${name}${what}`);
      } else out.note(`${name} has ${counted(checked.problems.length, 'problem')}.`);
    }
    return checked.isValid ? EXIT.done : EXIT.usage;
  },
};

const next: Command = {
  path: ['config', 'next'],
  about: 'Show when the schedules of a strongroom.json fire next, without an app',
  arguments: [FILE],
  options: { count: { takes: 'count', placeholder: 'N', about: 'times of each schedule (default: 3, at most 100)' } },
  prints: 'list',
  examples: [['config next strongroom.json --count 5', 'in words, and the next five times of each']],
  async run(session, input) {
    const { out, world } = session;
    const { name, text } = await fileOf(session, input);
    const { nextTimesOf } = await import('../offline/configuration.ts');
    const times = Math.min(input.count('count') ?? 3, 100);
    const rows = nextTimesOf(text, world.now(), times);
    if (rows === undefined) {
      throw new UsageError(
        `The schedules of ${name} cannot be read. strongroom config check shows what is wrong with it.`,
      );
    }
    printArray(session, input, {
      rows,
      bytes: new TextEncoder().encode(JSON.stringify({ schedules: rows })),
      columns: [
        { name: 'job', value: ({ job }) => job },
        { name: 'kind', value: ({ kind }) => kind },
        { name: 'schedule', value: ({ words, timeZone }) => `${words} (${timeZone})`, shrinks: true },
        { name: 'next', value: (row) => row.next.map((time) => out.time(time)).join(', ') },
      ],
      idOf: ({ job }) => job,
      none: 'The file has no schedule.',
    });
    return EXIT.done;
  },
};

const schema: Command = {
  path: ['config', 'schema'],
  about: 'Print the JSON Schema of strongroom.json, with which editors complete and check it',
  prints: 'text',
  examples: [['config schema > strongroom.schema.json', 'then name it in "$schema" of the file']],
  async run(session) {
    const { configurationJsonSchema } = await import('../offline/configuration.ts');
    session.world.stdout.write(`${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
    return EXIT.done;
  },
};

async function fileOf({ world }: Session, input: Input): Promise<{ name: string; text: string }> {
  const name = input.arguments[0] ?? 'strongroom.json';
  try {
    if (name === '-') return { name: 'standard input', text: await standardInput(world) };
    return { name, text: readFileSync(resolve(world.cwd, name), 'utf8') };
  } catch (error) {
    throw new UsageError(`${name} cannot be read: ${(error as Error).message}`);
  }
}

export const CONFIG = commands(check, next, schema);
