import { parseArgs } from 'node:util';
import { UsageError } from '../cli-error.ts';
import { durationOf, instantOf } from '../print/times.ts';
import type { Command, Option } from './command.ts';
import { FORMATS, GLOBAL_OPTIONS, SHORT } from './global-options.ts';
import { Input, type Value } from './input.ts';
import { suggestion } from './suggest.ts';

export type Parsed =
  | { kind: 'version' }
  /** Of one command, of those of a noun, or of all. */
  | { kind: 'help'; of: readonly Command[] }
  | { kind: 'command'; command: Command; input: Input };

interface Given {
  name: string;
  raw: string;
  value: string | undefined;
  isInline: boolean;
}

/** Reads a command line. Throws UsageError. */
export function parseCommandLine(argv: readonly string[], all: readonly Command[]): Parsed {
  const { given, words } = tokensOf(argv, all);
  const isHelp = given.some(({ name }) => name === 'help') || words[0] === 'help';
  if (isHelp) return { kind: 'help', of: helpOf(words[0] === 'help' ? words.slice(1) : words, all) };
  if (given.some(({ name }) => name === 'version') && words.length === 0) return { kind: 'version' };
  const command = commandOf(words, all);
  const options = optionsOf(given, command);
  const rest = words.slice(command.path.length);
  checkArguments(command, rest);
  return { kind: 'command', command, input: new Input(options, rest) };
}

/** The options of all commands: one name takes the same kind of value everywhere. */
export function optionTypes(all: readonly Command[]): Record<string, { type: 'string' | 'boolean'; short?: string }> {
  const tables = [GLOBAL_OPTIONS, ...all.map(({ options = {} }) => options)];
  return Object.fromEntries([
    ...tables.flatMap((table) =>
      Object.entries(table).map(([name, { takes }]) => [name, { type: takes === 'nothing' ? 'boolean' : 'string' }]),
    ),
    ...Object.entries(SHORT).map(([name, short]) => [name, { type: 'boolean', short }]),
  ]);
}

function tokensOf(argv: readonly string[], all: readonly Command[]): { given: Given[]; words: string[] } {
  const { tokens } = parseArgs({ args: [...argv], options: optionTypes(all), strict: false, tokens: true });
  const given: Given[] = [];
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    given.push({ name, raw: rawName, value, isInline: inlineValue === true });
  }
  return { given, words };
}

function helpOf(words: readonly string[], all: readonly Command[]): readonly Command[] {
  const [noun, verb] = words;
  if (noun === undefined) return all;
  const ofNoun = all.filter(({ path }) => path[0] === noun);
  if (ofNoun.length === 0) throw unknownNoun(noun, all);
  const exact = ofNoun.filter(({ path }) => path[1] === verb);
  return verb !== undefined && exact.length > 0 ? exact : ofNoun;
}

function commandOf(words: readonly string[], all: readonly Command[]): Command {
  const [noun, verb] = words;
  if (noun === undefined) throw new UsageError('There is no command. strongroom --help lists them.');
  const ofNoun = all.filter(({ path }) => path[0] === noun);
  const found = ofNoun.find(({ path }) => path[1] === verb) ?? ofNoun.find(({ path }) => path[1] === undefined);
  if (found) return found;
  if (ofNoun.length === 0) throw unknownNoun(noun, all);
  const verbs = ofNoun.map(({ path }) => path[1]!);
  if (verb === undefined) throw new UsageError(`"${noun}" needs a verb: ${verbs.join(', ')}.`);
  throw new UsageError(`"${noun}" has no verb "${verb}".${didYouMean(verb, verbs)} Its verbs: ${verbs.join(', ')}.`);
}

function unknownNoun(noun: string, all: readonly Command[]): UsageError {
  const nouns = [...new Set(all.map(({ path }) => path[0]))];
  return new UsageError(`There is no command "${noun}".${didYouMean(noun, nouns)} strongroom --help lists them.`);
}

function didYouMean(typed: string, known: readonly string[], before = ''): string {
  const word = suggestion(typed, known);
  return word === undefined ? '' : ` Did you mean "${before}${word}"?`;
}

function optionsOf(given: readonly Given[], command: Command): Map<string, Value> {
  const known: Record<string, Option> = { ...GLOBAL_OPTIONS, ...command.options };
  const found = new Map<string, Value>();
  for (const each of given) {
    const option = Object.hasOwn(known, each.name) ? known[each.name]! : undefined;
    if (option === undefined) throw unknownOption(each, command, Object.keys(known));
    const value = givenValue(
      each,
      option,
      given.some(({ name }) => name === 'utc'),
    );
    if (option.takes === 'texts') {
      found.set(each.name, [...((found.get(each.name) as string[] | undefined) ?? []), value as string]);
    } else if (found.has(each.name)) {
      throw new UsageError(`--${each.name} is given twice. Remove one.`);
    } else found.set(each.name, value);
  }
  checkFormats(found, command);
  return found;
}

