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
  [/^GET \/api\/restore-points\/([\w-]+)\/proof$/, 'points proof $1'],
  [/^GET \/api\/blobs\/history$/, 'history CONTAINER NAME'],
  [/^GET \/api\/overview$/, 'status'],
  [/^GET \/api\/metrics$/, 'metrics'],
  [/^POST \/api\/checks$/, 'check'],
  [/^POST \/api\/notify\/test$/, 'notify test CHANNEL'],
  [/^POST \/api\/verifications$/, 'points verify'],
  [/^POST \/api\/restores$/, 'restore'],
  [/^POST \/api\/prunes$/, 'prune plan'],
  [/^POST \/api\/runs\/([\w-]+)\/cancel$/, 'runs cancel $1'],
  // What hints say of bodies.
  [/^POST \/api\/runs\/([\w-]+)\/cancel with \{"force": true\}$/, 'runs cancel $1 --force'],
  [/^POST \/api\/verifications with \{"restorePoint": "…", "kind": "quick"\}$/, 'points verify POINT --kind quick'],
  [/^POST \/api\/prunes with \{"job": "…"\}$/, 'prune plan JOB'],
];

/** The options that set fields of a request. Hints name the fields. */
const FIELDS: readonly (readonly [field: RegExp, option: string])[] = [
  [/\b([Ss]pecify) "(job|container|name|prefix|at)"/g, '$1 --$2'],
  [/\b([Ss]pecify) "restorePoint"/g, '$1 --point'],
  [/ as "restorePoint"/g, ' with --point'],
  [/"existing":/g, '--existing'],
  [/"target\.container"/g, '--to'],
  [/"target\.(table|prefix|account)"/g, '--to-$1'],
];

/** What the API says of the fields of a request, for a person who gives options. */
export function asOptions(text: string): string {
  return FIELDS.reduce((changed, [field, option]) => changed.replace(field, option), text);
}

/**
 * A hint of the API names its calls. Writes them as commands; every call without one of its own is one of
 * `strongroom api`, and what is said of its body stays true.
 */
export function asCommands(hint: string): string {
  return asOptions(hint).replace(
    /\b(?:GET|POST) \/api\/[^\s,;"')]*[^\s,;"').:](?: with (\{[^}]*\}))?/g,
    (call, body: string | undefined, offset: number) => {
      const known = COMMANDS.find(([pattern]) => pattern.test(call));
      if (known) return `strongroom ${call.replace(known[0], known[1])}`;
      const [, job] = /^POST \/api\/jobs\/([\w-]+)\/runs$/.exec(call) ?? [];
      if (job === undefined || body !== undefined) return `strongroom api ${call}`;
      // Without a body, the call starts a full run. Only some hints mean that.
      const isFull = /\bfull\b/.test(hint.slice(Math.max(0, offset - 40), offset));
      return `strongroom runs start ${job}${isFull ? ' --mode full' : ''}`;
    },
  );
}
