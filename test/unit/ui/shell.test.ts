import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { asciiJson, curlOf, shellWord } from '../../../ui/model/shell.ts';
import { HOSTILE_NAMES } from '../../support/builders/hostile-names.ts';

describe('the command that does the same', () => {
  it('has nothing that acts on a terminal', () => {
    const line = curlOf('http://127.0.0.1:7071/api/restores', { names: HOSTILE_NAMES }, true);
    expect(line).toMatch(/^[\x20-\x7e]*$/);
    expect(line).toContain('-H "x-functions-key: $STRONGROOM_KEY"');
    expect(curlOf('http://127.0.0.1:7071/api/restores', {}, false)).toBe(
      "curl -X POST http://127.0.0.1:7071/api/restores -d '{}'",
    );
  });

  it('keeps every name', () => expect(JSON.parse(asciiJson(HOSTILE_NAMES))).toEqual(HOSTILE_NAMES));

  it.skipIf(process.platform === 'win32')('is one word of a shell, whatever the name', () => {
    const json = HOSTILE_NAMES.map((name) => asciiJson(name));
    const script = `printf '%s\\n' ${json.map(shellWord).join(' ')}`;
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\n').slice(0, -1)).toEqual(json);
  });
});
