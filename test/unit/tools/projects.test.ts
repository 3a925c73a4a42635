import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import config from '../../../vitest.config.ts';

const root = join(import.meta.dirname, '../../..');

interface Project {
  name: string;
  include: string[];
  exclude?: string[];
  maxWorkers?: number;
  sequence?: { groupOrder: number };
}
const projects = config.test!.projects!.map((each) => (each as { test: Project }).test);
const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .map((path) => `test/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.test.ts'));

describe('the projects of the tests', () => {
  it('contain each test file once', () => {
    expect(files.length).toBeGreaterThan(100);
    const matchers = projects.map(({ include, exclude = [] }) => picomatch(include, { ignore: exclude }));
    for (const file of files) {
      expect(
        matchers.filter((matches) => matches(file)),
        file,
      ).toHaveLength(1);
    }
  });

  it('name no folder that does not exist', () => {
    for (const pattern of projects.flatMap(({ include }) => include)) {
      const matches = picomatch(pattern);
      expect(
        files.some((file) => matches(file)),
        pattern,
      ).toBe(true);
    }
  });

  it('run in one group only where they have the same number of workers: otherwise Vitest refuses to start', () => {
    const groupOf = ({ sequence }: Project) => sequence?.groupOrder ?? 0;
    for (const one of projects) {
      for (const other of projects.filter((project) => groupOf(project) === groupOf(one))) {
        expect(other.maxWorkers, `${one.name} and ${other.name}`).toBe(one.maxWorkers);
      }
    }
  });
});
