import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../cli/command/parse.ts';
import { COMMANDS } from '../../../cli/commands/index.ts';
import { restoreBody } from '../../../cli/restore/restore-body.ts';
import type { RestoreBody } from '../../../ui/model/restore-choice.ts';
import { restoreCommand } from '../../../ui/model/restore-command.ts';
import { HOSTILE_NAMES } from '../../support/builders/hostile-names.ts';

const point = { restorePoint: 'nightly-20261121T233000Z-k3f9q2' };
const names = HOSTILE_NAMES.filter((name) => /^[\x20-\x7e]+$/.test(name));

/** What the command line makes of the words. */
function understood(words: string[]): object {
  const parsed = parseCommandLine(words, COMMANDS);
  if (parsed.kind !== 'command') throw new Error(`not a command: ${words.join(' ')}`);
  return restoreBody(parsed.input, parsed.input.arguments);
}

describe.skipIf(process.platform === 'win32')('the command of a restore', () => {
  const bodies: RestoreBody[] = [
    { ...point, containers: ['images'], target: { container: 'images-restored' }, existing: 'fail' },
    { ...point, containers: ['images'], prefix: '2026/', existing: 'skip', rehydrate: 'high' },
    { ...point, containers: ['images'], prefix: '--yes', existing: 'skip' },
    { ...point, tables: ['orders'], target: { account: 'VAULT', table: '{table}Restored' }, existing: 'fail' },
    { ...point, containers: ['images'], include: ['{/a/**,/a/**}'], existing: 'fail' },
    { ...point, target: { container: 'restored', prefix: '{container}/', table: '{table}Restored' }, existing: 'fail' },
    ...Array.from(
      { length: Math.ceil(names.length / 20) },
      (_, index): RestoreBody => ({
        ...{ ...point, containers: ['images'], names: names.slice(index * 20, index * 20 + 20), existing: 'fail' },
      }),
    ),
  ];

  it('asks for the same as the page, in a shell and with any name', () => {
    for (const body of bodies) {
      const line = restoreCommand(body)!;
      const script = `printf '%s\\0' ${line.replace(/^strongroom /, '')}`;
      const words = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
      expect(understood(words), line).toEqual(body);
    }
  });

  it('is none where a line would not be safe to copy', () => {
    expect(restoreCommand({ containers: ['images'], names: ['\u202egnp.exe'] })).toBeNull();
    expect(restoreCommand({ containers: ['images'], names: ['a\nb'] })).toBeNull();
    expect(restoreCommand({ containers: ['images'], names: Array.from({ length: 21 }, String) })).toBeNull();
  });
});
