import { EXIT } from '../../host/exit-codes.ts';
import { CliError } from '../cli-error.ts';
import { commands } from '../command/command.ts';
import { asCommands } from '../connect/hints.ts';
import { Refusal } from '../connect/refusal.ts';
import { stateWord } from '../print/style.ts';
import type { Session } from '../session.ts';

/** A right, or another thing that jobs need, and whether the app has it. */
interface Check {
  id: string;
  alias: string;
  result: 'ok' | 'missing' | 'unneeded' | 'unknown';
  needed: boolean;
  for: string[];
  code?: string | null;
  hint?: string | null;
  command?: string | null;
}

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
    const { bytes, checks } = await checksOf(session);
    if (out.format === 'json') out.bytes(bytes);
    else for (const check of checks) print(session, check);
    return checks.some(needsAttention) ? EXIT.attention : EXIT.done;
  },
});

async function checksOf({ api }: Session): Promise<{ bytes: Uint8Array; checks: Check[] }> {
  try {
    const { bytes } = await api.send('POST', '/api/checks', '{}');
    const answer = JSON.parse(new TextDecoder().decode(bytes)) as Check[] | { checks: Check[] };
    return { bytes, checks: Array.isArray(answer) ? answer : answer.checks };
  } catch (error) {
    if (!(error instanceof Refusal) || !error.isUnknownCall) throw error;
    throw new CliError(
      'This app is older than this command: it has no checks. strongroom api GET /api/health/details shows whether ' +
        'its accounts answer.',
      EXIT.refused,
    );
  }
}

function needsAttention({ result, needed }: Check): boolean {
  return needed ? result === 'missing' || result === 'unknown' : result === 'unneeded';
}

function print({ out }: Session, { id, alias, result, needed, for: jobs, hint, command }: Check): void {
  const what = jobs.length > 0 ? `  for ${jobs.join(', ')}` : '';
  out.line(stateWord(result), ' '.repeat(10 - result.length), `${alias}  ${id}${needed ? what : ''}`);
  if (result === 'ok') return;
  if (hint) out.line(`          ${asCommands(hint)}`);
  if (command) out.line(`          ${command}`);
}
