import { playSeeds } from './play.ts';
import { simulate } from './simulate.ts';

/** `node prove/simulation/main.ts --seeds 100 --from 1` */
await playSeeds('seeds', simulate);
