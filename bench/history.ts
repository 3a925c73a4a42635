import type { JournalRecord } from '../host/durable/instance.ts';
import { readJournal } from '../host/durable/journal-file.ts';

/** What the orchestrations of a run cost the host. */
export interface History {
  turns: number;
  /** The rows that the Durable extension stores in Azure. */
  rows: number;
}

/**
 * Counts in the journal of a host that was just started for a run: a turn stores its beginning, the messages that it
 * reads, its decisions, its end, and the end of the orchestration.
 */
export async function historyOf(journal: string): Promise<History> {
  const history: History = { turns: 0, rows: 0 };
  for await (const records of readJournal(journal)) {
    for (const record of records as JournalRecord[]) {
      if (record.type !== 'turn') continue;
      const { consumed, decisions, end } = record.turn;
      history.turns++;
      history.rows += 2 + consumed + decisions.length + (end ? 1 : 0);
    }
  }
  return history;
}
