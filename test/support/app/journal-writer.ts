// Appends numbers to a journal from a given one on, and prints each one that the journal confirms, until it is killed.
// The state is the last number.
import { writeSync } from 'node:fs';
import { Journal } from '../../../host/durable/journal.ts';

const [file = '', first = ''] = process.argv.slice(2);
let last = Number(first) - 1;
const print = (line: string) => writeSync(1, `${line}\n`);

const journal = await Journal.open<number>(
  file,
  {
    apply(number) {
      last = number;
    },
    *snapshot() {
      print('snapshot');
      yield last;
    },
    failed(error) {
      throw error;
    },
  },
  500,
);
for (let number = last + 1; ; number++) {
  await journal.append(number);
  print(String(number));
}
