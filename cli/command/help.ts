import { exitCodeTable } from '../../host/exit-codes.ts';
import type { Argument, Command, Option } from './command.ts';
import { FORMATS, GLOBAL_OPTIONS, SHORT } from './global-options.ts';
import { wrapped } from './wrapped.ts';

const WIDTH = 110;

/** The help of one command, of those of a noun, or of all. */
export function helpText(of: readonly Command[], all: readonly Command[]): string {
  if (of.length === all.length) return overview(all);
  return of.length === 1 ? helpOfCommand(of[0]!) : helpOfNoun(of);
}

function overview(all: readonly Command[]): string {
  const nouns = [...new Set(all.map(({ path }) => path[0]))];
  const rows = nouns.map((noun): [string, string] => {
    const own = all.filter(({ path }) => path[0] === noun);
    const verbs = own.flatMap(({ path }) => path[1] ?? []);
    const only = own.find(({ path }) => path[1] === undefined);
    return [noun, only ? only.about : verbs.join(', ')];
  });
  return `strongroom: backups for Azure Storage, from the command line

It calls the HTTP API of an app, in Azure or on this machine, and prints tables for people and JSON for scripts. It
shows what a restore or a prune would do before it does it.

Usage: strongroom COMMAND [VERB] [ARGUMENTS] [OPTIONS]

${table(rows)}
Examples:
${table([
  ['strongroom status', 'is everything all right?'],
  ['strongroom runs start nightly --watch', 'back up, and wait for the end'],
  ['strongroom restore 2026/a.jpg --container images --at 2026-11-20', 'one blob, as it was'],
])}
Options of every command:
${table(optionRows(GLOBAL_OPTIONS))}
Where the app is: the first of --url, STRONGROOM_URL with STRONGROOM_KEY, the context, the environment of azd in this
folder, http://127.0.0.1:7071. "strongroom context" shows it. "strongroom COMMAND --help" shows the options of a
command.

Exit codes (treat one that you do not know as a failure):
${exitCodeTable()}`;
}

function helpOfNoun(of: readonly Command[]): string {
  const rows = of.map((command): [string, string] => [usage(command), command.about]);
  return `${table(rows)}\n"strongroom ${of[0]!.path[0]} VERB --help" shows the options and examples of a verb.\n`;
}

function helpOfCommand(command: Command): string {
  const { about, details, options = {}, examples } = command;
  const formats = optionRows(
    Object.fromEntries(
      Object.entries(GLOBAL_OPTIONS).filter(([name]) => FORMATS[command.prints].includes(name as never)),
    ),
  );
  const rows = [...optionRows(options), ...formats];
  return [
    `${about}.\n`,
    ...(details === undefined ? [] : [`${wrapped(details, WIDTH)}\n`]),
    `Usage: ${usage(command)}\n`,
    ...(rows.length > 0 ? [`${table(rows)}`] : []),
    `Examples:\n${table(examples.map(([line, what]) => [`strongroom ${line}`, what]))}`,
    'Options of every command and exit codes: strongroom --help\n',
  ].join('\n');
}

/** How to write a command: `strongroom runs show RUN [options]`. */
export function usage({ path, arguments: wanted = [], options = {}, prints }: Command): string {
  const hasOptions = Object.keys(options).length > 0 || FORMATS[prints].length > 0;
  return ['strongroom', ...path, ...wanted.map(placeholder), ...(hasOptions ? ['[options]'] : [])].join(' ');
}

function placeholder({ name, isOptional, isMany, oneOf }: Argument): string {
  const shown = `${oneOf ? oneOf.join('|') : name}${isMany ? '…' : ''}`;
  return isOptional ? `[${shown}]` : shown;
}

/** How to write an option, and what it does. */
export function optionRows(options: Readonly<Record<string, Option>>): [string, string][] {
  return Object.entries(options).map(([name, { takes, placeholder: value = 'VALUE', oneOf, about }]) => [
    `${SHORT[name] ? `-${SHORT[name]}, ` : ''}--${name}${takes === 'nothing' ? '' : ` ${value}`}`,
    oneOf ? `${about}: ${oneOf.join(', ')}` : about,
  ]);
}

function table(rows: readonly (readonly [string, string])[]): string {
  const left = Math.min(44, Math.max(...rows.map(([one]) => one.length)));
  const indent = ' '.repeat(left + 4);
  return rows
    .map(([one, other]) => {
      const lines = wrapped(other, WIDTH - left - 4)
        .split('\n')
        .join(`\n${indent}`);
      return one.length > left ? `  ${one}\n${indent}${lines}\n` : `  ${one.padEnd(left)}  ${lines}\n`;
    })
    .join('');
}
