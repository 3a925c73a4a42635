import { playSeeds } from '../seeds/command-line.ts';
import { simulate } from './simulate.ts';

await playSeeds(simulate);
