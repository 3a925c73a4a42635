import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import { checkInput, type InputProblem } from '#domain/input/check-input.ts';
import { repeatedKeys } from '#domain/json-syntax.ts';
import { HttpError, invalid } from './http-error.ts';

/** The Functions host takes bodies of 100 MB. The largest request of this API is a list of names. */
const MAX_BODY_BYTES = 1024 * 1024;

const nothing = z.strictObject({});

/** Throws 413, also where a handler reads no body. */
export async function refuseLargeBody(request: HttpRequest): Promise<void> {
  if (!request.body) return;
  // A body in chunks does not say its length.
  const announced = request.headers.get('content-length');
  const bytes = announced === null ? (await request.clone().arrayBuffer()).byteLength : Number(announced);
  if (bytes <= MAX_BODY_BYTES) return;
  throw new HttpError(413, 'body-too-large', `The body has ${bytes} bytes`, `Send at most ${MAX_BODY_BYTES} bytes`);
}

/** The request's JSON body; an empty one counts as `{}`. Throws 400 with every problem of it. */
export async function readBody(request: HttpRequest, schema: z.ZodType = nothing): Promise<unknown> {
  const text = await request.text();
  if (text.trim() === '') return check(schema, {}, 'body');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = `The body is not JSON: ${(error as Error).message}`;
    throw new HttpError(400, 'body-not-json', message, 'Send a JSON object, or an empty body');
  }
  // Of a repeated key, the parser drops all values but the last.
  const repeated = repeatedKeys(text).map(({ path }) => ({ path, message: 'this key is there more than once' }));
  return check(schema, value, 'body', repeated);
}

/** The request's query parameters; an empty one counts as absent. Throws 400 with every problem of them. */
export function readQuery(request: HttpRequest, schema: z.ZodType = nothing): unknown {
  checkRepeated(request);
  const values = Object.fromEntries([...request.query].filter(([, value]) => value !== ''));
  // The host reads the function key, which may be here.
  delete values.code;
  return check(schema, values, 'query');
}

/** The worker joins the values of a repeated parameter by commas, and the address still has them apart. */
function checkRepeated({ url, query }: HttpRequest): void {
  const names = [...(URL.canParse(url) ? new URL(url).searchParams : query).keys()];
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated === undefined) return;
  throw invalid('query', [{ path: [repeated], message: 'this parameter is there more than once' }]);
}

function check(schema: z.ZodType, value: unknown, what: 'body' | 'query', found: InputProblem[] = []): unknown {
  const { data, problems } = checkInput(schema, value, what === 'body' ? 'field' : 'parameter');
  const [first, ...others] = [...found, ...problems];
  if (first === undefined) return data;
  throw invalid(what, [first, ...others]);
}
