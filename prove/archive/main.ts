import { playSeeds } from '../seeds/command-line.ts';
import { simulateArchiving } from './simulate.ts';

await playSeeds(simulateArchiving);
