import { expect, it } from 'vitest';
import { prefixProblem } from '#domain/blobs/prefix-problem.ts';

it.each(['', 'a', 'a/', 'a/b.', 'a.b/', '.', '..x/', 'ü/', '😀/', ' '])('%j can select blobs', (prefix) => {
  expect(prefixProblem(prefix)).toBeUndefined();
});

it.each([
  ['a\nb', 'a control character'],
  ['\u0000', 'a control character'],
  ['a\u009f/', 'a control character'],
  ['a\\b', 'a backslash'],
  ['\ud83d', 'half of a character'],
  ['../a', 'a path segment'],
  ['a./b', 'ends in a dot'],
  ['/a', 'starts with a slash'],
])('%j is refused with its reason', (prefix, reason) => {
  expect(prefixProblem(prefix)).toContain(reason);
});
