import type { Command } from './command.ts';
import { FORMATS, GLOBAL_OPTIONS } from './global-options.ts';
import { optionRows, usage } from './help.ts';
import { wrapped } from './wrapped.ts';

/** The part of docs/command-line.md that is made from the commands. */
export function referenceText(all: readonly Command[]): string {
  const every = Object.fromEntries(Object.entries(GLOBAL_OPTIONS).filter(([name]) => !isOfSome(name)));
  const some = Object.fromEntries(Object.entries(GLOBAL_OPTIONS).filter(([name]) => isOfSome(name)));
  const sections = all.map((command) => sectionOf(command));
  return [
    'Options of every command:',
    optionTable(optionRows(every)),
    'Formats. Each command lists which ones it has; without any, it prints text for people:',
    optionTable(optionRows(some)),
    ...sections,
  ].join('\n\n');
}

function isOfSome(name: string): boolean {
  return (FORMATS.list as readonly string[]).includes(name);
}

function sectionOf(command: Command): string {
  const { path, about, details, options = {}, examples, prints } = command;
  const formats = FORMATS[prints].map((name) => `\`--${name}\``);
  const rows = optionRows(options);
  return [
    `### ${path.join(' ')}`,
    wrapped(`${about}.${details === undefined ? '' : ` ${details}`}`, 118),
    [`    ${usage(command)}`, '', ...examples.map(([line, what]) => `    strongroom ${line}    # ${what}`)].join('\n'),
    ...(rows.length > 0 ? [optionTable(rows)] : []),
    ...(formats.length > 0 ? [`Formats: ${formats.join(', ')}.`] : []),
  ].join('\n\n');
}

function optionTable(rows: readonly (readonly [string, string])[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const lines = rows.map(([option, about]) => `| \`${cell(option)}\` | ${cell(about)} |`);
  return ['| option | description |', '| --- | --- |', ...lines].join('\n');
}
