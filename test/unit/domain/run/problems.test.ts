import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hintFor, PROBLEMS } from '#domain/run/problems.ts';

const RUN = { id: 'nightly-20261121T233000Z-k3f9q2', job: 'nightly' };

describe('a hint', () => {
  it('names calls that can be sent as they are, once it is known of which run it is', () => {
    for (const [code, { hint }] of Object.entries(PROBLEMS))
      expect(hintFor(RUN, hint), code).not.toMatch(/[{<]\w+[}>]/);
    expect(hintFor(RUN, PROBLEMS['deletions-not-compared'].hint)).toContain('POST /api/jobs/nightly/runs.');
    expect(hintFor(RUN, PROBLEMS['run-silent'].hint)).toContain('/api/runs/nightly-20261121T233000Z-k3f9q2/cancel');
  });

  it('names no run where none is known: only problems of runs have something to fill in', () => {
    const open = Object.entries(PROBLEMS).flatMap(([code, { hint }]) => (/\{\w+\}/.test(hint) ? [code] : []));
    expect(open).toEqual(['deletions-not-compared', 'no-longer-held', 'brake-engaged', 'run-silent']);
  });

  it('is the only text of the app with something to fill in', () => {
    const files = globSync('{src,host}/**/*.ts').filter(
      (file) => !/routes\.ts$|problems\.ts$|client-binding\.ts$/.test(file),
    );
    expect(files.length).toBeGreaterThan(200);
    for (const file of files) {
      const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
      expect(code.match(/\/api\/[^\s'"`]*(?<!\$)\{\w+\}/g), file).toBeNull();
    }
  });
});
