/** Calls that hints of the API name, and the commands that make them. `$1` and so on are parts of the path. */
const COMMANDS: readonly (readonly [call: RegExp, command: string])[] = [
  [/^GET \/api\/runs$/, 'runs list'],
  [/^GET \/api\/runs\?job=([\w-]+)$/, 'runs list --job $1'],
  [/^GET \/api\/runs\/([\w-]+)$/, 'runs show $1'],
  [/^GET \/api\/runs\/([\w-]+)\/outcomes\?status=([\w-]+)$/, 'runs outcomes $1 --status $2'],
  [/^POST \/api\/runs\/([\w-]+)\/retry$/, 'runs retry $1'],
  [/^POST \/api\/jobs\/([\w-]+)\/resume$/, 'jobs resume $1'],
  [/^GET \/api\/restore-points$/, 'points list'],
  [/^GET \/api\/restore-points\/([\w-]+)$/, 'points show $1'],
  [/^POST \/api\/restore-points\/([\w-]+)\/hold$/, 'points hold $1 --reason TEXT'],
  [/^POST \/api\/restore-points\/([\w-]+)\/(unhold|unmark|release|forget)$/, 'points $2 $1'],
  [/^POST \/api\/archives\/([\w-]+)\/reprocess$/, 'archive reprocess $1'],
  [/^POST \/api\/archives\/([\w-]+)\/reconcile$/, 'archive reconcile $1'],
  [/^POST \/api\/archives\/([\w-]+)\/poison\/([\w-]+)\/settle$/, 'archive settle $1 $2'],
  [/^GET \/api\/archives\/([\w-]+)\/poison$/, 'archive poison $1'],
];

/**
 * A hint of the API names its calls. Writes them as commands; every call without one of its own is one of
 * `strongroom api`, and what is said of its body stays true.
 */
export function asCommands(hint: string): string {
  return hint.replace(
    /\b(?:GET|POST) \/api\/[^\s,;"')]*[^\s,;"').:](?=( with \{)?)/g,
    (call, body: string | undefined, offset: number) => {
      const known = body === undefined ? COMMANDS.find(([pattern]) => pattern.test(call)) : undefined;
      if (known) return `strongroom ${call.replace(known[0], known[1])}`;
      const [, job] = /^POST \/api\/jobs\/([\w-]+)\/runs$/.exec(call) ?? [];
      if (job === undefined || body !== undefined) return `strongroom api ${call}`;
      // Without a body, the call starts a full run. Only some hints mean that.
      const isFull = /\bfull\b/.test(hint.slice(Math.max(0, offset - 40), offset));
      return `strongroom runs start ${job}${isFull ? ' --mode full' : ''}`;
    },
  );
}
