import { describe, expect, it, test } from 'vitest';
import { parseTrace, type TracePlace, traceOfRun, traceOfUpload } from '#domain/run/trace.ts';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const PARENT = `00-${ID}-${SPAN}-01`;

describe('traceparent', () => {
  it.each([
    PARENT,
    `00-${ID}-${SPAN}-00`,
    ` ${PARENT} `,
    // Of a later version, only what this one has counts.
    `01-${ID}-${SPAN}-01`,
    `cc-${ID}-${SPAN}-01-what-the-future-brings`,
  ])('%j names a place', (text) => {
    expect(parseTrace(text)).toEqual({ id: ID, span: SPAN });
  });

  it.each([
    undefined,
    null,
    '',
    42,
    { toString: () => PARENT },
    [PARENT],
    ID,
    PARENT.toUpperCase(),
    `ff-${ID}-${SPAN}-01`,
    `0-${ID}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${ID}-${'0'.repeat(16)}-01`,
    `00-${ID.slice(1)}-${SPAN}-01`,
    `00-${ID}0-${SPAN}-01`,
    `00-${ID}-${SPAN}g-01`,
    `00-${ID.replace('4', 'ａ')}-${SPAN}-01`,
    `00-${ID}-${SPAN}`,
    `00-${ID}-${SPAN}-1`,
    `00-${ID}-${SPAN}-01-more`,
    `01-${ID}-${SPAN}-01more`,
    `01-${ID}-${SPAN}-01-${'x'.repeat(10_000)}`,
    `01-${ID}-${SPAN}-01-\r\nx: y`,
    `${PARENT}\n${PARENT}`,
    `x${PARENT}`,
    // Two headers of this name.
    `${PARENT}, ${PARENT}`,
    `00_${ID}_${SPAN}_01`,
    "00-<script>alert('1')</script>",
  ])('%j names none', (text) => {
    expect(parseTrace(text)).toBeUndefined();
  });
});

describe('tracestate', () => {
  it.each([
    'vendor=1',
    'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7',
    'tenant@system=value , , 1abc=x y',
    `a=${'x'.repeat(200)},b=${'y'.repeat(200)}`,
    'ab=1,ac=1,,',
    // As long, and as many, as may be.
    `a=${'x'.repeat(254)},b=${'y'.repeat(253)}`,
    Array.from({ length: 32 }, (_, index) => `a${index}=1`).join(','),
  ])('%j is kept', (state) => {
    expect(parseTrace(PARENT, state)).toEqual({ id: ID, span: SPAN, state });
  });

  it.each([
    '',
    '   ',
    null,
    7,
    ['a=1'],
    'a',
    'a=',
    '=1',
    'A=1',
    'a=1=2',
    'a=1,b',
    '!a=1',
    'a!=1',
    'aB=1',
    'a@bC=1',
    `a=${'x'.repeat(254)},b=${'y'.repeat(254)}`,
    'a=1,a=2',
    'a=\u00e9',
    'a=1\r\nx: y',
    'a=1\u0000',
    `a=${'x'.repeat(257)}`,
    Array.from({ length: 33 }, (_, index) => `a${index}=1`).join(','),
    `a=${'x'.repeat(250)},b=${'y'.repeat(250)},c=${'z'.repeat(250)}`,
  ])('%j is left out, and the place is not', (state) => {
    expect(parseTrace(PARENT, state)).toEqual({ id: ID, span: SPAN });
  });
});

describe('a run', () => {
  const trace = { id: ID, span: SPAN, state: 'vendor=1' };

  it('is a span below its caller, the same one wherever it is asked for', () => {
    const place = traceOfRun({ id: 'nightly-1', trace });
    expect(place).toEqual({ id: ID, span: expect.stringMatching(/^[\da-f]{16}$/), parent: SPAN, state: 'vendor=1' });
    expect(traceOfRun({ id: 'nightly-1', trace })).toEqual(place);
    expect(traceOfRun({ id: 'nightly-2', trace }).span).not.toBe(place.span);
  });

  it('has a trace of its own without a caller', () => {
    const place = traceOfRun({ id: 'nightly-1' });
    expect(place).toEqual({ id: expect.stringMatching(/^[\da-f]{32}$/), span: expect.stringMatching(/^[\da-f]{16}$/) });
    expect(traceOfRun({ id: 'nightly-1' })).toEqual(place);
    expect(traceOfRun({ id: 'nightly-2' }).id).not.toBe(place.id);
  });

  it('may have a trace whose id ends in zeros', () => {
    const id = `1${'0'.repeat(31)}`;
    expect(parseTrace(`00-${id}-${SPAN}-01`)).toEqual({ id, span: SPAN });
    expect(traceOfRun({ id: 'nightly-1', trace: { id, span: SPAN } }).id).toBe(id);
  });

  it.each([
    {},
    { id: ID },
    { id: `${ID}0`, span: SPAN },
    { id: `x${ID.slice(1)}`, span: SPAN },
    { id: `${ID.slice(1)}x`, span: SPAN },
    { id: '<b>', span: SPAN },
    { id: ID, span: '0'.repeat(16) },
    { id: [ID], span: SPAN },
    'text',
    null,
    7,
  ])('has a trace of its own if a lock names %j', (stored) => {
    expect(traceOfRun({ id: 'nightly-1', trace: stored as unknown as TracePlace })).toEqual(
      traceOfRun({ id: 'nightly-1' }),
    );
  });

  it('keeps no tracestate that is not valid', () => {
    const stored = { id: ID, span: SPAN, state: 'a=1\r\nx: y' };
    expect(traceOfRun({ id: 'nightly-1', trace: stored })).not.toHaveProperty('state');
  });
});

test('each attempt to archive the upload of an event is in one trace', () => {
  const owner = 'uploads-event-1';
  expect(traceOfUpload({ owner })).toEqual(traceOfUpload({ owner }));
  expect(traceOfUpload({ owner }).id).not.toBe(traceOfUpload({ owner: 'uploads-event-2' }).id);
  expect(traceOfUpload({ owner, trace: { id: ID, span: SPAN } })).toMatchObject({ id: ID, parent: SPAN });
});
