import { HttpError } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';

export function poisonNotFound(rule: string, id: string): HttpError<'poison-not-found'> {
  return new HttpError(
    404,
    'poison-not-found',
    `Archive rule "${rule}" has no poison upload ${quoted(id)}`,
    `GET /api/archives/${rule}/poison lists the poison uploads`,
  );
}
