import { Random } from '../../test/support/builders/random.ts';
import { ALWAYS } from '../matrix/always.ts';
import { type Bench, openHall } from '../matrix/bench.ts';
import { type Cell, cellName, cellNamed, cellsOf, IMPOSSIBLE } from '../matrix/cell.ts';
import { type CellResult, runCell } from '../matrix/run-cell.ts';
import { SCENARIOS } from '../matrix/scenarios.ts';
import type { PartOptions, PartResult } from '../part.ts';

const TARGET = 500;
/** A few more than the target, as a cell whose fault hits no request does not count. */
const CHOSEN = 530;
const BENCHES = 10;
/** Ten minutes after its start, the emulator collects deleted data, and stalls for minutes if there is much. */
const CELLS_A_HALL = 130;

/** Faults × operations × scenarios: each cell is a run with one fault, and a run without faults after it. */
export async function proveMatrix(options: PartOptions & { cells?: string[] }): Promise<PartResult> {
  const outputs: string[] = [];
  const inHall = async <T>(work: (benches: readonly Bench[]) => Promise<T>): Promise<T> => {
    const hall = await openHall(BENCHES);
    try {
      return await work(hall.benches);
    } finally {
      outputs.push(hall.benches[0]!.app.host.output());
      await hall.stop();
    }
  };
  const cells = options.cells?.map(cellNamed) ?? (await inHall((benches) => chooseCells(benches, options)));
  const results: CellResult[] = [];
  for (let from = 0; from < cells.length; from += CELLS_A_HALL) {
    const some = cells.slice(from, from + CELLS_A_HALL);
    results.push(...(await inHall((benches) => workThrough(benches, some, options))));
    options.progress(`${results.length} of ${cells.length} cells`);
  }
  const lies = options.cells
    ? []
    : await inHall((benches) => workThrough(benches, IMPOSSIBLE, { ...options, progress: () => {} }));
  const struck = results.filter((result) => result.struck > 0);
  const missed = results.filter((result) => result.struck === 0);
  const target = options.cells ? cells.length : TARGET;
  const violations = results.flatMap((result) => result.violations.map((why) => `${result.name}: ${why}`));
  return {
    title: 'Faults of storage, operation by operation',
    figures: [
      { name: 'cells whose fault hit a request', value: struck.length, target },
      { name: 'of these, cells without a violation', value: struck.filter(isSound).length, target: struck.length },
      { name: 'impossible answers noticed', value: lies.filter(isNoticed).length, target: lies.length },
    ],
    violations: [...violations, ...outputs.flatMap(judgeOutput)],
    notes: [
      'To repeat a cell: npm run prove:again -- matrix NAME',
      `Ends of the runs with faults: ${tally(results.map(({ ended }) => ended))}`,
      ...(missed.length > 0 ? [`Cells whose fault hit nothing: ${missed.map(({ name }) => name).join(', ')}`] : []),
    ],
  };
}

/** Plays each scenario without faults: its requests determine the cells. */
async function chooseCells(benches: readonly Bench[], options: PartOptions): Promise<Cell[]> {
  const clean = SCENARIOS.map(({ name }): Cell => ({ scenario: name, operation: 'any', fault: 'none', nth: 1 }));
  const recordings = await workThrough(benches, clean, options);
  const wrong = recordings.find((result) => !isSound(result));
  if (wrong) throw new Error(`Without any fault, ${wrong.name}: ${wrong.violations[0]}`);
  const chance = new Random(`cells ${options.seed}`);
  const all = SCENARIOS.flatMap(({ name }) => {
    const result = recordings.find((each) => each.name.startsWith(`${name}/`))!;
    return cellsOf(name, result.recording, options.night ? 5 : 2);
  });
  const always = new Set(ALWAYS.map(cellName));
  const order = [...ALWAYS, ...chance.shuffled(all.filter((cell) => !always.has(cellName(cell))))];
  if (!options.night) return order.slice(0, CHOSEN);
  // At night: every cell, the second occurrence of repeated operations, and pairs of faults.
  const later = all
    .filter(({ scenario, operation }) => {
      const { recording } = recordings.find((each) => each.name.startsWith(`${scenario}/`))!;
      return (recording.get(operation)?.count ?? 0) > 1;
    })
    .map((cell): Cell => ({ ...cell, nth: 2 }));
  const single = order.filter(({ operation }) => operation !== 'any');
  const pairs = single.slice(0, 300).flatMap((cell): Cell[] => {
    const partners = single.filter(
      ({ scenario, operation }) => scenario === cell.scenario && operation !== cell.operation,
    );
    const partner = chance.pick(partners);
    return partner ? [{ ...cell, second: { operation: partner.operation, fault: partner.fault } }] : [];
  });
  return [...order, ...later, ...pairs];
}

/** Every bench takes the next cell when it has ended one. */
export async function workThrough(
  benches: readonly Bench[],
  cells: readonly Cell[],
  options: PartOptions,
): Promise<CellResult[]> {
  const results: CellResult[] = [];
  const waiting = [...cells];
  await Promise.all(
    benches.map(async (bench) => {
      for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
        const result = await runCell(bench, cell, options.seed).catch(
          (error): CellResult => ({
            name: cellName(cell!),
            struck: 0,
            ended: 'broken',
            violations: [`could not be judged: ${(error as Error).stack}`],
            recording: new Map(),
          }),
        );
        results.push(result);
        for (const why of result.violations.slice(0, 3)) options.progress(`${result.name}: ${why}`);
      }
    }),
  );
  return results;
}

const isNoticed = ({ struck, violations }: CellResult): boolean => struck > 0 && violations.length > 0;
const isSound = ({ violations }: CellResult): boolean => violations.length === 0;

/** Judges the output of the host. */
function judgeOutput(output: string): string[] {
  const found: string[] = [];
  if (/[?&]sig=|AccountKey=|SharedKey /.test(output)) found.push('a secret is in the log');
  const [stack] = /^\s+at .+$/m.exec(output) ?? [];
  if (stack !== undefined) found.push(`a stack trace is in the log: ${stack.trim()}`);
  return found;
}

function tally(words: string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
}
