import { TableClient } from '@azure/data-tables';

/** Every property of an entity: the texts of its value and its type, as the service wrote them. */
export type RawEntity = Record<string, string>;

/** A client for one table of an account of the emulator. */
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
 * All entities of a table by their keys, each value as the service wrote it. The SDK's own result is ignored, since it
 * loses digits of numbers and dates. `Timestamp` is left out, as no client can set it.
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

/** Parses JSON into the text of each value. TypeScript does not know the third parameter of a reviver yet. */
function parseWithText(body: string): { value: RawEntity[] } {
  const revive = (_: string, value: unknown, at?: { source?: string }) => at?.source ?? value;
  return JSON.parse(body, revive as (key: string, value: unknown) => unknown);
}
