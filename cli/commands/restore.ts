import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT, type ExitCode } from '../../host/exit-codes.ts';
import { UsageError } from '../cli-error.ts';
import { commands } from '../command/command.ts';
import type { Input } from '../command/input.ts';
import { counted, sizeOf } from '../print/amounts.ts';
import { needsLook, type Preview, questionOf, writesNothing } from '../restore/preview.ts';
import { printPreview } from '../restore/print-preview.ts';
import { readPreview } from '../restore/read-preview.ts';
import { type RestoreBody, restoreBody } from '../restore/restore-body.ts';
import { reportStart, WATCH_OPTIONS } from '../runs/start-and-follow.ts';
import type { Session } from '../session.ts';
import { standardInput } from '../standard-input.ts';

const NAME = { takes: 'text', placeholder: 'NAME' } as const;
const NAMES = { takes: 'texts', placeholder: 'NAME' } as const;
const GLOB = { takes: 'texts', placeholder: 'GLOB' } as const;
const KEY = { takes: 'text', placeholder: 'KEY' } as const;

export const RESTORE = commands({
  path: ['restore'],
  about: 'Restore blobs, containers or tables: shows what it would do, and asks before it writes',
  details:
    'Without names, containers and tables, it restores everything of the restore point. At a terminal it asks; ' +
    'elsewhere it needs --yes, and without it ends with 7 and writes nothing. With --yes it starts at once. What a ' +
    'restore replaces is kept as a snapshot; entities of tables are not. It deletes nothing.',
  arguments: [{ name: 'NAME', isOptional: true, isMany: true }],
  options: {
    'names-from': {
      takes: 'text',
      placeholder: 'FILE',
      completes: 'file',
      about: 'names, one a line; - is standard input',
    },
    point: { takes: 'text', placeholder: 'POINT', completes: 'point', about: 'restore point (default: latest)' },
    at: { takes: 'time', placeholder: 'TIME', about: 'the last restore point that began then or earlier' },
    job: { takes: 'text', placeholder: 'JOB', completes: 'job', about: 'its job; required if there are several' },
    container: { ...NAMES, about: 'only this container, or a pattern with *; may be repeated' },
    table: { ...NAMES, about: 'only this table, or a pattern with *; may be repeated' },
    prefix: { takes: 'text', placeholder: 'TEXT', about: 'only blobs whose names start with this text' },
    include: { ...GLOB, about: 'only blobs that match; may be repeated' },
    exclude: { ...GLOB, about: 'only blobs that do not match; may be repeated' },
    partition: { ...KEY, about: 'only entities of this partition of the tables' },
    'from-key': { ...KEY, about: 'only keys from this one: row keys with --partition, otherwise partition keys' },
    'to-key': { ...KEY, about: 'only keys up to this one' },
    file: {
      takes: 'text',
      placeholder: 'PATH',
      about: 'instead of a restore point: one file of entities in the vault',
    },
    to: { ...NAME, about: 'target container; {container} stands for the name of the backed-up one' },
    'to-table': { ...NAME, about: 'target table; {table} stands for the name of the backed-up one' },
    'to-prefix': { takes: 'text', placeholder: 'TEXT', about: 'put this before every name' },
    'to-account': { takes: 'text', placeholder: 'ALIAS', completes: 'account', about: 'target account' },
    existing: {
      takes: 'text',
      placeholder: 'WHAT',
      oneOf: ['fail', 'skip', 'overwrite', 'if-different', 'replace', 'merge'],
      about: 'what to do with blobs and entities that are there (default: fail)',
    },
    rehydrate: {
      takes: 'text',
      placeholder: 'HOW',
      oneOf: ['standard', 'high'],
      about: 'rehydrate content from the archive tier first',
    },
    'restore-access': { takes: 'nothing', about: 'also restore public access and stored access policies' },
    preview: { takes: 'nothing', about: 'show what it would do, and ask nothing' },
    'dry-run': { takes: 'nothing', about: 'start a run that decides everything and writes nothing' },
    yes: { takes: 'nothing', about: 'start at once, without a preview' },
    ...WATCH_OPTIONS,
  },
  prints: 'run',
  examples: [
    ['restore 2026/a.jpg --container images --at 2026-11-20 --existing if-different', 'one blob, as it was'],
    ['restore --container images --to images-restored --yes --watch', 'a container, to a safe place'],
    ['restore --table orders --partition tenant-7 --to-table ordersRestored', 'a part of a table'],
  ],
  async run(session, input) {
    const names = [...input.arguments, ...(await namesFrom(session, input))];
    const body = restoreBody(input, names);
    if (input.has('preview') && input.has('yes')) throw new UsageError('Choose one of --preview and --yes.');
    const dryRun = input.has('dry-run');
    if (body.at !== undefined && session.out.format === 'text') session.out.note(`As of ${session.out.time(body.at)}.`);
    const isSure = input.has('yes') || dryRun;
    if (!isSure || input.has('preview')) {
      const answer = await beforehand(session, input, body);
      if (answer !== undefined) return answer;
    }
    const started = await session.api.call<'startRestore'>('POST', 'restores', { body: { ...body, dryRun } });
    return reportStart(session, input, started);
  },
});

