import { resolve } from 'node:path';
import { EXIT } from '../../host/exit-codes.ts';
import { CliError, UsageError } from '../cli-error.ts';
import { type Command, commands } from '../command/command.ts';
import type { Input } from '../command/input.ts';
import { type Context, checkedAddress, type SignIn } from '../connect/address.ts';
import { contextsFile, readContexts, writeContexts } from '../connect/contexts.ts';
import { signInWords } from '../connect/sign-in.ts';
import { chosen } from '../print/list.ts';

const NAME = { name: 'NAME', completes: 'context' } as const;
const WAYS = ['none', 'key-env', 'key-file', 'function-key', 'entra'] as const;

const show: Command = {
  path: ['context'],
  about: 'Show which app is called, why, with which sign-in, and who you are there',
  prints: 'document',
  examples: [['context', 'before you start something']],
  async run(session) {
    const { out, place } = session;
    if (out.format === 'text') {
      out.line(`${place.url}  from ${place.why}`);
      out.line(`signs in with ${signInWords(place.signIn)}`);
      for (const note of place.notes) out.note(note);
    }
    const { bytes, body } = await session.api.call<'whoAmI'>('GET', 'whoami');
    if (out.format === 'json') out.bytes(bytes);
    else {
      out.line(`${body.instance ?? 'Strongroom'} ${body.version}: you are ${body.name ?? body.via}`);
      out.line(`roles: ${body.roles.join(', ')}  may: ${body.may.join(', ')}`);
    }
    return EXIT.done;
  },
};

const list: Command = {
  path: ['context', 'list'],
  about: 'List the contexts',
  prints: 'list',
  examples: [['context list', 'their addresses and ways to sign in']],
  async run({ world, out }, input) {
    const { current, contexts } = readContexts(contextsFile(world));
    const rows = Object.entries(contexts).map(([name, each]) => ({ name, isCurrent: name === current, ...each }));
    const columns = chosen(
      [
        { name: 'current', value: ({ isCurrent }: (typeof rows)[number]) => (isCurrent ? '*' : '') },
        { name: 'name', value: ({ name }: (typeof rows)[number]) => name },
        { name: 'url', value: ({ url }: (typeof rows)[number]) => url },
        { name: 'sign-in', value: ({ signIn }: (typeof rows)[number]) => signInWords(signIn), shrinks: true },
      ],
      input.text('columns'),
    );
    if (out.format === 'json') out.json(rows);
    else if (out.format === 'jsonl') for (const row of rows) out.json(row);
    else if (out.format === 'quiet') for (const { name } of rows) out.line(name);
    else if (rows.length > 0) out.table(columns, rows);
    else out.note('There are no contexts. To add one: strongroom context add NAME --url URL');
    return EXIT.done;
  },
};

const use: Command = {
  path: ['context', 'use'],
  about: 'Make a context the current one',
  arguments: [NAME],
  prints: 'text',
  examples: [['context use production', 'the following commands call this app']],
  async run({ world, out }, input) {
    const file = contextsFile(world);
    const all = readContexts(file);
    const name = input.argument(0);
    known(all.contexts, name, file);
    writeContexts(file, { ...all, current: name });
    out.line(`${name}  is the current context`);
    return EXIT.done;
  },
};

const add: Command = {
  path: ['context', 'add'],
  about: 'Add a context: an address and a way to sign in, never a key. The first one is the current one',
  details:
    'It keeps the address of --url. Ways to sign in: a key in an environment variable or a file, the function key of ' +
    'an app by az functionapp keys list, or a token of Microsoft Entra by az account get-access-token.',
  arguments: [{ name: 'NAME' }],
  options: {
    'sign-in': {
      takes: 'text',
      placeholder: 'WAY',
      oneOf: WAYS,
      about: 'the way (default: what the other options say)',
    },
    'key-env': { takes: 'text', placeholder: 'NAME', about: 'with key-env: the environment variable' },
    app: { takes: 'text', placeholder: 'NAME', about: 'with function-key: the function app' },
    group: { takes: 'text', placeholder: 'NAME', about: 'with function-key: its resource group' },
    resource: { takes: 'text', placeholder: 'URI', about: 'with entra: the app registration, such as api://…' },
  },
  prints: 'text',
  examples: [
    ['context add here --url http://127.0.0.1:7071', 'an app on this machine'],
    [
      'context add production --url https://func-x.azurewebsites.net --app func-x --group rg-x',
      'with its function key',
    ],
    ['context add production --url https://func-x.azurewebsites.net --resource api://1234', 'with your own sign-in'],
  ],
  async run({ world, out }, input) {
    const name = input.argument(0);
    if (!/^[a-z0-9][\w.-]{0,62}$/i.test(name)) {
      throw new UsageError(`${JSON.stringify(name)} is not a name: use letters, digits, ".", "_" and "-".`);
    }
    const isHttpAllowed = input.has('allow-http');
    const url = checkedAddress(input.required('url'), isHttpAllowed).href.replace(/\/$/, '');
    const context: Context = {
      ...{ url, signIn: signInOf(input, world.cwd) },
      ...(isHttpAllowed && { allowHttp: true as const }),
    };
    const file = contextsFile(world);
    const all = readContexts(file);
    const contexts = { ...all.contexts, [name]: context };
    const current = all.current ?? name;
    writeContexts(file, { current, contexts });
    out.line(`${name}  ${url}  ${signInWords(context.signIn)}${current === name ? '  (current)' : ''}`);
    return EXIT.done;
  },
};

function signInOf(input: Input, cwd: string): SignIn {
  const implied = [
    ...(input.has('key-env') ? (['key-env'] as const) : []),
    ...(input.has('key-file') ? (['key-file'] as const) : []),
    ...(input.has('app') || input.has('group') ? (['function-key'] as const) : []),
    ...(input.has('resource') ? (['entra'] as const) : []),
  ];
  const way = (input.text('sign-in') as (typeof WAYS)[number] | undefined) ?? implied[0] ?? 'none';
  const other = implied.find((each) => each !== way);
  if (other) throw new UsageError(`These options are of two ways to sign in, ${way} and ${other}. Choose one.`);
  switch (way) {
    case 'none':
      return { way };
    case 'key-env':
      return { way, name: input.required('key-env') };
    case 'key-file':
      return { way, file: keptFile(input.required('key-file'), cwd) };
    case 'function-key':
      return { way, app: input.required('app'), group: input.required('group') };
    case 'entra':
      return { way, resource: input.required('resource') };
  }
}

/** A context is used in any folder. */
function keptFile(file: string, cwd: string): string {
  if (file === '-') throw new UsageError('A context needs a file of its own: --key-file FILE.');
  return resolve(cwd, file);
}

const remove: Command = {
  path: ['context', 'remove'],
  about: 'Remove a context',
  arguments: [NAME],
  prints: 'text',
  examples: [['context remove production', 'forget its address']],
  async run({ world, out }, input) {
    const file = contextsFile(world);
    const { current, contexts } = readContexts(file);
    const name = input.argument(0);
    known(contexts, name, file);
    const { [name]: _, ...others } = contexts;
    writeContexts(file, { contexts: others, ...(current !== undefined && current !== name && { current }) });
    out.line(`${name}  is removed`);
    return EXIT.done;
  },
};

function known(contexts: object, name: string, file: string): void {
  if (Object.hasOwn(contexts, name)) return;
  const names = Object.keys(contexts).join(', ') || 'none';
  throw new CliError(`There is no context "${name}" in ${file}; it has ${names}.`, EXIT.usage);
}

export const CONTEXT = commands(show, list, use, add, remove);
