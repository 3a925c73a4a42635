import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { RunStatus } from '#domain/run/run.ts';
import {
  EXIT,
  exitCodeOfAnswer,
  exitCodeOfRun,
  exitCodeOfSignal,
  exitCodeTable,
  MEANINGS,
} from '../../../host/exit-codes.ts';
import { HELP } from '../../../host/options.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const sourcesIn = (folder: string) =>
  readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(`${root}${folder}/${name}`, 'utf8'));

describe('the exit codes', () => {
  test('are one table, in the help and in the documents', () => {
    const rows = Object.entries(MEANINGS);
    expect(HELP).toContain(exitCodeTable());
    const page = readFileSync(`${root}docs/command-line.md`, 'utf8');
    const table = [...page.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => [code, meaning]);
    expect(table).toEqual(rows);
  });

  test('are named wherever a process ends', () => {
    for (const text of sourcesIn('host')) {
      expect(text).not.toMatch(/process\.exitCode\s*=|new HostError\([^;]*,\s*\d+,?\s*\);/);
    }
    for (const text of sourcesIn('cli')) {
      expect(text).not.toMatch(/process\.exit(?:Code\s*=|\()\s*\d|new CliError\([^;]*,\s*\d+,?\s*\);/);
    }
    expect(Object.keys(MEANINGS).map(Number)).toEqual(Object.values(EXIT));
  });

  test('every status of a run has one, and a status that is not known is a failure', () => {
    const expected: Record<Exclude<RunStatus, 'running'>, number> = {
      succeeded: 0,
      'completed-with-failures': 3,
      failed: 4,
      cancelled: 5,
    };
    for (const [status, code] of Object.entries(expected)) expect(exitCodeOfRun({ status })).toBe(code);
    expect(exitCodeOfRun({ status: 'of a later version' })).toBe(1);
    const problems = [{ code: 'brake-engaged' }];
    expect(exitCodeOfRun({ status: 'succeeded', problems })).toBe(6);
    expect(exitCodeOfRun({ status: 'failed', problems })).toBe(4);
  });

  test('a damaged object of the vault is no account out of reach', () => {
    expect([exitCodeOfAnswer(502, 'damaged'), exitCodeOfAnswer(502, 'server-error')]).toEqual([65, 69]);
  });

  test('an account that answers, and refuses, is not out of reach', () => {
    for (const code of ['control-immutable', 'account-not-found', 'request-refused']) {
      expect(exitCodeOfAnswer(502, code)).toBe(EXIT.refused);
    }
    expect([exitCodeOfAnswer(502), exitCodeOfAnswer(503, 'unreachable')]).toEqual([69, 69]);
  });

  test('every refusal of the API has one', () => {
    const special: Record<string, number> = {
      'run-in-progress': 11,
      'lock-contended': 11,
      'notes-contended': 11,
      'plan-stale': 14,
    };
    const thrown = sourcesIn('src').flatMap((text) => [...text.matchAll(/new HttpError\(\s*(\d{3}),\s*'([a-z-]+)'/g)]);
    expect(thrown.length).toBeGreaterThan(20);
    for (const [, status, code] of thrown) {
      const refused = status === '401' || status === '403' ? 12 : 8;
      const wanted = special[code!] ?? (Number(status) < 500 ? refused : Number(status) < 502 ? 1 : 69);
      expect(exitCodeOfAnswer(Number(status), code), code).toBe(wanted);
    }
    expect([401, 403].map((status) => exitCodeOfAnswer(status))).toEqual([12, 12]);
    expect([502, 503, 504].map((status) => exitCodeOfAnswer(status, 'unreachable'))).toEqual([69, 69, 69]);
    const denied = ['access-denied-destination', 'authentication-failed', 'key-not-permitted', 'sas-too-narrow'];
    expect(denied.map((code) => exitCodeOfAnswer(502, code))).toEqual([12, 12, 12, 12]);
    expect(exitCodeOfAnswer(418, 'of a later version')).toBe(8);
  });

  test('a signal has the code of its name', () => {
    expect([exitCodeOfSignal('SIGINT'), exitCodeOfSignal('SIGTERM')]).toEqual([130, 143]);
  });
});