async function namesFrom({ world }: Session, input: Input): Promise<string[]> {
  const file = input.text('names-from');
  if (file === undefined) return [];
  let text: string;
  try {
    text = file === '-' ? await standardInput(world) : readFileSync(resolve(world.cwd, file), 'utf8');
  } catch (error) {
    throw new UsageError(`--names-from ${file} cannot be read: ${(error as Error).message}`);
  }
  // Editors of Windows begin a file with a mark that is no part of the first name.
  const names = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
  // A command that found nothing does not ask for everything.
  if (names.length === 0) throw new UsageError(`--names-from ${file} has no name.`);
  return names;
}

/** Shows the preview, and asks. Returns an exit code unless the restore may start. */
async function beforehand(session: Session, input: Input, body: RestoreBody): Promise<ExitCode | undefined> {
  const { out } = session;
  if (body.file !== undefined) return ofFile(session, body);
  if (out.format === 'json' || out.format === 'jsonl') return previewAsJson(session, body);
  const preview = await readPreview(session, body);
  printPreview(out, preview);
  if (input.has('preview')) return needsLook(preview) ? EXIT.unconfirmed : EXIT.done;
  if (writesNothing(preview)) {
    out.note('There is nothing to write.');
    return preview.totals.items > 0 && !needsLook(preview) ? EXIT.done : EXIT.unconfirmed;
  }
  if (!session.canAsk) {
    out.note('Nothing was written. To restore, add --yes.');
    return EXIT.unconfirmed;
  }
  if (await isWanted(session, preview)) return undefined;
  out.note('Nothing was written.');
  return EXIT.unconfirmed;
}

/** An app shows no preview of a file. */
async function ofFile(session: Session, { file, existing = 'fail' }: RestoreBody): Promise<ExitCode | undefined> {
  const { out } = session;
  out.note(
    `Restores the entities of ${file}; those that are there: ${existing}. Files have no preview: --dry-run has.`,
  );
  if (session.canAsk && (await session.confirms('Restore them?'))) return undefined;
  out.note('Nothing was written. To restore, add --yes.');
  return EXIT.unconfirmed;
}

async function previewAsJson(session: Session, body: RestoreBody): Promise<ExitCode> {
  const { out } = session;
  for (let cursor: string | undefined; ; ) {
    const { bytes, body: page } = await session.api.call<'previewRestore'>('POST', 'restores/preview', {
      body,
      query: { cursor },
    });
    if (out.format === 'jsonl') out.json({ type: 'preview', preview: page });
    else out.bytes(bytes);
    if (page.next === null || out.format === 'json') break;
    cursor = page.next;
  }
  out.note('Nothing was written. To restore, add --yes.');
  return EXIT.unconfirmed;
}

function isWanted(session: Session, preview: Preview): Promise<boolean> {
  const { totals, page, containers } = preview;
  const only = containers.length === 1 ? `${page.account}/${containers[0]!.target}` : page.account;
  const tables = page.tables.length > 0 ? ` and ${counted(page.tables.length, 'table')}` : '';
  const what = `${counted(totals.new + totals.replaced, 'blob')} (${sizeOf(totals.bytes)})${tables} into ${only}`;
  if (questionOf(preview) === 'yes') return session.confirms(`Restore ${what}?`);
  return session.types(page.job, `Restore ${what}, over what is there? Type the name of the job, ${page.job}:`);
}
