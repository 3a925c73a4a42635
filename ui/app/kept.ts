/** What the reader has chosen, in this browser. Nothing secret, and nothing that a server knows. */
const BEFORE = 'strongroom.';

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(BEFORE + name);
  } catch {
    // A browser may refuse; then nothing is kept.
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(BEFORE + name, value);
  } catch {}
}