function unknownOption({ raw, name }: Given, command: Command, known: readonly string[]): UsageError {
  const line = command.path.join(' ');
  return new UsageError(
    `"${line}" has no option ${raw}.${didYouMean(name, known, '--')} strongroom ${line} --help lists its options. ` +
      'Write a name that begins with a hyphen after "--".',
  );
}

function givenValue(given: Given, option: Option, isUtc: boolean): string | true {
  const { raw, value, isInline } = given;
  if (option.takes === 'nothing') {
    if (isInline) throw new UsageError(`${raw} takes no value.`);
    return true;
  }
  // The value of an option may be another option only if a person says so.
  if (value === undefined || (!isInline && /^-./.test(value))) {
    const { placeholder = 'VALUE' } = option;
    throw new UsageError(`${raw} needs a value: ${raw} ${placeholder}. One that begins with a hyphen: ${raw}=-x.`);
  }
  if (value === '') throw new UsageError(`${raw} has an empty value: is a variable not set?`);
  const { oneOf } = option;
  if (oneOf && !oneOf.includes(value)) {
    throw new UsageError(`${raw} ${value}: choose one of ${oneOf.join(', ')}.${didYouMean(value, oneOf)}`);
  }
  return checked(raw, value, option.takes, isUtc);
}

function checked(raw: string, value: string, takes: Option['takes'], isUtc: boolean): string {
  if (takes === 'count' && !/^[1-9]\d{0,8}$/.test(value)) {
    throw new UsageError(`${raw} ${value}: write a whole number from 1.`);
  }
  if (takes === 'duration') {
    const milliseconds = durationOf(value);
    if (milliseconds === undefined) throw new UsageError(`${raw} ${value}: write a length such as 90s, 30m, 2h or 1d.`);
    return String(milliseconds);
  }
  if (takes === 'time') {
    const instant = instantOf(value, isUtc);
    if (instant === undefined) {
      throw new UsageError(
        `${raw} ${value}: write a time such as 2026-11-20, "2026-11-20 12:00" or 2026-11-20T12:00Z.`,
      );
    }
    return instant;
  }
  return value;
}

function checkFormats(found: ReadonlyMap<string, Value>, { path, prints }: Command): void {
  const asked = (['json', 'jsonl', 'quiet'] as const).filter((name) => found.has(name));
  if (asked.length > 1) throw new UsageError(`Choose one of ${asked.map((name) => `--${name}`).join(' and ')}.`);
  const unfit = [...asked, ...(found.has('columns') ? (['columns'] as const) : [])].find(
    (name) => !FORMATS[prints].includes(name),
  );
  if (unfit !== undefined) throw new UsageError(`"${path.join(' ')}" has no --${unfit}.`);
  if (found.has('columns') && asked.length > 0) throw new UsageError(`--columns has no effect with --${asked[0]}.`);
  const fromStdin = [...found].flatMap(([name, value]) => (value === '-' ? [`--${name}`] : []));
  if (fromStdin.length > 1) throw new UsageError(`${fromStdin.join(' and ')} cannot both read standard input.`);
  if (found.has('url') && found.has('context')) throw new UsageError('Choose one of --url and --context.');
  if (found.has('key') && found.has('key-file')) throw new UsageError('Choose one of --key and --key-file.');
  if (found.has('key') && found.get('key') !== '-') {
    throw new UsageError(
      '--key takes only -, which reads standard input: others see the arguments of a process, and shells keep them. ' +
        'Use --key-file FILE or STRONGROOM_KEY.',
    );
  }
}

function checkArguments({ path, arguments: wanted = [] }: Command, given: readonly string[]): void {
  const line = path.join(' ');
  const missing = wanted.find(({ isOptional }, index) => !isOptional && given[index] === undefined);
  if (missing) throw new UsageError(`"${line}" needs ${missing.name}. strongroom ${line} --help shows how.`);
  const last = wanted.at(-1);
  if (given.length > wanted.length && !last?.isMany) {
    throw new UsageError(`"${line}" takes no further argument: ${JSON.stringify(given[wanted.length])}.`);
  }
  given.forEach((value, index) => {
    const { name, oneOf } = wanted[Math.min(index, wanted.length - 1)]!;
    if (value === '') throw new UsageError(`${name} is empty: is a variable not set?`);
    if (oneOf && !oneOf.includes(value)) {
      throw new UsageError(`${name} is one of ${oneOf.join(', ')}, not ${value}.${didYouMean(value, oneOf)}`);
    }
  });
}
