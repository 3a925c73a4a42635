/** Something the user is told in these words and no others. */
export class DemoError extends Error {}
