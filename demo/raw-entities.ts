import { TableClient } from '@azure/data-tables';

/** Every property of an entity with the text of its value and of its type, as the service wrote them. */
export type RawEntity = Record<string, string>;

/** A client for one table, of an account of the emulator's. */
export function tableOf(connectionString: string, table: string, bodies?: string[]): TableClient {
  return TableClient.fromConnectionString(connectionString, table, {
    allowInsecureConnection: true,
    additionalPolicies: [
      {
        position: 'perCall',
        policy: {
          name: 'keep-bodies',
          async sendRequest(request, next) {
            const answer = await next(request);
            if (request.method === 'GET') bodies?.push(answer.bodyAsText ?? '');
            return answer;
          },
        },
      },
    ],
  });
}

/**
 * All entities of a table by their keys, each value as the service wrote it: what the SDK makes of the answers is thrown away, since
 * numbers and dates lose something on the way. Without `Timestamp`, which nobody can set.
 */
export async function rawEntities(connectionString: string, table: string): Promise<Map<string, RawEntity>> {
  const bodies: string[] = [];
  for await (const _ of tableOf(connectionString, table, bodies).listEntities().byPage());
  const all = new Map<string, RawEntity>();
  for (const body of bodies) {
    for (const { PartitionKey, RowKey, Timestamp: _, 'odata.etag': __, ...rest } of parseWithText(body).value) {
      all.set(`${PartitionKey}/${RowKey}`, rest);
    }
  }
  return all;
}

/** `JSON.parse` with the text of each value in place of the value. The types do not know yet that a reviver is told it. */
function parseWithText(body: string): { value: RawEntity[] } {
  const revive = (_: string, value: unknown, at?: { source?: string }) => at?.source ?? value;
  return JSON.parse(body, revive as (key: string, value: unknown) => unknown);
}
