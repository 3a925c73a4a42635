import { playSeeds } from '../seeds/command-line.ts';
import { liveTables } from './life.ts';

await playSeeds(liveTables);
