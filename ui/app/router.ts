import { signal } from '@preact/signals';
import { focusHeading } from './focus.ts';

/** Where the page is: everything behind it is an address of a screen. */
const ROOT = '/ui';

/** The address of what is shown, below `/ui`. */
export interface Place {
  /** Begins with a slash. As in the address: each segment is encoded. */
  path: string;
  query: URLSearchParams;
}

export const place = signal<Place>(current());
/** How often the reader has gone elsewhere. 0: what is shown is what the browser has loaded. */
export const visits = signal(0);

function current(): Place {
  const { pathname, search } = window.location;
  const path = pathname.startsWith(ROOT) ? pathname.slice(ROOT.length) : '';
  return { path: path === '' ? '/' : path, query: new URLSearchParams(search) };
}

type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * The address of a screen: `link('/runs', { job: 'nightly' })`. Encode what is not a constant with `at`. Names of blobs
 * belong in the query: in a path, browsers change `..` and empty segments.
 */
export function link(path: string, query: Query = {}): string {
  const text = queryText(query);
  return `${ROOT}${path}${text === '' ? '' : `?${text}`}`;
}

/** Query parameters; those that are undefined or empty are left out. */
export function queryText(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

/** Encodes what is put in: at`/runs/${id}`. */
export function at(texts: TemplateStringsArray, ...values: string[]): string {
  return String.raw({ raw: texts }, ...values.map(encodeURIComponent));
}

/** Goes to a screen; with `replace`, Back does not lead here again. */
export function go(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  const before = place.peek().path;
  place.value = current();
  if (place.peek().path === before) return;
  visits.value += 1;
  window.scrollTo(0, 0);
}

/** Changes parameters of the address, in place: filters, tabs, what is open. `undefined` removes one. */
export function change(query: Query): void {
  const { path, query: before } = place.peek();
  go(link(path, { ...Object.fromEntries(before), ...query }), { replace: true });
}

/** Clicks on links to screens load nothing. */
export function followLinks(): void {
  window.addEventListener('popstate', () => {
    place.value = current();
    visits.value += 1;
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const anchor = event.target instanceof Element ? event.target.closest('a') : null;
    const href = anchor?.getAttribute('href') ?? null;
    if (!anchor || href === null || anchor.hasAttribute('target') || anchor.hasAttribute('download')) return;
    if (href.startsWith('#')) {
      // The link that skips the frame. The browser would go there, and leave a place that Back leads to.
      event.preventDefault();
      return focusHeading();
    }
    // Not `anchor.href`: in a drawing it is no text.
    const { origin, pathname, search } = new URL(href, document.baseURI);
    if (origin !== window.location.origin || !pathname.startsWith(`${ROOT}/`)) return;
    event.preventDefault();
    go(pathname + search);
  });
}
