import { idAsUuid } from '#domain/watch/id-as-uuid.ts';
import type { Ping } from '#domain/watch/ping.ts';
import type { Post } from './post.ts';

const PATHS: Record<Ping['event'], string> = { start: '/start', success: '', fail: '/fail', log: '/log' };

/** The request to a check. The `rid` is the same at the start and the end of a run, however often it is sent. */
export function pingRequest(address: string, { event, run, body }: Ping): Post {
  const url = new URL(address);
  url.pathname = url.pathname.replace(/\/$/, '') + PATHS[event];
  url.searchParams.set('rid', idAsUuid(run));
  return { url: url.href, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: body.slice(0, 10_000) };
}
