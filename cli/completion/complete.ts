import type { Command, Names, Option } from '../command/command.ts';
import { GLOBAL_OPTIONS } from '../command/global-options.ts';

/** A word that fits, and what it is. */
export interface Candidate {
  value: string;
  about: string;
}

/** The words that fit, or the kind of names that do, such as jobs. */
export type Completion = { candidates: Candidate[] } | { names: Names };

/** What fits the last of these words, which may be empty. The words before it are those of a command line. */
export function completionOf(typed: readonly string[], all: readonly Command[]): Completion {
  const words = withoutEqualSigns(typed);
  const current = words.at(-1) ?? '';
  const { nouns, command, options, open, position } = readBefore(words.slice(0, -1), all);
  if (open) return valueCompletion(open);
  if (current.startsWith('-')) return { candidates: optionCandidates(options) };
  if (command === undefined) return { candidates: nextWords(nouns, all) };
  // A noun that is a command itself may still get a verb.
  const verbs = nouns.length === 1 && position === 0 ? nextWords(nouns, all) : [];
  if (verbs.length > 0) return { candidates: verbs };
  const { arguments: wanted = [] } = command;
  const argument = wanted[position] ?? (wanted.at(-1)?.isMany ? wanted.at(-1) : undefined);
  if (argument?.oneOf) return { candidates: argument.oneOf.map((value) => ({ value, about: argument.name })) };
  return argument?.completes ? { names: argument.completes } : { candidates: [] };
}

/** Bash takes `--job=x` for three words. */
function withoutEqualSigns(words: readonly string[]): string[] {
  const parts = words.flatMap((word) => (/^--[\w-]+=/.test(word) ? word.split(/=(.*)/s).slice(0, 2) : [word]));
  const isSign = (index: number) => parts[index] === '=' && parts[index - 1]?.startsWith('--');
  const kept = parts.filter((_, index) => !isSign(index));
  return isSign(parts.length - 1) ? [...kept, ''] : kept;
}

function readBefore(words: readonly string[], all: readonly Command[]) {
  const nouns: string[] = [];
  let command: Command | undefined;
  let open: Option | undefined;
  let position = 0;
  let isLiteral = false;
  const tableOf = (): Record<string, Option> => ({ ...GLOBAL_OPTIONS, ...command?.options });
  for (const word of words) {
    if (open) open = undefined;
    else if (word === '--' && !isLiteral) isLiteral = true;
    else if (word.startsWith('-') && !isLiteral) {
      const option = tableOf()[word.replace(/^--/, '')];
      open = option && option.takes !== 'nothing' ? option : undefined;
    } else if (
      nouns.length < 2 &&
      position === 0 &&
      all.some(({ path }) => path[nouns.length] === word && path[0] === (nouns[0] ?? word))
    ) {
      nouns.push(word);
      command = all.find(({ path }) => path[0] === nouns[0] && path[1] === nouns[1]);
    } else if (command) position++;
  }
  return { nouns, command, options: tableOf(), open, position };
}

function valueCompletion({ oneOf, completes, about }: Option): Completion {
  if (oneOf) return { candidates: oneOf.map((value) => ({ value, about })) };
  return completes ? { names: completes } : { candidates: [] };
}

function optionCandidates(options: Record<string, Option>): Candidate[] {
  return Object.entries(options).map(([name, { about }]) => ({ value: `--${name}`, about }));
}

function nextWords(nouns: readonly string[], all: readonly Command[]): Candidate[] {
  const fits = all.filter(({ path }) => nouns.every((noun, index) => path[index] === noun));
  const found = new Map<string, string>();
  for (const { path, about } of fits) {
    const word = path[nouns.length];
    if (word === undefined) continue;
    const isGroup = path.length > nouns.length + 1;
    found.set(word, isGroup ? verbsOf(all, word) : about);
  }
  return [...found].map(([value, about]) => ({ value, about }));
}

function verbsOf(all: readonly Command[], noun: string): string {
  return all.flatMap(({ path }) => (path[0] === noun && path[1] !== undefined ? [path[1]] : [])).join(', ');
}
