import { z } from 'zod';
import { errorSchema, errorsOf } from './error.ts';
import type { Needs, Operation } from './operation.ts';
import { OPERATIONS } from './operations.ts';
import { titleOf } from './titles.ts';

type Json = Record<string, unknown>;

interface Document extends Json {
  openapi: string;
  paths: Record<string, Json>;
}

const SCHEMAS = '#/components/schemas/';
const TEXTS: Record<number, string> = { 200: 'OK', 202: 'The run has started, or ends soon' };

/** The description of the API for programs: OpenAPI 3.1, whose schemas are JSON Schema 2020-12. */
export function openApiDocument(version: string): Document {
  const components: Json = {};
  const paths: Record<string, Json> = {};
  for (const [id, operation] of Object.entries(OPERATIONS)) {
    const path = `/api/${operation.path}`;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: described(id, operation, components) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Strongroom',
      version,
      summary: 'Backups for Azure Storage',
      description: 'docs/http-api.md describes each operation, its fields and its errors.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-functions-key' } },
    },
  };
}

function described(id: string, operation: Operation, components: Json): Json {
  const { path, summary, needs, query, body, mediaType, answers } = operation;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const inPath = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const inQuery = query ? queryParameters(schemaOf(query, 'input', components)) : [];
  return {
    operationId: id,
    summary,
    ...(needs !== 'anyone' && { description: `Needs: ${neededBy(needs)}.` }),
    'x-strongroom-needs': needs,
    security: needs === 'anyone' ? [] : [{ key: [] }],
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(body && { requestBody: { content: { 'application/json': { schema: schemaOf(body, 'input', components) } } } }),
    responses: {
      ...(operation.method === 'GET' && { 304: { description: 'Not changed since the ETag in `If-None-Match`' } }),
      ...Object.fromEntries(
        Object.entries(errorsOf(operation)).map(([status, codes]) => [
          status,
          failure(Number(status), codes, components),
        ]),
      ),
      ...Object.fromEntries(
        Object.entries(answers).map(([status, schema]) => [
          status,
          success(Number(status), schemaOf(schema, 'output', components), mediaType),
        ]),
      ),
    },
  };
}

function neededBy(needs: Needs): string {
  if (needs === 'signed-in') return 'a caller who is known';
  if (typeof needs === 'string') return `the permission \`${needs}\``;
  const all = needs.map((each) => `\`${each}\``);
  return `one of the permissions ${all.join(', ')}, depending on what the call does`;
}

function success(status: number, schema: Json, mediaType = 'application/json'): Json {
  return { description: TEXTS[status] ?? titlesOf(status, []), content: { [mediaType]: { schema } } };
}

function failure(status: number, codes: readonly string[], components: Json): Json {
  const words = codes.length > 0 ? `: ${codes.map((code) => `\`${code}\``).join(', ')}` : '';
  const content = { 'application/problem+json': { schema: schemaOf(errorSchema, 'output', components) } };
  return { description: `${titlesOf(status, codes)}${words}`, content };
}

function titlesOf(status: number, codes: readonly string[]): string {
  // Every call answers 503 if the app cannot start, and without codes, the title is that of the status.
  const all = status === 503 ? [...codes, undefined, 'misconfigured'] : codes.length > 0 ? codes : [undefined];
  return [...new Set(all.map((code) => titleOf(status, code)))].join('; ');
}

/** The parameters of a query, which is an object. */
function queryParameters({ properties = {}, required = [] }: Json): Json[] {
  return Object.entries(properties as Json).map(([name, schema]) => ({
    name,
    in: 'query',
    required: (required as string[]).includes(name),
    schema,
  }));
}

/** The JSON Schema of what is sent or answered. Named schemas go to the components. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', components: Json): Json {
  const made = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => openUp(jsonSchema, io),
  });
  const {
    $schema: _,
    $defs,
    ...own
  } = JSON.parse(JSON.stringify(made).replaceAll('"$ref":"#/$defs/', `"$ref":"${SCHEMAS}`)) as Json & { $defs?: Json };
  for (const [name, definition] of Object.entries($defs ?? {})) components[name] = definition;
  const { id } = own;
  if (typeof id !== 'string') return own;
  const { id: __, ...definition } = own;
  components[id] = definition;
  return { $ref: SCHEMAS + id };
}

/**
 * A later version may answer more, so a client does not rely on what is not there. Numbers have no bounds that only
 * JavaScript has, and those of a query no pattern of a text.
 */
function openUp(schema: z.core.JSONSchema.BaseSchema, io: 'input' | 'output'): void {
  if (io === 'output') delete schema.additionalProperties;
  if (schema.type === 'integer') delete schema.pattern;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}
