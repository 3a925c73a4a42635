import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** The form of what people read: documents, messages and comments. The word list itself is in CONTRIBUTING.md. */

const root = fileURLToPath(new URL('../../..', import.meta.url));
const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');

const documents = files.filter((file) => file.endsWith('.md'));
const code = files.filter((file) => /\.(ts|tsx|mjs|cjs|grit)$/.test(file));
/** What a user or a reader of the code meets; in tests, words of the past may be quoted. */
const worded = [
  ...documents,
  ...code.filter((file) => /^(src|ui|cli|host|demo|bench|prove|tools)\//.test(file)),
  ...files.filter((file) => file.endsWith('.bicep')),
  'strongroom.schema.json',
];

const contributing = textOf('CONTRIBUTING.md');
const wordList = contributing.slice(contributing.indexOf('## Words'));
const banned = wordList
  .split('\n')
  .filter((line) => line.startsWith('| ') && line.includes('`'))
  .flatMap((line) => [...line.split('|')[2]!.matchAll(/`([^`]+)`/g)].map(([, words]) => words!));

/**
 * Matches whole words, whatever their case and the line breaks between them. A hyphen joins a word to its neighbour.
 */
function finder(words: string[]): RegExp {
  const any = words.map((phrase) => phrase.replaceAll(' ', '[\\s*/]+')).join('|');
  return new RegExp(`(?<![\\w-])(?:${any})(?![\\w-])`, 'gi');
}

function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    return `line ${line}: ${match[0].replace(/\s+/g, ' ')}`;
  });
}

describe('the word list', () => {
  test('has words to avoid', () => expect(banned.length).toBeGreaterThan(20));

  test('finds a word in any case, across a line break, and not inside another word', () => {
    const pattern = finder(['anew', 'at work', 'tile']);
    expect(found('Anew.\nIt is at\n * work.', pattern)).toEqual(['line 1: Anew', 'line 2: at * work']);
    expect(found('A hostile canewall, a tile-like thing, atwork', pattern)).toEqual([]);
  });

  test.each(worded)('%s keeps to it', (file) => {
    const text = file === 'CONTRIBUTING.md' ? contributing.slice(0, contributing.indexOf('## Words')) : textOf(file);
    expect(found(text, finder(banned))).toEqual([]);
  });
});

/** The names in a file, each as words: `hasGivenUp` as `has given up`. Without comments and texts. */
function namesIn(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, ' ');
  const names = new Set(code.match(/[A-Za-z_$][\w$]*/g));
  return [...names].map((name) =>
    name
      .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
      .replaceAll('_', ' ')
      .toLowerCase(),
  );
}

describe('the names in the code', () => {
  test('are read as words, without comments and texts', () => {
    const text = "const hasGivenUp = 'someText'; // aComment\nIN_MIRROR;";
    expect(namesIn(text)).toEqual(['const', 'has given up', 'in mirror']);
  });

  /** This file has quotes in regular expressions, which `namesIn` does not understand. */
  const named = code.filter((file) => /^(src|ui|cli|host|prove|test)\//.test(file) && !file.endsWith('/words.test.ts'));

  test.each(named)('%s keeps to the word list', (file) => {
    const pattern = finder(banned);
    expect(namesIn(textOf(file)).filter((name) => found(name, pattern).length > 0)).toEqual([]);
  });
});

describe('the width of lines', () => {
  /** The formatter breaks no literals: a regular expression may be wider, and outside src, host and cli any literal. */
  const wide = (file: string) =>
    textOf(file)
      .split('\n')
      .flatMap((line, index) => {
        const literal = /^(src|host|cli)\//.test(file) ? /^\s*\/\S/ : /['"`]/;
        const isComment = /^\s*(\/\/|\/?\*)/.test(line);
        return [...line].length > 120 && (isComment || !literal.test(line)) ? [`line ${index + 1}`] : [];
      });

  test.each(code)('%s has no line of more than 120 characters', (file) => {
    expect(wide(file)).toEqual([]);
  });
});

test.each(documents)('%s has no line of text of more than 120 characters', (document) => {
  // Tables, code and links cannot be broken.
  const lines = textOf(document)
    .replace(/```[\s\S]*?```/g, '')
    .split('\n');
  expect(lines.filter((line) => [...line].length > 120 && !/^(?:\||\s{4}|\[|#)/.test(line))).toEqual([]);
});

test.each(documents)('every file and folder that %s names is there', (document) => {
  const named = textOf(document).matchAll(
    /(?<![\w./#-])((?:src|test|host|prove|tools|demo|bench|infra|docs)\/[\w./-]+)/g,
  );
  const paths = [...named].map(([, path]) => path!.replace(/[.,/]+$/, ''));
  const missing = paths.filter((path) => statSync(join(root, path), { throwIfNoEntry: false }) === undefined);
  expect(missing).toEqual([]);
});
