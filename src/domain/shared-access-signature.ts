/** What is wrong with a shared access signature, without its values: each completes "the app setting X …". */
export function sasProblems(sas: string, now?: Date): string[] {
  const query = new URLSearchParams(sas);
  const missing = ['sv', 'sig'].filter((name) => !query.get(name));
  if (missing.length > 0) {
    return [`has a SharedAccessSignature that lacks ${missing.join(' and ')}; it may be cut off, so copy it again`];
  }
  const problems = timeProblems(query, now);
  const twice = [...new Set(query.keys())].find((name) => query.getAll(name).length > 1);
  if (twice !== undefined) problems.push('has a SharedAccessSignature with a parameter twice; copy it again');
  if (/[^A-Za-z\d+/=]/.test(query.get('sig') ?? '') || isPartlyEncoded(sas)) {
    problems.push(
      'has a SharedAccessSignature whose sig is not Base64: it is encoded twice, or not at all ("+" is %2B, "=" %3D)',
    );
  }
  const services = query.get('ss');
  if (services !== null && !/[bt]/.test(services)) {
    problems.push('has a SharedAccessSignature for neither blobs nor tables (ss); create one with ss=bt');
  }
  const types = query.get('srt');
  if (types !== null && !(types.includes('c') && types.includes('o'))) {
    problems.push('has a SharedAccessSignature without containers and objects (srt); create one with srt=sco');
  }
  if (/^bs?$|^bv$/.test(query.get('sr') ?? '')) {
    problems.push('has a SharedAccessSignature of a single blob (sr=b); create one of the account or the container');
  }
  return problems;
}

/** The libraries of Azure cut a value off at the second "=". */
function isPartlyEncoded(sas: string): boolean {
  return sas.split(/[?&]/).some((part) => part.split('=').length > 2);
}

/** The clocks of the service and of this machine may differ. */
const CLOCK_TOLERANCE_MS = 15 * 60_000;

function timeProblems(query: URLSearchParams, now: Date | undefined): string[] {
  const [start, end] = ['st', 'se'].map((name) => Date.parse(query.get(name) ?? '')) as [number, number];
  const problems: string[] = [];
  const unread = (['st', 'se'] as const).filter(
    (name) => query.get(name) && Number.isNaN(Date.parse(query.get(name)!)),
  );
  for (const name of unread) {
    const what = name === 'se' ? 'expires' : 'begins';
    problems.push(
      `has a SharedAccessSignature with a time at which it ${what} (${name}) that cannot be read: it has to be like ` +
        '2030-12-31T00:00:00Z; create a new one',
    );
  }
  // The end may be in a stored access policy (si).
  if (!query.get('se') && (query.has('se') || !query.has('si'))) {
    problems.push('has a SharedAccessSignature without a time at which it expires (se); copy it again');
  }
  if (now && end <= now.getTime()) {
    const at = new Date(end).toISOString();
    problems.push(`has a SharedAccessSignature that expired at ${at} (se); create a new one`);
  }
  if (now && start > now.getTime() + CLOCK_TOLERANCE_MS) {
    const at = new Date(start).toISOString();
    problems.push(`has a SharedAccessSignature that is not valid before ${at} (st); wait, or create a new one`);
  }
  return problems;
}

/** What an account is for. */
export interface SasUse {
  role: 'read' | 'vault';
  /** Which services the configuration certainly uses. */
  services: readonly Service[];
  /** Whether it certainly lists the containers of the account. */
  listsContainers?: boolean;
}

type Service = 'blobs' | 'tables';

/** A vault needs `t` for index tags. */
const NEEDED: Record<SasUse['role'], string> = { read: 'rl', vault: 'rwlt' };
/** What the catalog needs in addition, if the signature covers tables: its rows are inserted or replaced. */
const CATALOG_NEEDS = 'au';

/** What a signature lacks for its use. One that names a stored access policy does not show its rights. */
export function sasLacks(sas: string, { role, services, listsContainers }: SasUse): string[] {
  const query = new URLSearchParams(sas);
  const lacks: string[] = [];
  if (role === 'vault' && query.get('sr') === 'c') lacks.push('other containers than one (sr=c)');
  for (const service of services) if (!covers(query, service)) lacks.push(`${service} (ss)`);
  const types = query.get('srt');
  if (listsContainers && types !== null && !types.includes('s')) lacks.push('the list of containers (srt=s)');
  if (listsContainers && role === 'read' && query.get('sr') === 'c') lacks.push('the list of containers (sr=c)');
  const rights = query.get('sp');
  if (rights === null || query.has('si')) return lacks;
  const isCatalog = role === 'vault' && covers(query, 'tables');
  const missing = [...NEEDED[role], ...(isCatalog ? CATALOG_NEEDS : '')].filter((right) => !rights.includes(right));
  if (missing.length > 0) lacks.push(`the permissions ${missing.join('')} (sp)`);
  return lacks;
}

/** A signature is of an account (ss), or of a container or blob (sr), or of a table (tn). */
function covers(query: URLSearchParams, service: Service): boolean {
  const letters = query.get('ss');
  if (letters !== null) return letters.includes(service === 'blobs' ? 'b' : 't');
  return !query.has(service === 'blobs' ? 'tn' : 'sr');
}
