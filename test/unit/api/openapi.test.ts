import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from '#api/openapi.ts';
import { OPERATIONS } from '#api/operations.ts';

type Json = Record<string, unknown>;
interface Described {
  operationId: string;
  summary: string;
  security: unknown[];
  parameters?: { name: string; in: string; required: boolean; schema: Json }[];
  requestBody?: Json;
  responses: Record<string, { description: string; content: Record<string, { schema: Json }> }>;
}

const document = openApiDocument('1.2.3') as unknown as {
  openapi: string;
  info: { version: string };
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Json> };
};
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
);

/** Every object in a JSON value. */
function* objectsIn(value: unknown): Generator<Json> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Json;
  for (const each of Object.values(value)) yield* objectsIn(each);
}

describe('the OpenAPI document', () => {
  it('is of version 3.1 and has the version of the app', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(document.info.version).toBe('1.2.3');
  });

  it('has each operation once, under its id', () => {
    expect(described.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(OPERATIONS).sort());
  });

  it('declares every parameter of a path, and each parameter once', () => {
    for (const { path, parameters = [] } of described) {
      const inPath = parameters.filter((each) => each.in === 'path');
      expect(inPath.map(({ name }) => name)).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      expect(inPath.every(({ required }) => required)).toBe(true);
      const keys = parameters.map((each) => `${each.in} ${each.name}`);
      expect(new Set(keys).size, path).toBe(keys.length);
      for (const { schema, name } of parameters) expect(schema.type, `${path} ${name}`).toBeDefined();
    }
  });

  it('has an answer and every error of each operation, and no body of a GET', () => {
    for (const { method, operationId, requestBody, responses } of described) {
      expect(
        Object.keys(responses).some((status) => status.startsWith('2')),
        operationId,
      ).toBe(true);
      for (const status of ['413', '500']) expect(responses[status], operationId).toBeDefined();
      if (method === 'get') expect(requestBody, operationId).toBeUndefined();
      expect('304' in responses, operationId).toBe(method === 'get');
      for (const [status, { description, content = {} }] of Object.entries(responses)) {
        expect(description).not.toMatch(/undefined/);
        expect(Object.keys(content)).toHaveLength(status === '304' ? 0 : 1);
      }
    }
  });

  it('refers only to schemas that it has, and to each of them', () => {
    const refs = [...objectsIn(document)].flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []));
    const names = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect([...new Set(refs)].sort()).toEqual(names.sort());
  });

  it('requires only properties that it describes', () => {
    for (const { required, properties } of objectsIn(document)) {
      if (!Array.isArray(required)) continue;
      expect(Object.keys(properties as Json)).toEqual(expect.arrayContaining(required));
    }
  });

  it('lets later versions answer more, and refuses unknown options of a request', () => {
    for (const schema of Object.values(document.components.schemas)) {
      expect([...objectsIn(schema)].map(({ additionalProperties }) => additionalProperties)).not.toContain(false);
    }
    const { requestBody } = document.paths['/api/jobs/{job}/runs']!.post!;
    expect(JSON.stringify(requestBody)).toContain('"additionalProperties":false');
  });

  it('has no bounds that only JavaScript has', () => {
    expect(JSON.stringify(document)).not.toContain(String(Number.MAX_SAFE_INTEGER));
  });
});

describe('docs/http-api.md', () => {
  const page = readFileSync(new URL('../../../docs/http-api.md', import.meta.url), 'utf8');
  const contract = Object.values(OPERATIONS).map(({ method, path }) => `${method} /api/${path}`);

  it('has a section for each operation, and for no other', () => {
    const sections = [...page.matchAll(/^### ((?:GET|POST) \/\S+)$/gm)].map(([, name]) => name!);
    expect(sections.sort()).toEqual([...contract].sort());
  });

  it('lists each operation in its first table, and no other', () => {
    const rows = [...page.matchAll(/^\| \[`((?:GET|POST) \/\S+)`\]/gm)].map(([, name]) => name!);
    expect(rows.sort()).toEqual([...contract].sort());
  });

  it('names the codes of the errors of each operation', () => {
    for (const { method, path, errors } of Object.values(OPERATIONS)) {
      const [, section = ''] = page.split(`### ${method} /api/${path}\n`);
      const words = section.split(/^##/m)[0]!;
      for (const code of Object.values(errors).flat()) {
        // Sections that refer to another one have its errors.
        if (words.includes('Response and errors as for')) continue;
        expect(words, `${method} ${path}`).toContain(`\`${code}\``);
      }
    }
  });
});
