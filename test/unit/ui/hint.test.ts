import { expect, test } from 'vitest';
import { PROBLEMS } from '#domain/run/problems.ts';
import { piecesOfHint } from '../../../ui/model/hint.ts';

const at = (iso: string) => `<${iso}>`;
const shown = (hint: string) =>
  piecesOfHint(hint, at)
    .map((piece) =>
      piece.kind === 'link' ? `[${piece.text}](${piece.to})` : piece.kind === 'code' ? `\`${piece.text}\`` : piece.text,
    )
    .join('');

test.each([
  [
    'Look into GET /api/health/details and GET /api/runs?job=tables, or start it: POST /api/jobs/tables/runs.',
    'Look into [the checks](/setup) and [the runs of tables](/runs?job=tables), or start it: [the job tables](/jobs/tables).',
  ],
  ['See GET /api/runs/a-1/outcomes?status=failed.', 'See [the run](/runs/a-1).'],
  ['release it: POST /api/restore-points/a-1/release.', 'release it: [the restore point](/points/a-1).'],
  [
    'choose another restore point: GET /api/restore-points.',
    'choose another restore point: [the restore points](/points).',
  ],
  ['POST /api/verifications with {"restorePoint": "…", "kind": "quick"} names', '[the restore points](/points) names'],
  ['It was due at 2026-11-30T01:00:00.000Z.', 'It was due at <2026-11-30T01:00:00.000Z>.'],
  ['Call POST /api/unknown/x.', 'Call `POST /api/unknown/x`.'],
  // A hint that was not filled in leads nowhere.
  ['List them: GET /api/runs/{id}/outcomes?status=x.', 'List them: `GET /api/runs/{id}/outcomes?status=x`.'],
  // A message may quote a name.
  ['No “\u202egnp.exe”.', 'No “\\u202egnp.exe”.'],
  ['Call POST /api/unknown/\u200b.', 'Call `POST /api/unknown/\\u200b`.'],
  ['', ''],
])('%j', (hint, expected) => {
  expect(shown(hint)).toBe(expected);
});

test('a name with markup or an encoded one stays text', () => {
  expect(piecesOfHint('See GET /api/runs?job=%3Cb%3E, now', at)).toEqual([
    { kind: 'text', text: 'See ' },
    { kind: 'link', text: 'the runs of <b>', to: '/runs?job=%3Cb%3E' },
    { kind: 'text', text: ', now' },
  ]);
});

test('no hint of a problem loses a word', () => {
  for (const { hint } of Object.values(PROBLEMS)) {
    const texts = piecesOfHint(hint, at).flatMap((piece) => (piece.kind === 'text' ? piece.text : []));
    let rest = hint;
    for (const text of texts) {
      expect(rest).toContain(text);
      rest = rest.slice(rest.indexOf(text) + text.length);
    }
  }
});
