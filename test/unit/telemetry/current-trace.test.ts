import { HttpRequest } from '@azure/functions';
import { expect, it, test } from 'vitest';
import { currentTrace, inTrace, traceOfInvocation } from '#telemetry/current-trace.ts';

const CALLER = { id: 'a'.repeat(32), span: 'b'.repeat(16) };
const HOST = { id: 'c'.repeat(32), span: 'd'.repeat(16) };
const parentOf = ({ id, span }: typeof CALLER) => `00-${id}-${span}-01`;

const request = (headers: Record<string, string>) =>
  new HttpRequest({ method: 'POST', url: 'http://localhost/api/jobs/nightly/runs', headers });
const traceContext = { traceParent: parentOf(HOST), traceState: 'host=1' };

it.each([
  ['a caller that names a place', {}, request({ traceparent: parentOf(CALLER) }), CALLER],
  ['its state', {}, request({ traceparent: parentOf(CALLER), tracestate: 'v=1' }), { ...CALLER, state: 'v=1' }],
  ['both a caller and the host', { traceContext }, request({ traceparent: parentOf(CALLER) }), CALLER],
  ['a caller that names none', { traceContext }, request({ traceparent: 'none' }), { ...HOST, state: 'host=1' }],
  ['a timer', { traceContext }, { isPastDue: false }, { ...HOST, state: 'host=1' }],
  ['a message that pretends to have headers', {}, { headers: { traceparent: parentOf(CALLER) } }, undefined],
  ['a message of text', {}, parentOf(CALLER), undefined],
  ['nothing', {}, undefined, undefined],
  ['a host that says nothing', { traceContext: { traceParent: '' } }, null, undefined],
])('an invocation by %s has the right place', (_, invocation, trigger, place) => {
  expect(traceOfInvocation(invocation, trigger)).toEqual(place);
});

test('work is in the trace that it was begun in, also beside other work', async () => {
  const work = async () => {
    await Promise.resolve();
    return currentTrace();
  };
  const begun = [inTrace(CALLER, work), inTrace(HOST, work), inTrace(undefined, work)];
  expect(await Promise.all(begun)).toEqual([CALLER, HOST, undefined]);
  expect(inTrace(CALLER, () => inTrace(undefined, currentTrace))).toEqual(CALLER);
});
