const DEEP = Array.from({ length: 30 }, (_, level) => `level-${level + 1}`).join('/');

/**
 * Names that programs get wrong. The list omits names that HTTP turns into other names (dot segments, dots at the end
 * of a segment, backslashes) and names that the emulator cannot list (control characters).
 */
export const AWKWARD_NAMES: readonly string[] = [
  // Spaces
  'with space.txt',
  'two  spaces.txt',
  ' leading space.txt',
  'trailing space ',
  'space / around / slashes.txt',
  'no\u00a0break space.txt',
  // Characters with a meaning in URLs
  '100%.txt',
  '%.txt',
  '%2F.txt',
  'percent%2Fencoded%20name.txt',
  'twice%252Fencoded.txt',
  'not%zzencoded.txt',
  'hash#tag.txt',
  'what?.txt',
  'query?comp=list&restype=container',
  'a+b.txt',
  'a b.txt',
  'plus%2Bplus.txt',
  'this&that.txt',
  'key=value.txt',
  'semi;colon,comma.txt',
  'at@home:8080.txt',
  'https://example.com/index.html',
  '~tilde!$()*[]^{|}.txt',
  // … and in XML
  '<b>bold</b>.txt',
  'tom & jerry &amp; co.txt',
  'cdata ]]> end.txt',
  `"double" 'single' \`back\`.txt`,
  // Unicode: composed and combining forms are different names
  'caf\u00e9.txt',
  'cafe\u0301.txt',
  'straße/öl/überfluß.txt',
  'Ελληνικά/Ωμέγα.txt',
  'Привет, мир.txt',
  '日本語/ファイル名.txt',
  '한국어.txt',
  '\u1112\u1161\u11ab.txt',
  'family 👩‍👩‍👧‍👦 and flag 🏳️‍🌈.jpg',
  '😀.txt',
  // Sorts before the emoji by code point, and after it by UTF-16 unit
  '\uff21 full width.txt',
  'שלום עולם.txt',
  'مرحبا/بالعالم.txt',
  'zero\u200bwidth.txt',
  'invoice \u202efdp.exe',
  // Dots and slashes
  '.hidden/.gitignore',
  '..almost a parent.txt',
  'double//slash.txt',
  'folder/',
  'folder',
  // Pairs that differ only in case
  'Readme.md',
  'readme.md',
  'README.MD',
  // Names that begin other names
  'prefix',
  'prefix-1',
  'prefix/1',
  'prefix.1',
  // Long and deep
  `${DEEP}/file.txt`,
  `${'long-'.repeat(199)}n.txt`,
  `${'ü'.repeat(200)}.txt`,
  `${'0123456789'.repeat(10)}/`.repeat(9).concat('end of a long path.txt'),
  // Names with a meaning elsewhere
  'CON',
  'nul.txt',
  '__proto__',
  'constructor',
  '$root',
  '-rf',
  '0',
  // Matches the job's exclude pattern except for case
  'kept.TMP',
  'tmp/kept because only the end counts.txt',
];
