import { type ExitCode, exitCodeOfAnswer } from '../exit-codes.ts';
import { HostError, messageOf } from '../host-error.ts';
import { asSentence, forTerminal } from './hints.ts';

/** The report of a run, as far as this command reads it. */
export interface Run {
  status: string;
  problems?: { code?: string; message?: string; hint?: string; container?: string }[];
  [detail: string]: unknown;
}

/** Why the API did not do what was asked for. */
export interface Refusal {
  status: number;
  code: string;
  /** In words, with what to do. */
  reason: string;
  /** What to do, in the words of the API. */
  hint?: string;
  exitCode: ExitCode;
  /** The run that is in the way. */
  run?: string;
}

/** The HTTP API of the app in this process. */
export class AppApi {
  readonly url: string;
  readonly #headers: Record<string, string>;

  constructor(url: string, key: string | undefined) {
    this.url = url;
    this.#headers = { 'content-type': 'application/json', ...(key ? { 'x-functions-key': key } : {}) };
  }

  /** Sends a request that starts a run, and returns the id of that run. */
  async start(path: string, body: object): Promise<{ id: string } | { refusal: Refusal }> {
    const response = await this.#post(path, body);
    const location = response.headers.get('location');
    if (response.status !== 202 || location === null) return { refusal: await refusalOf(response) };
    await response.arrayBuffer();
    // The app may give another host name than the one that was called.
    return { id: decodeURIComponent(new URL(location, this.url).pathname.split('/').at(-1) ?? '') };
  }

  async run(id: string): Promise<{ run: Run } | { refusal: Refusal }> {
    const response = await fetch(new URL(runPath(id), this.url), { headers: this.#headers });
    return response.ok ? { run: (await response.json()) as Run } : { refusal: await refusalOf(response) };
  }

  /** The run of this job that followed another; undefined if none did, or if the answer does not show one. */
  async followerOf(id: string, job: string): Promise<string | undefined> {
    const query = new URLSearchParams({ job, trigger: 'run', limit: '20' });
    const response = await fetch(new URL(`/api/runs?${query}`, this.url), { headers: this.#headers });
    const list = parsed<{ runs?: { id: string; follows?: string }[] }>(await response.text());
    return list?.runs?.find(({ follows }) => follows === id)?.id;
  }

  async cancel(id: string): Promise<void> {
    await (await this.#post(`${runPath(id)}/cancel`, {})).arrayBuffer();
  }

  /** The command with which a person sends a POST request to this API. */
  command(path: string, body?: object): string {
    const data = body === undefined ? '' : ` -d '${JSON.stringify(body)}'`;
    const key = this.#headers['x-functions-key'] === undefined ? '' : ' -H "x-functions-key: $STRONGROOM_KEY"';
    return `curl -X POST ${this.url}${path}${data}${key}`;
  }

  #post(path: string, body: object): Promise<Response> {
    return fetch(new URL(path, this.url), { method: 'POST', headers: this.#headers, body: JSON.stringify(body) });
  }
}

function runPath(id: string): string {
  return `/api/runs/${encodeURIComponent(id)}`;
}

/** The failure with which this command ends. */
export function failure(what: string, { reason, exitCode }: Refusal): HostError {
  return new HostError(`${what}: ${reason}`, exitCode);
}

interface ProblemDocument {
  code?: string;
  detail?: string;
  title?: string;
  hint?: string;
  run?: string;
}

/** This process calls the API in its own name. */
const SIGN_IN = 'Set STRONGROOM_KEY to one of the keys in "access.keys" of strongroom.json';

async function refusalOf(response: Response): Promise<Refusal> {
  const { status } = response;
  const text = await response.text().catch(messageOf);
  const { code = '', detail, title, hint, run }: ProblemDocument = parsed(text) ?? {};
  const advice = code === 'sign-in-needed' ? SIGN_IN : hint && forTerminal(hint);
  const words = [detail ?? title, advice].filter((part) => part !== undefined).map(asSentence);
  const reason = words.join(' ') || `HTTP ${status}: ${text.slice(0, 200) || response.statusText}`;
  return {
    ...{ status, code, reason, exitCode: exitCodeOfAnswer(status, code) },
    ...(hint !== undefined && { hint }),
    ...(typeof run === 'string' && { run }),
  };
}

function parsed<Parsed = ProblemDocument>(text: string): Parsed | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Parsed) : undefined;
  } catch {
    return undefined;
  }
}
