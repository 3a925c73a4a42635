// Compiles the Bicep templates at the strictest level, and writes what each of infra/examples would deploy into its
// snapshot. --check only compares. Without a compiler, it only says so; --required makes that a failure.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Compiler, findCompiler, folder, VERSION } from './compiler.ts';
import { Session } from './session.ts';
import { normalise, TARGET } from './snapshot.ts';

interface Diagnostic {
  source: string;
  range: { start: { line: number; char: number } };
  level: string;
  code: string;
  message: string;
}

const infra = fileURLToPath(new URL('../../infra/', import.meta.url));
const examples = readdirSync(`${infra}examples`).filter((file) => file.endsWith('.bicepparam'));

/** Names the state of the templates that was last found right: to compile takes ten times as long as to look here. */
const approved = `${folder}approved`;
if (process.argv.includes('--check') && textOf(approved) === state()) {
  console.log(`The Bicep templates are unchanged since Bicep ${VERSION} compiled them.`);
  process.exit(0);
}
const compiler = findCompiler();
if (compiler === undefined) {
  console.error('The Bicep templates are not compiled: there is neither bicep, nor az bicep, nor a .NET SDK.');
  process.exit(process.argv.includes('--required') ? 1 : 0);
}
const session = new Session(compiler);
try {
  const problems = await compile(session);
  if (problems.length === 0) problems.push(...(await compareSnapshots(session, compiler)));
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log(`Bicep ${compiler.version} compiled the templates.`);
  if (problems.length === 0 && compiler.version === VERSION) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(approved, state());
  }
  process.exitCode = problems.length > 0 ? 1 : 0;
} finally {
  session.end();
}

/** Warnings count as errors. */
async function compile(session: Session): Promise<string[]> {
  const { success, diagnostics } = (await session.call('compile', { path: `${infra}main.bicep` })) as {
    success: boolean;
    diagnostics: Diagnostic[];
  };
  const found = diagnostics
    .filter(({ level }) => level !== 'Info' && level !== 'Off')
    .map(
      ({ source, range: { start }, level, code, message }) =>
        `${source}:${start.line + 1}:${start.char + 1} ${level} ${code}: ${message}`,
    );
  return success || found.length > 0 ? found : ['infra/main.bicep does not compile'];
}

async function compareSnapshots(session: Session, { version }: Compiler): Promise<string[]> {
  if (version !== VERSION) {
    console.error(
      `The snapshots in infra/examples are not compared: this is Bicep ${version}, they are of ${VERSION}.`,
    );
    return [];
  }
  const compared = await Promise.all(examples.map((example) => isAsCommitted(session, example)));
  const differing = examples.filter((_, index) => !compared[index]);
  if (differing.length === 0) return [];
  return [
    ...differing.map((example) => `infra/examples/${example} deploys something else than its snapshot says.`),
    'Run npm run bicep, see in the diff whether you meant that, and commit it.',
  ];
}

/** Without --check, it is what is written now. */
async function isAsCommitted(session: Session, example: string): Promise<boolean> {
  const request = { path: `${infra}examples/${example}`, metadata: TARGET, externalInputs: [] };
  const { snapshot } = (await session.call('getSnapshot', request)) as { snapshot: string };
  const text = `${JSON.stringify(normalise(snapshot), null, 2)}\n`;
  const file = `${infra}examples/${example.replace('.bicepparam', '.snapshot.json')}`;
  if (process.argv.includes('--check')) return textOf(file) === text;
  writeFileSync(file, text);
  return true;
}

function textOf(file: string): string | undefined {
  try {
    // Git may have checked out the file with other line endings.
    return readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
  } catch {
    return undefined;
  }
}

/** The templates, the examples with their snapshots, and this tool. */
function state(): string {
  const hash = createHash('sha256');
  for (const place of [infra, fileURLToPath(new URL('.', import.meta.url))]) {
    for (const file of readdirSync(place, { recursive: true, encoding: 'utf8' }).sort()) {
      if (/\.\w+$/.test(file)) hash.update(`${file} ${textOf(place + file)}\n`);
    }
  }
  return hash.digest('hex');
}
