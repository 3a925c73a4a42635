import { EXIT } from '../../host/exit-codes.ts';
import { commands } from '../command/command.ts';
import type { AnswerOf } from '../connect/api.ts';
import { asCommands } from '../connect/hints.ts';
import { stateWord } from '../print/style.ts';
import type { Session } from '../session.ts';

type Check = AnswerOf<'checkRights'>[number];

export const CHECK = commands({
  path: ['check'],
  about: 'Check that the app has the rights that its jobs need, with the command that grants what is missing',
  details: 'The checks leave nothing new in any account. Exits with 6 if something is missing.',
  prints: 'document',
  examples: [
    ['check', 'before the first backup'],
    ['check --json', 'each check, for a script'],
  ],
  async run(session) {
    const { out } = session;
    const { bytes, body } = await session.api.call<'checkRights'>('POST', 'checks');
    if (out.format === 'json') out.bytes(bytes);
    else for (const check of body) print(session, check);
    return body.some(needsAttention) ? EXIT.attention : EXIT.done;
  },
});

function needsAttention({ result, needed }: Check): boolean {
  return needed ? result === 'missing' || result === 'unknown' : result === 'unneeded';
}

function print({ out }: Session, { id, alias, result, needed, for: jobs, hint, command }: Check): void {
  const what = jobs.length > 0 ? `  for ${jobs.join(', ')}` : '';
  out.line(stateWord(result), ' '.repeat(Math.max(2, 10 - result.length)), `${alias}  ${id}${needed ? what : ''}`);
  if (result === 'ok') return;
  if (hint) out.line(`          ${asCommands(hint)}`);
  if (command) out.line(`          ${command}`);
}
