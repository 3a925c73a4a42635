import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { partPath, summaryPath } from '#domain/run/control-paths.ts';
import { type Outcome, outcomeOf } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { countOutcome, emptyTally, type Tally, tallyToMetadata } from '#domain/run/tally.ts';
import { listOutcomesHandler } from '#functions/run/list-outcomes.ts';
import { blobState } from '../../../support/builders/blob-state.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { RUN } from '../../../support/builders/run-ref.ts';
import { storedObject } from '../../../support/builders/stored-object.ts';

const blob = (name: string) => blobState({ name });
const leased = (name: string) => outcomeOf(blob(name), 'failed', { code: 'destination-leased', source: blob(name) });
const gone = (name: string) => outcomeOf(blob(name), 'removed', { reason: 'not-needed' });
const archived = (name: string) => outcomeOf(blob(name), 'skipped', { code: 'source-archived' });
const held = (name: string) => outcomeOf(blob(name), 'unchanged');

/** A run whose parts have these outcomes, by the key of the part. */
class Run {
  readonly read: string[] = [];
  readonly #objects = new Map<string, { body: Buffer; tally?: Tally }>();

  constructor(parts: Record<string, Outcome[]>, container = 'images', { mode = RUN.mode as string, unnamed = 0 } = {}) {
    const summary = {
      format: 3,
      ...RUN,
      mode,
      status: 'succeeded',
      counts: {},
      bytes: {},
      containers: [],
      problems: [],
    };
    this.#objects.set(summaryPath(RUN), { body: Buffer.from(JSON.stringify({ ...summary, parts: [], compared: [] })) });
    for (const [key, outcomes] of Object.entries(parts)) {
      const path = partPath(RUN, 'slice', container, key);
      const tally = emptyTally(container, 'imagesbackup');
      const part = new PartWriter<Outcome>();
      for (const outcome of outcomes) {
        countOutcome(tally, outcome);
        part.add(outcome);
      }
      for (let i = 0; i < unnamed; i++) countOutcome(tally, held('done'));
      this.#objects.set(path, { body: part.finish({ part: path }).body, tally });
    }
  }

  async ask(query: Record<string, string>) {
    const vault = {
      listBlobs: async () => ({
        blobs: [...this.#objects].flatMap(([name, { tally }]) =>
          tally ? blobState({ name, metadata: tallyToMetadata(tally) }) : [],
        ),
      }),
      getObject: async (_container: string, name: string) => {
        const object = this.#objects.get(name);
        if (object?.tally) this.read.push(name.split('/').at(-1)!.slice(0, 6));
        return object && storedObject(object.body);
      },
    };
    const deps = {
      configuration: { jobs: [{ name: 'nightly', destination: { account: 'VAULT' } }], archives: [] },
      blobs: () => vault,
      telemetry: { failure: (_name: string, error: unknown) => expect.unreachable(String(error)) },
    } as unknown as Dependencies;
    this.read.length = 0;
    const request = httpRequest({ params: { id: RUN.id }, query });
    const answer = await listOutcomesHandler(deps)(request, {} as DurableClient, {} as InvocationContext);
    const body = JSON.parse(answer.body as string);
    expect(answer.status, String(answer.body)).toBe(200);
    return { names: body.items.map(({ name }: { name: string }) => name), total: body.total, next: body.next };
  }
}

const mixed = () =>
  new Run({
    '000000-slice': [leased('a/1'), archived('a/2'), held('a/3')],
    '000001-slice': [leased('b/1'), leased('b/2')],
    '000002-slice': [gone('a/4'), held('c/1')],
    '000003-slice': [held('d/1')],
  });

describe('the outcomes of a run', () => {
  it('are those of a code, from the parts that have some', async () => {
    const run = mixed();
    expect(await run.ask({ problem: 'destination-leased' })).toMatchObject({
      names: ['a/1', 'b/1', 'b/2'],
      total: null,
    });
    expect(run.read).toEqual(['000000', '000001']);
    expect((await run.ask({ problem: 'source-archived', status: 'failed' })).names).toEqual([]);
    expect((await run.ask({ problem: 'no-such-code' })).names).toEqual([]);
    expect(run.read).toEqual([]);
  });

  it('are those whose names start with a text, and those that a prune removed count', async () => {
    const run = mixed();
    expect((await run.ask({ prefix: 'a/' })).names).toEqual(['a/1', 'a/2', 'a/3', 'a/4']);
    // The tally of a part does not know the names of what was removed.
    expect(run.read).toEqual(['000000', '000002']);
  });

  it('are those that a prune removed', async () => {
    const run = mixed();
    expect(await run.ask({ status: 'removed' })).toMatchObject({ names: ['a/4'], total: 1 });
    expect(run.read).toEqual(['000002']);
  });

  it('have a total that no page needs to be read for', async () => {
    const run = mixed();
    expect(await run.ask({ status: 'failed', limit: '1' })).toMatchObject({ names: ['a/1'], total: 3 });
    expect(await run.ask({})).toMatchObject({ total: 8 });
    expect(await run.ask({ container: 'other' })).toMatchObject({ total: 0 });
  });

  it('have no total for a table, whose counts are of entities', async () => {
    const run = new Run({ '000000-slice': [leased('p/r')] }, 'table.orders');
    expect(await run.ask({})).toMatchObject({ names: ['p/r'], total: null });
  });

  it('have a total without the uploads that a reconciliation counts and does not name', async () => {
    const run = new Run({ '000000-slice': [archived('a/2'), leased('a/3')] }, 'images', {
      mode: 'reconcile',
      unnamed: 40,
    });
    expect(await run.ask({})).toMatchObject({ names: ['a/2', 'a/3'], total: 2 });
    expect(await run.ask({ status: 'unchanged' })).toMatchObject({ names: [], total: 0 });
  });

  it('have a cursor that belongs to the question', async () => {
    const run = mixed();
    const { next } = await run.ask({ problem: 'destination-leased', limit: '1' });
    expect(await run.ask({ problem: 'destination-leased', cursor: next })).toMatchObject({ names: ['b/1', 'b/2'] });
    await expect(run.ask({ prefix: 'a', cursor: next })).rejects.toThrow(/cursor-invalid/);
  });
});
