// Takes the lock of a data directory as `--once` does, writes a line when it has it and when it is about to release it.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockDataDirectory } from '../../../host/data/data-lock.ts';

const [directory = '', lines = ''] = process.argv.slice(2);
const lock = await lockDataDirectory(directory, { once: 'nightly' });
appendFileSync(lines, `${process.pid} begins\n`);
await sleep(20);
appendFileSync(lines, `${process.pid} ends\n`);
lock.release();
