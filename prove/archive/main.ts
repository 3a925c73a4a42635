import { playSeeds } from '../simulation/play.ts';
import { simulateArchiving } from './simulate.ts';

/** `node prove/archive/main.ts --seeds 100 --from 1` */
await playSeeds('seeds', simulateArchiving);
