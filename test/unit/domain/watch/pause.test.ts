import { expect, test } from 'vitest';
import { earlierPauses, isPausedAt, type Pause } from '#domain/watch/pause.ts';

const NOW = new Date('2026-05-20T12:00:00Z');
const at = (text: string) => new Date(text);

test('a time is in a pause from its start to its first end', () => {
  const pause: Pause = { at: '2026-05-01T00:00:00Z', reason: 'x', until: '2026-05-09T00:00:00Z' };
  expect(isPausedAt(pause, at('2026-04-30T23:59:59Z'))).toBe(false);
  expect(isPausedAt(pause, at('2026-05-01T00:00:00Z'))).toBe(true);
  expect(isPausedAt(pause, at('2026-05-09T00:00:00Z'))).toBe(false);
  expect(isPausedAt({ ...pause, resumed: '2026-05-03T00:00:00Z' }, at('2026-05-04T00:00:00Z'))).toBe(false);
  expect(isPausedAt(undefined, NOW)).toBe(false);
});

test('a new pause remembers those of the last weeks that have ended', () => {
  expect(earlierPauses(undefined, NOW)).toEqual({});
  const ended: Pause = { at: '2026-05-01T00:00:00.000Z', reason: 'x', resumed: '2026-05-02T00:00:00.000Z' };
  const earlier = [{ at: '2026-05-01T00:00:00.000Z', ended: '2026-05-02T00:00:00.000Z' }];
  expect(earlierPauses(ended, NOW)).toEqual({ earlier });
  // One that is replaced has not ended: it continues.
  const open: Pause = { at: '2026-05-10T00:00:00.000Z', reason: 'x', earlier };
  expect(earlierPauses(open, NOW)).toEqual({ earlier });
  expect(earlierPauses({ ...open, resumed: '2026-05-11T00:00:00.000Z' }, NOW)).toEqual({
    earlier: [...earlier, { at: '2026-05-10T00:00:00.000Z', ended: '2026-05-11T00:00:00.000Z' }],
  });
  expect(earlierPauses(ended, at('2026-08-01T00:00:00Z'))).toEqual({});
});

test('of many pauses, the last hundred are remembered', () => {
  const earlier = Array.from({ length: 100 }, (_, index) => ({
    at: `2026-05-10T00:00:00.${String(index).padStart(3, '0')}Z`,
    ended: `2026-05-10T00:00:01.${String(index).padStart(3, '0')}Z`,
  }));
  const ended: Pause = { at: '2026-05-11T00:00:00.000Z', reason: 'x', resumed: '2026-05-12T00:00:00.000Z', earlier };
  const last = { at: '2026-05-11T00:00:00.000Z', ended: '2026-05-12T00:00:00.000Z' };
  expect(earlierPauses(ended, NOW)).toEqual({ earlier: [...earlier.slice(1), last] });
});
