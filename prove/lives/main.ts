import { playSeeds } from '../seeds/command-line.ts';
import { live } from './life.ts';

await playSeeds(live);
