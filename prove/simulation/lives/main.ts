import { playSeeds } from '../play.ts';
import { live } from './life.ts';

/** `node prove/simulation/lives/main.ts --seeds 100 --from 1` */
await playSeeds('lives', live);
