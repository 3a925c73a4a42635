import { playSeeds } from '../simulation/play.ts';
import { live } from './life.ts';

/** `node prove/lives/main.ts --seeds 100 --from 1` */
await playSeeds('lives', live);
