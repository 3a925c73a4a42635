/** What newer versions of Node have. esbuild lowers syntax for its target, and leaves calls as they are. */
const NEWER = [
  /\b(?:Map|Object)\.groupBy\b/,
  /\bPromise\.(?:withResolvers|try)\b/,
  /\bArray\.fromAsync\b/,
  /\bIterator\.(?:from|concat)\b/,
  /\b(?:RegExp\.escape|Error\.isError|Math\.sumPrecise|Uint8Array\.from(?:Base64|Hex))\b/,
  /\.(?:symmetricDifference|isSubsetOf|isSupersetOf|isDisjointFrom)\(/,
  // Iterators have the methods of arrays since Node 22.
  /\.(?:values|keys|entries|matchAll)\([^()]*\)\.(?:map|filter|take|drop|flatMap|toArray|some|every|find)\(/,
  /\.(?:values|keys|entries|matchAll)\([^()]*\)\.(?:reduce|forEach)\(/,
];
/** These make an array of what `values` and so on seem to be. */
const ARRAYS = /\bObject\.(?:values|keys|entries)\([^()]*\)\./g;

/** The first call in this text that Node 20, the oldest that the command line supports, would fail at. */
export function missingInNode20(text: string): string | undefined {
  const checked = text.replace(ARRAYS, '.');
  for (const pattern of NEWER) {
    const found = pattern.exec(checked);
    if (found) return found[0];
  }
  return undefined;
}
