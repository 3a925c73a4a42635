/** The address at which `npm start` serves the API by default. */
export const DEFAULT_URL = 'http://127.0.0.1:7071';

/** A hint of the API names its calls. Writes them as commands for a person whose host has ended. */
export function forTerminal(hint: string): string {
  const changed = hint.replace(/\b(GET|POST) (\/api\/[^\s,;"')]*[^\s,;"').:])/g, (_, method: string, path: string) =>
    method === 'GET' ? `curl ${DEFAULT_URL}${path}` : `curl -X POST ${DEFAULT_URL}${path}`,
  );
  if (changed === hint) return changed;
  return `${asSentence(changed)} These calls need a host: start one with npm start.`;
}

/** Texts of the API end without a period. */
export function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
