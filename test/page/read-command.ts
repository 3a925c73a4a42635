import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// By its address: the compiler has no program with the types of the command line and those of a browser.
const CLI = fileURLToPath(new URL('../../cli/', import.meta.url));
const { parseCommandLine } = await import(`${CLI}command/parse.ts`);
const { COMMANDS } = await import(`${CLI}commands/index.ts`);

/** Whether the command line understands a line that the page offers to copy. Calls of curl are not its business. */
export function isUnderstood(line: string): boolean {
  if (line.startsWith('curl ')) return true;
  const [program, ...words] = wordsOf(line);
  try {
    return program === 'strongroom' && parseCommandLine(words, COMMANDS).kind === 'command';
  } catch {
    return false;
  }
}

/** As a shell splits it, where there is one. */
function wordsOf(line: string): string[] {
  if (!line.includes("'") || process.platform === 'win32') return line.replaceAll("'", '').split(' ');
  return execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}
