import type { Option, Prints } from './command.ts';

/** Options of every command: where the app is, and how to print. */
export const GLOBAL_OPTIONS: Readonly<Record<string, Option>> = {
  url: {
    takes: 'text',
    placeholder: 'URL',
    about: 'address of the app, such as https://func-backup.azurewebsites.net',
  },
  'key-file': {
    takes: 'text',
    placeholder: 'FILE',
    completes: 'file',
    about: 'file with the key; - is standard input',
  },
  key: { takes: 'text', placeholder: '-', about: '- reads the key from standard input. Other users can see arguments' },
  context: {
    takes: 'text',
    placeholder: 'NAME',
    completes: 'context',
    about: 'use this context instead of the current one',
  },
  'allow-http': { takes: 'nothing', about: 'call an address without TLS that is not on this machine' },
  json: { takes: 'nothing', about: 'print the answer of the API as it is; an error, too' },
  jsonl: { takes: 'nothing', about: 'print one line of JSON for each item, or for each look at a run' },
  quiet: { takes: 'nothing', about: 'print ids only' },
  columns: { takes: 'text', placeholder: 'A,B', about: 'columns of the table, in this order' },
  utc: { takes: 'nothing', about: 'show times in UTC at a terminal, too, and read those without a zone as UTC' },
  'no-color': { takes: 'nothing', about: 'print without colors, as with NO_COLOR' },
  help: { takes: 'nothing', about: 'print help' },
  version: { takes: 'nothing', about: 'print the version' },
};

/** One letter for some options. */
export const SHORT: Readonly<Record<string, string>> = { help: 'h', quiet: 'q', yes: 'y' };

/** The formats of each kind of output, beside text. */
export const FORMATS: Record<Prints, readonly ('json' | 'jsonl' | 'quiet' | 'columns')[]> = {
  list: ['json', 'jsonl', 'quiet', 'columns'],
  board: ['json', 'jsonl', 'columns'],
  document: ['json'],
  run: ['json', 'jsonl', 'quiet'],
  watch: ['json', 'jsonl'],
  text: [],
};
